#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  bool is_quantised;                        ///< it rounds inside
  std::vector<std::string> output_names{};  ///< in the order of what forward gives
};

/// A network file of another format than TorchScript (file_format.h), read by OpenVINO.
class NetworkFile {
 public:
  /// Throws UserError(kModel) that names the file: it cannot be read, takes no picture, or chooses
  /// among boxes in a way that cannot be taken apart.
  explicit NetworkFile(std::string path);

  /// What the file itself tells of how it is to be read: the size and channels of its picture,
  /// whether it takes pixels as they are or the network takes off the mean itself, and of a
  /// suppression of boxes how the boxes came to it.
  ModelDescription usual() const;
  /// What of it was left out, for the user; empty = nothing.
  const std::string& note() const { return note_; }
  /// The description that the file carries in its metadata under "gradcam.json"; empty = none.
  const std::string& embedded_description() const { return embedded_description_; }
  /// All texts of the file's metadata by key: of ONNX metadata_props, of an IR rt_info.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Changes whenever the weights or the names of the layers do.
  const std::string& identity() const { return identity_; }

  /// As TorchScript, too, for pictures of the description's size and channels: openvino_to_torch.h.
  /// check_import() holds both forms against each other. Throws UserError(kModel): another size
  /// than the file allows, an operation without a rule.
  ImportedNetwork as_torchscript(const ModelDescription& description, c10::Device device) const;

 private:
  void leave_out_selection(bool of_tensorflow);

  std::string path_;
  std::shared_ptr<ov::Model> model_;
  bool channels_last_ = false;      ///< of its picture
  std::optional<BoxLayout> boxes_;  ///< of a suppression that was left out
  std::string note_;
  std::string embedded_description_;
  std::map<std::string, std::string> metadata_;
  std::string identity_;
};

}  // namespace gradcam
