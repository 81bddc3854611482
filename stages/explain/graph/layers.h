#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

namespace gradcam {

/// One sub-module, named as Python's named_modules() names it.
struct Layer {
  std::string name;
  std::string type;                 ///< class name: Conv2d, Bottleneck …
  std::vector<std::int64_t> shape;  ///< of its output for one picture; empty if it is no tensor
  std::string obstacle;             ///< why no cut is possible there; empty if one is

  /// One picture's [1, C, h, w] with more than one place: what a heat map can be made of.
  bool spatial() const { return shape.size() == 4 && shape[2] * shape[3] > 1; }
};

/// All sub-modules in the order of their last call, with shapes found by one run on a zero input of
/// the size and channels of the description. Throws UserError(kModel) if that run fails or nothing
/// has a name.
std::vector<Layer> list_layers(const Model& model, const ModelDescription& description);

/// The last cuttable layer whose output is spatial, and if any is, in the proportions of the
/// picture: where Grad-CAM is usually taken. Throws UserError(kModel) when there is none.
std::string automatic_layer(const std::vector<Layer>& layers, const ModelDescription& description,
                            const std::string& model_path);

}  // namespace gradcam
