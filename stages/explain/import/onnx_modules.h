#pragma once

#include <map>
#include <memory>
#include <string>

namespace ov {
class Model;
class Node;
}  // namespace ov

namespace gradcam {

/// What an ONNX file tells that OpenVINO leaves out.
struct OnnxNotes {
  std::string producer;  ///< who wrote it: "pytorch", "tf2onnx"
  /// The module of PyTorch that a node lies in, by the name of the node and by that of what it
  /// gives: {"node_relu_48", "layer4.2.relu"}. Only PyTorch's newer exporter notes it
  /// (pkg.torch.onnx.name_scopes in the node's metadata_props).
  std::map<std::string, std::string> modules;
};

/// Reads the file front to back without its weights. What cannot be read is left out: never throws.
OnnxNotes read_onnx_notes(const std::string& path);

/// Notes in the nodes of the model in which modules they lie. Copies of the model keep it.
void note_modules(const ov::Model& model, const std::map<std::string, std::string>& modules);

/// What note_modules() noted; empty = nothing, or the node lies in no module.
std::string noted_module(const ov::Node& node);

}  // namespace gradcam
