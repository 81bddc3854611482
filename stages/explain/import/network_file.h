#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>

#include "stages/frame/description.h"

namespace ov {
class Model;
}

namespace gradcam {

/// A network in both forms.
struct ImportedNetwork {
  torch::jit::Module module;
  /// As OpenVINO read it, for the same pictures, float [1, C, H, W]; its values have the names that
  /// value_name() of cut_model.h gives them in the module's graph.
  std::shared_ptr<const ov::Model> source;
  bool is_quantised;  ///< it rounds inside
};

/// A network file of another format than TorchScript (file_format.h), read by OpenVINO.
class NetworkFile {
 public:
  /// Throws UserError(kModel) that names the file: it cannot be read, or takes no picture.
  explicit NetworkFile(std::string path);

  /// What the file itself tells of how it is to be read: the size and channels of its picture, and
  /// whether it takes pixels as they are.
  ModelDescription usual() const;
  /// The description that the file carries in its metadata under "gradcam.json"; empty = none.
  const std::string& embedded_description() const { return embedded_description_; }
  /// Changes whenever the weights do.
  const std::string& identity() const { return identity_; }

  /// As TorchScript, too, for pictures of the description's size and channels: openvino_to_torch.h.
  /// Runs both once and holds the outputs against each other. Throws UserError(kModel): another
  /// size than the file allows, an operation without a rule, other outputs.
  ImportedNetwork as_torchscript(const ModelDescription& description, c10::Device device) const;

 private:
  std::string path_;
  std::shared_ptr<ov::Model> model_;
  bool channels_last_ = false;  ///< of its picture
  std::string embedded_description_;
  std::string identity_;
};

}  // namespace gradcam
