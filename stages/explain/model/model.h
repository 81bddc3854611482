#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace torch::jit {
struct Module;
}

namespace gradcam {

/// Throws UserError(kModel) that names the file if there is none of this name.
void require_model_file(const std::string& path);

/// A TorchScript file in memory: eval mode, no parameter wants a gradient, weights channels_last.
/// A handle: copies share the weights, as does every cut made of it.
class Model {
 public:
  /// Throws UserError(kModel) that names the file and what is wrong with it. From then on LibTorch
  /// computes on the calling thread alone (torch_threads.h).
  Model(const std::string& path, c10::Device device);

  const std::string& path() const { return path_; }
  c10::Device device() const { return device_; }
  const torch::jit::Module& module() const { return *module_; }
  /// The description inside the file (extra file gradcam.json); empty if there is none.
  const std::string& embedded_description() const { return embedded_description_; }

 private:
  std::string path_;
  c10::Device device_;
  std::string embedded_description_;
  std::shared_ptr<const torch::jit::Module> module_;
};

/// One sub-module, named as Python's named_modules() names it.
struct Layer {
  std::string name;
  std::string type;                 ///< class name: Conv2d, Bottleneck …
  std::vector<std::int64_t> shape;  ///< of its output for one picture; empty if it is no tensor
  std::string obstacle;             ///< why no cut is possible there; empty if one is

  /// One picture's [1, C, h, w] with more than one place: what a heat map can be made of.
  bool spatial() const { return shape.size() == 4 && shape[2] * shape[3] > 1; }
};

/// All sub-modules in the order of their last call, shapes found by running the network once on a
/// zero input of 1x3xheightxwidth. Throws UserError(kModel) if that run fails or nothing has a
/// name.
std::vector<Layer> list_layers(const Model& model, int height, int width);

/// The last cuttable layer whose output is spatial: where Grad-CAM is usually taken.
/// Throws UserError(kModel) when there is none.
std::string automatic_layer(const std::vector<Layer>& layers, const std::string& model_path);

}  // namespace gradcam
