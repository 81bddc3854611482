#include <benchmark/benchmark.h>

#include <cmath>

#include "stages/overlay/blend.h"
#include "stages/overlay/cam_figures.h"
#include "stages/overlay/colormap.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/overlay.h"

namespace gradcam {
namespace {

HeatMap spot() {
  HeatMap heat{224, 224, std::pmr::vector<float>(50176)};
  for (int i = 0; i < 224 * 224; ++i) {
    const double distance = std::hypot(i % 224 - 150, i / 224 - 100);
    heat.values[static_cast<std::size_t>(i)] = static_cast<float>(std::exp(-distance / 50));
  }
  return heat;
}

/// Everything one frame of the size in the benchmark's arguments needs.
struct Scene {
  explicit Scene(const benchmark::State& state)
      : size(static_cast<int>(state.range(0)), static_cast<int>(state.range(1))),
        frame(size, CV_8UC3),
        mapping{size.width,
                size.height,
                {0, 0, static_cast<double>(size.width), static_cast<double>(size.height)},
                {0, 0, 224, 224}},
        map(map_on_frame(heat, mapping, {224, 224}, Style::kGradcam)) {
    cv::randu(frame, 0, 256);
    Explanation explanation;
    explanation.top = {{281, "tabby", 0.78f},
                       {282, "tiger cat", 0.1f},
                       {285, "Egyptian cat", 0.05f},
                       {287, "lynx", 0.02f},
                       {478, "carton", 0.01f}};
    explanation.targets = {explanation.top[0]};
    explanation.method = "gradcam";
    explanation.layers = {"blocks.6.0"};
    explained.explanation = std::make_shared<const Explanation>(explanation);
  }

  cv::Size size;
  cv::Mat frame;
  HeatMap heat = spot();
  Mapping mapping;
  cv::Mat map;
  Explained explained;
  HudText hud{"efficientnet_lite0", "", 24.8, 38.2};
};

void map_of_heat(benchmark::State& state) {
  const Scene scene(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(map_on_frame(scene.heat, scene.mapping, {224, 224}, Style::kGradcam));
  }
}

void figures(benchmark::State& state) {
  const Scene scene(state);
  for (auto _ : state) benchmark::DoNotOptimize(figures_of(scene.map));
}

void colors(benchmark::State& state) {
  const Scene scene(state);
  for (auto _ : state) benchmark::DoNotOptimize(colorize(scene.map, Colormap::kJet));
}

void blending(benchmark::State& state) {
  const Scene scene(state);
  const cv::Mat heat = colorize(scene.map, Colormap::kJet);
  for (auto _ : state) {
    benchmark::DoNotOptimize(blend(scene.frame, heat, Style::kGradcam, 0.5));
  }
}

void hud(benchmark::State& state) {
  Scene scene(state);
  for (auto _ : state) draw_hud(scene.frame, scene.explained, scene.hud);
}

/// All that the overlay stage does to one frame.
void whole_stage(benchmark::State& state) {
  const Scene scene(state);
  for (auto _ : state) {
    const cv::Mat map = map_on_frame(scene.heat, scene.mapping, {224, 224}, Style::kGradcam);
    benchmark::DoNotOptimize(figures_of(map));
    benchmark::DoNotOptimize(draw_view(scene.frame, map, {}, scene.explained, scene.hud, {}));
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({640, 272})
      ->Args({1280, 720})
      ->Args({1920, 1080})
      ->Args({2560, 1440})
      ->UseRealTime();
  benchmark->Unit(benchmark::kMillisecond);
}

BENCHMARK(map_of_heat)->Apply(sizes);
BENCHMARK(figures)->Apply(sizes);
BENCHMARK(colors)->Apply(sizes);
BENCHMARK(blending)->Apply(sizes);
BENCHMARK(hud)->Apply(sizes);
BENCHMARK(whole_stage)->Apply(sizes);

}  // namespace
}  // namespace gradcam

BENCHMARK_MAIN();
