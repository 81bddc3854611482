#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <string>

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

}  // namespace gradcam
