#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stages/frame/description.h"

namespace ov {
class Model;
}

namespace gradcam {

/// How a network in which boxes are chosen gives them to the suppression.
struct BoxConvention {
  bool rows_first = false;  ///< y1, x1, y2, x2 (TensorFlow), not x1, y1, x2, y2 (PyTorch)
  bool shares = false;      ///< of the picture's height and width, not pixels
};

/// A detector without the non-maximum suppression it ended in, which has no gradient.
struct FrontOfSelection {
  /// Its first output holds all boxes: the predictions of the network itself, as it would give them
  /// if it were exported without the suppression ([1, 4+C, N], [1, N, 5+C]; what that is must be
  /// said), or if those are nowhere together, boxes and scores joined as `layout` says.
  std::shared_ptr<ov::Model> model;
  std::optional<BoxLayout> layout;
  std::string left_out;  ///< "NonMaxSuppression (nms)"
};

/// Takes a model that chooses among boxes apart in front of that; `model` itself is of no use
/// afterwards. nullopt: it does not choose, and is as it was. Throws std::runtime_error that names
/// the operation: behind the choice lies more than choosing, as in a detector of two stages, or
/// there are no boxes in front of it.
std::optional<FrontOfSelection> in_front_of_selection(const ov::Model& model,
                                                      const BoxConvention& convention);

}  // namespace gradcam
