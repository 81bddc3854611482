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
  bool tokens = false;              ///< one picture's [1, T, C], whose tokens lie in a grid

  /// What a heat map can be made of: one picture's [1, C, h, w] with more than one place, or
  /// tokens.
  bool spatial() const { return tokens || (shape.size() == 4 && shape[2] * shape[3] > 1); }
};

/// All sub-modules in the order of their last call, with shapes found by one run on a zero input of
/// the size and channels of the description. Throws UserError(kModel) if that run fails or nothing
/// has a name.
std::vector<Layer> list_layers(const Model& model, const ModelDescription& description);

/// The last cuttable layer whose output is a map [1, C, h, w] or [1, h, w, C], and if any is, in
/// the proportions of the picture: where Grad-CAM is usually taken. Throws UserError(kModel) when
/// there is none.
std::string automatic_layer(const std::vector<Layer>& layers, const ModelDescription& description,
                            const std::string& model_path);

/// The same where tokens count, too. Of a network that has some it is the last layer through which
/// all goes that the output is made of, and of which every place counts: in front of the last block
/// if a class token alone is read behind it, the last norm if the mean of all tokens is. Whether a
/// place counts is seen by one run of the network and back.
std::string automatic_layer(const Model& model, const ModelDescription& description);

}  // namespace gradcam
