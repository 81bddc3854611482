// Compares activation, gradient and output of the cut network with those that Python hooks recorded
// (tests/reference/hooks.py writes the manifest). Usage: cut_reference MANIFEST.json
// Exit 0 if every case agrees within 1e-4 of the largest value, 1 otherwise.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stages/explain/graph/cut_graph.h"
#include "tests/support/tiny_models.h"

namespace {

constexpr double kTolerance = 1e-4;

at::Tensor read_floats(const std::filesystem::path& path, const std::vector<std::int64_t>& shape) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return at::from_blob(bytes.data(), shape, at::TensorOptions(at::kFloat)).clone();
}

double relative_difference(const at::Tensor& ours, const at::Tensor& reference) {
  if (ours.sizes() != reference.sizes()) return INFINITY;
  const double largest = reference.abs().max().item<double>();
  const double difference = (ours.detach() - reference).abs().max().item<double>();
  return largest > 0 ? difference / largest : difference;
}

bool check_case(const nlohmann::json& c, const std::filesystem::path& folder) {
  const auto shape = c.at("activation_shape").get<std::vector<std::int64_t>>();
  const auto input_shape = c.at("input_shape").get<std::vector<std::int64_t>>();
  const auto output_shape = c.at("output_shape").get<std::vector<std::int64_t>>();
  const auto file = [&](const char* key) { return folder / c.at(key).get<std::string>(); };

  const gradcam::Model model(file("model").string(), c10::Device("cpu"));
  const auto layer = c.at("layer").get<std::string>();
  gradcam::CutGraph cut(
      model, {layer},
      gradcam::tiny::input_of(static_cast<int>(input_shape[2]), static_cast<int>(input_shape[3])));
  const auto got =
      cut.run(read_floats(file("input"), input_shape).contiguous(at::MemoryFormat::ChannelsLast));
  const auto gradients = torch::autograd::grad(
      {got.output.select(1, c.at("class").get<int>()).sum()}, got.activations);

  const double activation =
      relative_difference(got.activations[0], read_floats(file("activation"), shape));
  const double gradient = relative_difference(gradients[0], read_floats(file("gradient"), shape));
  const double output = relative_difference(got.output, read_floats(file("output"), output_shape));
  const bool good = activation <= kTolerance && gradient <= kTolerance && output <= kTolerance;
  std::printf("%-4s %-34s %-28s activation %.1e  gradient %.1e  output %.1e\n", good ? "ok" : "BAD",
              c.at("model").get<std::string>().c_str(), layer.c_str(), activation, gradient,
              output);
  return good;
}

int check_all(const std::filesystem::path& path) {
  std::ifstream in(path);
  const nlohmann::json manifest = nlohmann::json::parse(in, nullptr, false);
  if (!manifest.contains("cases")) {
    std::fprintf(stderr, "cut_reference: %s: no manifest\n", path.c_str());
    return 2;
  }
  int bad = 0;
  for (const auto& c : manifest["cases"]) {
    try {
      bad += check_case(c, path.parent_path()) ? 0 : 1;
    } catch (const std::exception& error) {
      std::printf("BAD  %s: %s\n", c.dump().c_str(), error.what());
      ++bad;
    }
  }
  std::printf("%zu cases, %d bad\n", manifest["cases"].size(), bad);
  return bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: cut_reference MANIFEST.json\n");
    return 2;
  }
  try {
    return check_all(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cut_reference: %s\n", error.what());
    return 2;
  }
}
