#include <benchmark/benchmark.h>

#include "stages/preprocess/preprocess.h"

namespace gradcam {
namespace {

/// A frame of the size in the benchmark's arguments to the input of a network of 224x224.
void network_input(benchmark::State& state, ResizeMode mode) {
  cv::Mat frame(static_cast<int>(state.range(1)), static_cast<int>(state.range(0)), CV_8UC3);
  cv::randu(frame, 0, 256);
  ModelDescription description;
  description.input_height = 224;
  description.input_width = 224;
  description.resize = mode;
  for (auto _ : state) benchmark::DoNotOptimize(to_network_input(frame, description));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({640, 272})->Args({1280, 720})->Args({1920, 1080})->UseRealTime();
  benchmark->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(network_input, stretch, ResizeMode::kStretch)->Apply(sizes);
BENCHMARK_CAPTURE(network_input, center_crop, ResizeMode::kCenterCrop)->Apply(sizes);
BENCHMARK_CAPTURE(network_input, letterbox, ResizeMode::kLetterbox)->Apply(sizes);

}  // namespace
}  // namespace gradcam

BENCHMARK_MAIN();
