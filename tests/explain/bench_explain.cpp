#include <ATen/ops/rand.h>
#include <benchmark/benchmark.h>

#include <cmath>

#include "stages/explain/maps/heat.h"
#include "stages/explain/methods/component_methods.h"

namespace gradcam {
namespace {

/// From the 7x7 map of a classifier to the heat of its 224x224 input, for as many targets as the
/// benchmark's argument says.
void heat_of_targets(benchmark::State& state) {
  HeatMap map{7, 7, std::pmr::vector<float>(49)};
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    map.values[i] = static_cast<float>(std::sin(static_cast<double>(i)));
  }
  for (auto _ : state) {
    std::vector<HeatMap> heats;
    heats.reserve(static_cast<std::size_t>(state.range(0)));
    for (int k = 0; k < state.range(0); ++k) {
      heats.push_back(to_heat({map}, Style::kGradcam, 224, 224));
    }
    benchmark::DoNotOptimize(merge_heats(std::move(heats)));
  }
}

/// EigenCAM's component of an activation of as many channels as the first argument says, the others
/// being its height and width.
void component(benchmark::State& state) {
  const at::Tensor activation = at::rand({state.range(0), state.range(1), state.range(2)});
  for (auto _ : state) benchmark::DoNotOptimize(first_component(activation));
}

BENCHMARK(component)->Args({256, 80, 80})->Args({2048, 7, 7})->Unit(benchmark::kMillisecond);
BENCHMARK(heat_of_targets)->Arg(1)->Arg(5)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gradcam

BENCHMARK_MAIN();
