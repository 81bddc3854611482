#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "tests/support/temp_folder.h"

/// Small seeded networks, written as TorchScript in the test itself.
namespace gradcam::tiny {

inline at::Tensor seeded(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::TensorOptions());
}

/// A module whose forward is `body`, with the tensors given as parameters.
inline torch::jit::Module leaf(const std::string& type,
                               const std::vector<std::pair<std::string, at::Tensor>>& parameters,
                               const std::string& body) {
  torch::jit::Module module(type);
  for (const auto& [name, value] : parameters) module.register_parameter(name, value, false);
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define("def forward(self, x):\n  " + body + "\n");
  return module;
}

inline torch::jit::Module conv3x3(const at::Tensor& weight, const at::Tensor& bias,
                                  int padding = 1) {
  return leaf("Conv2d", {{"weight", weight}, {"bias", bias}},
              "return torch.conv2d(x, self.weight, self.bias, [1, 1], [" + std::to_string(padding) +
                  ", " + std::to_string(padding) + "])");
}

inline torch::jit::Module seeded_conv(int in, int out, std::uint64_t seed) {
  return conv3x3(seeded({out, in, 3, 3}, seed) * 0.3, seeded({out}, seed + 1) * 0.1);
}

inline torch::jit::Module batch_norm(int channels, std::uint64_t seed) {
  return leaf("BatchNorm2d",
              {{"weight", seeded({channels}, seed).abs() + 0.5},
               {"bias", seeded({channels}, seed + 1)},
               {"mean", seeded({channels}, seed + 2)},
               {"var", seeded({channels}, seed + 3).abs() + 0.5}},
              "return torch.batch_norm(x, self.weight, self.bias, self.mean, self.var, False, 0.1, "
              "1e-5, True)");
}

inline torch::jit::Module relu(bool in_place) {
  return leaf("ReLU", {}, in_place ? "return torch.relu_(x)" : "return torch.relu(x)");
}

inline torch::jit::Module linear(const at::Tensor& weight, const at::Tensor& bias) {
  return leaf("Linear", {{"weight", weight}, {"bias", bias}},
              "return torch.matmul(torch.flatten(x, 1), self.weight.t()) + self.bias");
}

/// The parts under their names, and `body` as forward.
inline torch::jit::Module network(
    const std::vector<std::pair<std::string, torch::jit::Module>>& parts, const std::string& body) {
  torch::jit::Module module("Net");
  for (const auto& [name, part] : parts) module.register_module(name, part);
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define("def forward(self, x):\n" + body);
  return module;
}

/// A description that says no more than this.
inline ModelDescription input_of(int height, int width, int channels = 3,
                                 const OutputChoice& output = {}) {
  ModelDescription description;
  description.input_height = height;
  description.input_width = width;
  if (channels == 1) description.color = ColorOrder::kGray;
  description.output = output;
  return description;
}

/// A picture of many levels, size x size.
inline Blob blob(int size) {
  Blob blob{size, size, {}};
  for (int i = 0; i < size * size * 3; ++i) {
    blob.pixels.push_back(static_cast<std::uint8_t>((i * 37 + i * i % 11 * 5) % 256));
  }
  return blob;
}

/// Pictures u8 [count, size, size, 3], no two of them equal.
inline at::Tensor pictures(int count, int size) {
  return (seeded({count, size, size, 3}, 21).abs() * 90).clamp(0, 255).to(at::kByte);
}

/// Saved as NAME.pt in a folder that goes with the process; the file is what the product reads.
inline std::string saved(const torch::jit::Module& module, const std::string& name,
                         const torch::jit::ExtraFilesMap& extra = {}) {
  static const TempFolder kFolder;
  std::string path = (kFolder / (name + ".pt")).string();
  module.save(path, extra);
  return path;
}

/// For tests of what does not depend on the engine: OpenVINO compiles nothing.
inline ExplainOptions options() {
  ExplainOptions options;
  options.engine = EngineName::kTorchScript;
  return options;
}

}  // namespace gradcam::tiny
