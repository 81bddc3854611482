#include "stages/explain/import/front_of_selection.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/util/op_types.hpp>
#include <set>
#include <stdexcept>
#include <vector>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/known_values.h"

namespace gradcam {
namespace {

using Port = ov::Output<ov::Node>;
using Ports = std::vector<Port>;

bool is_one_of(const ov::Node& node, const std::set<std::string>& types) {
  return types.contains(node.get_type_name());
}

/// Takes boxes [1, N, 4] and scores [1, C, N].
bool is_suppression(const ov::Node& node) {
  static const std::set<std::string> kTypes = {"MatrixNms", "MulticlassNms", "NonMaxSuppression"};
  return is_one_of(node, kTypes);
}

/// The node, or one in the branches of an If, as torchvision's detectors have it; null = none.
const ov::Node* suppression_in(const ov::Node& node) {
  if (is_suppression(node)) return &node;
  const auto* const parts = ov::as_type<const ov::op::util::MultiSubGraphOp>(&node);
  if (parts == nullptr) return nullptr;
  for (const auto& body : parts->get_functions()) {
    for (const auto& inner : body->get_ops()) {
      if (const ov::Node* const found = suppression_in(*inner)) return found;
    }
  }
  return nullptr;
}

/// Whether it mixes channels: in front of it a network has features, behind it predictions.
bool is_convolution(const ov::Node& node) {
  static const std::set<std::string> kTypes = {"Convolution", "ConvolutionBackpropData",
                                               "DeformableConvolution", "GroupConvolution",
                                               "GroupConvolutionBackpropData"};
  return is_one_of(node, kTypes);
}

bool is_of_regions(const ov::Node& node) {
  static const std::set<std::string> kTypes = {"ExperimentalDetectronROIFeatureExtractor",
                                               "PSROIPooling", "ROIAlign", "ROIPooling"};
  return is_one_of(node, kTypes);
}

bool only_moves_numbers(const ov::Node& node) {
  static const std::set<std::string> kTypes = {"Convert", "Reshape", "Squeeze", "Transpose",
                                               "Unsqueeze"};
  return is_one_of(node, kTypes);
}

std::optional<std::int64_t> length(const ov::PartialShape& shape, std::size_t axis) {
  if (shape.rank().is_dynamic() || axis >= shape.size() || shape[axis].is_dynamic()) {
    return std::nullopt;
  }
  return shape[axis].get_length();
}

std::size_t dims(const Port& port) {
  const ov::PartialShape& shape = port.get_partial_shape();
  return shape.rank().is_dynamic() ? 0 : shape.size();
}

Port column_constant(const std::vector<float>& values) {
  return ov::op::v0::Constant::create(ov::element::f32, {1, 1, values.size()}, values);
}

Port whole_constant(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

Port columns(const Port& from, const std::vector<std::int64_t>& which) {
  const auto axis = ov::op::v0::Constant::create(ov::element::i64, {}, {2});
  return std::make_shared<ov::op::v8::Gather>(from, whole_constant(which), axis);
}

class Selection {
 public:
  explicit Selection(const ov::Model& model) : known_(model) {
    for (const auto& node : model.get_ordered_ops()) {
      order_[node.get()] = order_.size();
      if (node->get_output_size() == 0 || !known_.depends_on_picture(node->output(0))) continue;
      const ov::Node* const here = suppression_in(*node);
      bool later = here != nullptr || node->get_type_name() == std::string("NonZero");
      for (const auto& input : node->inputs()) {
        later = later || behind_.contains(input.get_source_output().get_node());
      }
      if (later) behind_.insert(node.get());
      if (suppression_ == nullptr) suppression_ = here;
      if (later && is_of_regions(*node)) regions_ = node.get();
    }
  }

  const ov::Node* suppression() const { return suppression_; }
  /// What works on the regions that were chosen; null = nothing.
  const ov::Node* regions() const { return regions_; }
  bool is_behind(const ov::Node& node) const { return behind_.contains(&node); }

  /// The numbers and answers that the choice takes from what lies in front of it.
  Ports frontier() const {
    std::set<Port> found;
    for (const ov::Node* node : behind_) {
      for (const auto& input : node->inputs()) {
        const Port source = input.get_source_output();
        const ov::element::Type& type = source.get_element_type();
        const bool counts = type.is_real() || type == ov::element::boolean;
        if (counts && known_.depends_on_picture(source) && !is_behind(*source.get_node()))
          found.insert(source);
      }
    }
    return {found.begin(), found.end()};
  }

  /// The last value that all of `ends` come from and that `fits`, with nothing but decoding behind.
  template <typename Fits>
  std::optional<Port> common(const Ports& ends, const Fits& fits) {
    Ports candidates;
    walk(ends, [&](const Port& port) {
      if (fits(port)) candidates.push_back(port);
      return is_convolution(*port.get_node()) || is_linear(*port.get_node());
    });
    std::ranges::sort(candidates, std::greater<>(),
                      [&](const Port& port) { return order_.at(port.get_node()); });
    const auto found = std::ranges::find_if(candidates, [&](const Port& candidate) {
      bool all = true;
      walk(ends, [&](const Port& port) {
        all = all && !ov::op::util::is_parameter(port.get_node());
        return port == candidate || !all;
      });
      return all;
    });
    return found == candidates.end() ? std::nullopt : std::optional(*found);
  }

  /// What is chosen from the last dimension of `scores`, column by column: the only one that never
  /// is is that of the background.
  int background_of(const Port& scores) {
    const std::size_t last = dims(scores) - 1;
    const auto classes = length(scores.get_partial_shape(), last).value_or(0);
    std::set<std::int64_t> taken;
    for (const auto& input : scores.get_target_inputs()) {
      const ov::Node& taker = *input.get_node();
      if (!is_one_of(taker, {"Gather"}) || input.get_index() != 0) return -1;
      const auto column = known_numbers(taker, 1);
      const auto axis = known_numbers(taker, 2);
      if (column.size() != 1 || axis.size() != 1) return -1;
      if (axis[0] != static_cast<std::int64_t>(last) && axis[0] != -1) return -1;
      taken.insert(column[0] < 0 ? column[0] + classes : column[0]);
    }
    if (static_cast<std::int64_t>(taken.size()) + 1 != classes) return -1;
    std::int64_t missing = 0;
    while (taken.contains(missing)) ++missing;
    return static_cast<int>(missing);
  }

  std::vector<std::int64_t> known_numbers(const ov::Node& node, std::size_t input) {
    const Port source = node.input_value(input);
    if (known_.depends_on_picture(source)) return {};
    const at::Tensor values = known_.of(source).to(at::kLong).contiguous();
    const auto* const data = values.const_data_ptr<std::int64_t>();
    return {data, data + values.numel()};
  }

 private:
  /// Visits what `ends` come from, each value once, not looking behind those that `stops` says yes
  /// to.
  template <typename Stops>
  void walk(const Ports& ends, const Stops& stops) const {
    Ports waiting = ends;
    std::set<Port> seen(ends.begin(), ends.end());
    while (!waiting.empty()) {
      const Port port = waiting.back();
      waiting.pop_back();
      if (stops(port)) continue;
      for (const auto& input : port.get_node()->inputs()) {
        const Port source = input.get_source_output();
        if (!known_.depends_on_picture(source) || is_one_of(*source.get_node(), {"ShapeOf"})) {
          continue;
        }
        if (seen.insert(source).second) waiting.push_back(source);
      }
    }
  }

  bool is_linear(const ov::Node& node) const {
    return is_one_of(node, {"MatMul"}) && !known_.depends_on_picture(node.input_value(1));
  }

  KnownValues known_;
  std::map<const ov::Node*, std::size_t> order_;
  std::set<const ov::Node*> behind_;
  const ov::Node* suppression_ = nullptr;
  const ov::Node* regions_ = nullptr;
};

/// [1, 4+C, N] or [1, N, 4+C], all predictions in one.
bool holds_predictions(const Port& port) {
  const ov::PartialShape& shape = port.get_partial_shape();
  if (!port.get_element_type().is_real() || dims(port) != 3 || length(shape, 0).value_or(1) != 1) {
    return false;
  }
  const auto first = length(shape, 1);
  const auto second = length(shape, 2);
  if (first == second) return false;
  constexpr std::int64_t kCornersAndScore = 5;
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  return std::min(first.value_or(most), second.value_or(most)) >= kCornersAndScore;
}

bool holds_boxes(const Port& port) {
  const std::size_t count = dims(port);
  return port.get_element_type().is_real() && (count == 2 || count == 3) &&
         length(port.get_partial_shape(), count - 1) == 4;
}

struct BoxesAndScores {
  Port boxes;   ///< [N, 4] or [1, N, 4]
  Port scores;  ///< [N, C], [1, N, C] or [1, C, N]
  bool classes_last = true;
  bool centres = false;  ///< cx, cy, w, h
  int background = -1;
};

/// What a suppression takes that looks at the network's numbers as they are.
std::optional<BoxesAndScores> taken_by(const Selection& selection) {
  const ov::Node& node = *selection.suppression();
  if (!selection.is_behind(node)) return std::nullopt;  // it is part of an If
  BoxesAndScores found{node.input_value(0), node.input_value(1), /*classes_last=*/false};
  if (selection.is_behind(*found.boxes.get_node()) ||
      selection.is_behind(*found.scores.get_node())) {
    return std::nullopt;
  }
  found.centres = Attributes(node).text("box_encoding", "corner") == "center";
  return found;
}

/// Where boxes are sorted out before: each by its score, class by class.
std::optional<BoxesAndScores> in_frontier(Selection& selection, const Ports& frontier) {
  Ports boxes;
  Ports others;
  for (const Port& port : frontier) (holds_boxes(port) ? boxes : others).push_back(port);
  if (boxes.size() != 1 || others.empty()) return std::nullopt;
  const auto count = length(boxes[0].get_partial_shape(), dims(boxes[0]) - 2);
  if (!count) return std::nullopt;
  const auto scores = selection.common(others, [&](const Port& port) {
    const std::size_t last = dims(port);
    return port.get_element_type().is_real() && (last == 2 || last == 3) &&
           length(port.get_partial_shape(), last - 2) == count &&
           length(port.get_partial_shape(), last - 1).has_value();
  });
  if (!scores) return std::nullopt;
  BoxesAndScores found{boxes[0], *scores};
  found.background = selection.background_of(*scores);
  return found;
}

/// Takes a softmax or sigmoid out that the scores end in: shares near 0 or 1 have hardly a gradient
/// left. What makes shares of them from then on.
ScoreActivation take_activation_out(Selection& selection, BoxesAndScores& found) {
  const auto classes =
      length(found.scores.get_partial_shape(), dims(found.scores) - (found.classes_last ? 1 : 2));
  ov::Node* node = found.scores.get_node();
  const auto is_one_picture = [&](const ov::Node& gather) {
    if (!is_one_of(gather, {"Gather"})) return false;
    const auto axis = selection.known_numbers(gather, 2);
    return axis.size() == 1 && axis[0] == 0;
  };
  while (only_moves_numbers(*node) || is_one_picture(*node)) node = node->get_input_node_ptr(0);
  ScoreActivation activation = ScoreActivation::kNone;
  if (is_one_of(*node, {"Sigmoid"})) activation = ScoreActivation::kSigmoid;
  if (is_one_of(*node, {"Softmax"})) {
    const ov::PartialShape& shape = node->get_output_partial_shape(0);
    const std::int64_t axis = Attributes(*node).integer("axis", 1);
    const auto along = axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis;
    if (length(shape, static_cast<std::size_t>(along)) == classes) {
      activation = ScoreActivation::kSoftmax;
    }
  }
  if (activation == ScoreActivation::kNone) return activation;
  if (found.scores.get_node() == node) found.scores = node->input_value(0);
  node->output(0).replace(node->input_value(0));
  return activation;
}

/// Boxes as x1, y1, x2, y2 in pixels, [1, N, 4].
Port corners(const ov::Model& model, const BoxesAndScores& found, const BoxConvention& convention) {
  Port boxes =
      std::make_shared<ov::op::v1::Reshape>(found.boxes, whole_constant({1, -1, 4}), false);
  if (found.centres) {
    const Port half = column_constant({-0.5F, -0.5F, 0.5F, 0.5F});
    const Port reach = std::make_shared<ov::op::v1::Multiply>(columns(boxes, {2, 3, 2, 3}), half);
    boxes = std::make_shared<ov::op::v1::Add>(columns(boxes, {0, 1, 0, 1}), reach);
  }
  if (convention.rows_first) boxes = columns(boxes, {1, 0, 3, 2});
  if (!convention.shares) return boxes;
  const ov::PartialShape& picture = model.input().get_partial_shape();
  const bool last = length(picture, 1) != 1 && length(picture, 1) != 3;
  const auto height = length(picture, last ? 1 : 2);
  const auto width = length(picture, last ? 2 : 3);
  if (!height || !width) throw std::runtime_error("gives boxes as shares of a picture of any size");
  const auto w = static_cast<float>(*width);
  const auto h = static_cast<float>(*height);
  return std::make_shared<ov::op::v1::Multiply>(boxes, column_constant({w, h, w, h}));
}

FrontOfSelection joined(const ov::Model& model, Selection& selection, BoxesAndScores found,
                        const BoxConvention& convention) {
  BoxLayout layout;
  layout.format = BoxFormat::kRawHeads;
  layout.background = found.background;
  layout.scores = take_activation_out(selection, found);
  Port scores = found.scores;
  if (dims(scores) == 2) {
    const auto classes = length(scores.get_partial_shape(), 1).value_or(-1);
    scores = std::make_shared<ov::op::v1::Reshape>(scores, whole_constant({1, -1, classes}), false);
  } else if (!found.classes_last) {
    scores = std::make_shared<ov::op::v1::Transpose>(scores, whole_constant({0, 2, 1}));
  }
  const auto all = std::make_shared<ov::op::v0::Concat>(
      ov::OutputVector{corners(model, found, convention), scores}, 2);
  all->set_friendly_name("boxes_and_scores");
  return {std::make_shared<ov::Model>(ov::OutputVector{all}, model.get_parameters()), layout, ""};
}

}  // namespace

std::optional<FrontOfSelection> in_front_of_selection(const ov::Model& model,
                                                      const BoxConvention& convention) {
  Selection selection(model);
  if (selection.suppression() == nullptr) return std::nullopt;
  const std::string name = named(*selection.suppression());
  if (selection.regions() != nullptr) {
    throw std::runtime_error("chooses regions by " + name + " and looks into them by " +
                             named(*selection.regions()) +
                             ": no gradient leads through the choice of a detector of two stages");
  }
  const auto whole = [&](const BoxesAndScores& found) {
    FrontOfSelection front = joined(model, selection, found, convention);
    front.left_out = name;
    return front;
  };
  if (const auto taken = taken_by(selection)) return whole(*taken);
  const Ports frontier = selection.frontier();
  if (auto predictions = selection.common(frontier, holds_predictions)) {
    while (is_one_of(*predictions->get_node(), {"Transpose"})) {
      predictions = predictions->get_node()->input_value(0);
    }
    ov::OutputVector outputs{*predictions};
    for (const auto& result : model.get_results()) {
      const Port output = result->input_value(0);
      if (!selection.is_behind(*output.get_node())) outputs.push_back(output);
    }
    return FrontOfSelection{std::make_shared<ov::Model>(outputs, model.get_parameters()),
                            std::nullopt, name};
  }
  if (const auto apart = in_frontier(selection, frontier)) return whole(*apart);
  throw std::runtime_error("chooses boxes by " + name +
                           ", and no boxes and scores of all are to be found in front of it: "
                           "export the network without the suppression");
}

}  // namespace gradcam
