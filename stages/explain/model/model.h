#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torch::jit {
struct Module;
}
namespace ov {
class Model;
}

namespace gradcam {

struct ModuleGraph;

/// Throws UserError(kModel) that names the file if there is none of this name.
void require_model_file(const std::string& path);

/// A TorchScript network in memory, in the form in which it runs: fp32, nothing in training mode,
/// no parameter wants a gradient, forward takes the picture alone where the code has defaults for
/// the rest; weights channels_last where the code may run so. A handle: copies share the weights,
/// as does every cut made of it.
class Model {
 public:
  /// Throws UserError(kModel) that names the file and what is wrong with it. From then on LibTorch
  /// computes on the calling thread alone (torch_threads.h).
  Model(const std::string& path, c10::Device device);
  /// A module that was made of a network that OpenVINO read from the file, and that network.
  Model(const std::string& path, c10::Device device, torch::jit::Module module,
        std::shared_ptr<const ov::Model> source, bool is_quantised = false);

  const std::string& path() const { return path_; }
  c10::Device device() const { return device_; }
  const torch::jit::Module& module() const { return *module_; }
  /// Whether another handle holds the weights, too.
  bool is_shared() const { return module_.use_count() > 1; }
  /// The network as OpenVINO read it (ImportedNetwork); null for a TorchScript file.
  const std::shared_ptr<const ov::Model>& source() const { return source_; }
  /// Its numbers are rounded inside, as those of an int8 network: two ways to compute it may differ
  /// by a step of the rounding here and there.
  bool is_quantised() const { return is_quantised_; }
  /// The description inside the file (extra file gradcam.json); empty if there is none.
  const std::string& embedded_description() const { return embedded_description_; }
  /// How many channels its picture has, if its first convolution tells.
  std::optional<std::int64_t> picture_channels() const { return picture_channels_; }
  /// What had been left in training mode and was switched to inference; empty = nothing.
  const std::string& left_in_training() const { return left_in_training_; }
  /// What Ultralytics's exporter noted in the file (extra file config.txt); empty if there is none.
  const std::string& ultralytics_config() const { return ultralytics_config_; }

 private:
  void keep(torch::jit::Module module);
  void bring_in_order(const torch::jit::Module& module, const std::vector<ModuleGraph>& graphs);

  std::string path_;
  c10::Device device_;
  std::string embedded_description_;
  std::optional<std::int64_t> picture_channels_;
  std::string left_in_training_;
  std::string ultralytics_config_;
  std::shared_ptr<const torch::jit::Module> module_;
  std::shared_ptr<const ov::Model> source_;
  bool is_quantised_ = false;
};

}  // namespace gradcam
