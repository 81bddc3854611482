#include "pipeline/bench.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "stages/explain/engines/timing.h"

namespace gradcam {
namespace {

constexpr int kPairs = 60;
constexpr auto kMostTime = std::chrono::seconds(30);

Blob noise(const ModelDescription& description) {
  Blob blob{description.input_height, description.input_width, {}, description.channels()};
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < std::int64_t{blob.channels} * blob.height * blob.width; ++i) {
    state = state * 1664525U + 1013904223U;
    blob.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return blob;
}

EngineTimes measure(Explainer& explainer, const std::stop_token& stop) {
  const auto& description = explainer.description();
  const Blob blob = noise(description);
  explainer.warm_up();
  for (int i = 0; i < 4; ++i) explainer.forward_only(blob);
  std::vector<double> plain;
  std::vector<double> explained;
  std::vector<double> ratios;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kPairs && !stop.stop_requested(); ++i) {
    if (i >= 10 && std::chrono::steady_clock::now() - begin > kMostTime) break;
    plain.push_back(milliseconds_of([&] { explainer.forward_only(blob); }));
    explained.push_back(milliseconds_of([&] { explainer.explain(blob); }));
    ratios.push_back(explained.back() / plain.back());
  }
  return {median(plain), median(explained), median(ratios)};
}

void print_row(std::FILE* out, const char* stage, const DurationSummary& d) {
  std::fprintf(out, "%-12s %8.2f %8.2f %8.2f %8.2f\n", stage, d.p50_ms, d.p95_ms, d.p99_ms,
               d.mean_ms);
}

}  // namespace

EngineTimes time_engine(Explainer& explainer, const std::stop_token& stop) {
  EngineTimes times;
  std::exception_ptr error;
  std::thread([&] {
    try {
      times = measure(explainer, stop);
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
  return times;
}

void print_bench(const EngineTimes& engine, const RunSummary& summary, std::FILE* out) {
  std::fprintf(out, "engine alone, medians of calls in turn\n");
  std::fprintf(out, "  forward only  %8.2f ms\n", engine.forward_only_ms);
  std::fprintf(out, "  explained     %8.2f ms   ratio %.3f\n", engine.explained_ms, engine.ratio);
  for (const StreamSummary& stream : summary.streams) {
    std::fprintf(out, "\n%s: %lld frames shown, %.1f frames/s\n", stream.name.c_str(),
                 static_cast<long long>(stream.shown), stream.frames_per_second);
    std::fprintf(out, "%-12s %8s %8s %8s %8s   ms\n", "stage", "p50", "p95", "p99", "mean");
    print_row(out, "capture", stream.latency.capture);
    print_row(out, "preprocess", stream.latency.preprocess);
    print_row(out, "explain", stream.latency.explain);
    print_row(out, "overlay", stream.latency.overlay);
    print_row(out, "output", stream.latency.output);
    print_row(out, "total", stream.latency.total);
  }
}

std::string bench_json(const EngineTimes& engine, const RunSummary& summary) {
  auto json = nlohmann::ordered_json::parse(to_json(summary));
  json["engine"] = {{"forward_only_ms", {{"p50", engine.forward_only_ms}}},
                    {"explained_ms", {{"p50", engine.explained_ms}}},
                    {"ratio", engine.ratio}};
  return json.dump(2);
}

}  // namespace gradcam
