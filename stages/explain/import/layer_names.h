#pragma once

#include <map>
#include <memory>
#include <openvino/core/node.hpp>
#include <string>
#include <vector>

namespace gradcam {

/// The names by which the values of a network can be asked for as layers, those of outer modules
/// first: where a file keeps the paths of PyTorch's modules ("/layer4/layer4.2/relu_2/Relu" of its
/// older ONNX exporter, what note_modules() noted of its newer one, "__module.layer4.2.relu" of
/// OpenVINO's converter), the value that a module ends with has the module's name, "layer4". A node
/// without a name of its own, as all of TFLite, is counted by its type, "Relu_3": what OpenVINO
/// calls it changes from read to read.
/// `nodes`: what depends on the picture and is not half of a layer (halves_of_layers.h), in the
/// order of the computation.
std::map<const ov::Node*, std::vector<std::string>> layer_names(
    const std::vector<std::shared_ptr<ov::Node>>& nodes);

}  // namespace gradcam
