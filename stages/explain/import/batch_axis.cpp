#include "stages/explain/import/batch_axis.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <sstream>
#include <string>

#include "stages/explain/import/attributes.h"

namespace gradcam {
namespace {

using Axis = std::optional<std::size_t>;

/// Numbers keep their order: the dimension in front of which lie as many numbers as before.
Axis behind_reshape(std::size_t axis, const ov::Shape& from, const ov::Shape& to) {
  const auto in_front = [](const ov::Shape& shape, std::size_t dims) {
    return std::accumulate(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(dims),
                           std::size_t{1}, std::multiplies<>());
  };
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (in_front(to, i) == in_front(from, axis)) return i;
  }
  return std::nullopt;
}

Axis behind_transpose(std::size_t axis, const Ints& order, std::size_t dims) {
  if (order.empty()) return dims - 1 - axis;
  const auto found = std::ranges::find(order, static_cast<std::int64_t>(axis));
  return found == order.end() ? Axis() : static_cast<std::size_t>(found - order.begin());
}

/// Behind a reduction that takes these axes away.
Axis behind_removal(std::size_t axis, const Ints& removed, std::size_t dims) {
  std::size_t in_front = 0;
  for (const std::int64_t each : removed) {
    const std::size_t at = from_front(each, dims);
    if (at == axis) return std::nullopt;
    in_front += at < axis ? 1 : 0;
  }
  return axis - in_front;
}

/// Of data and places, whose first `shared` dimensions are the same. `behind`: how many dimensions
/// of the data places are chosen in, or behind the last such.
struct Choice {
  std::size_t shared;
  std::size_t first;
  std::size_t behind;
};

Axis behind_choice(const GraphBuilder& b, const ov::Node& node, const Choice& choice) {
  const Axis data = b.batch_axis(*node.get_input_node_ptr(0));
  const Axis index = b.batch_axis(*node.get_input_node_ptr(1));
  const bool of_data = b.depends_on_picture(node.input_value(0));
  const bool of_index = b.depends_on_picture(node.input_value(1));
  if (of_data && of_index) return data == index && data < choice.shared ? data : std::nullopt;
  if (of_index) {
    if (!index || *index < choice.shared) return index;
    return choice.first + *index - choice.shared;
  }
  if (!data || *data < choice.first) return data;
  if (*data < choice.behind) return std::nullopt;
  // Those behind the chosen ones stay the last.
  return node.get_output_shape(0).size() - (node.get_input_shape(0).size() - *data);
}

Axis behind_gather(GraphBuilder& b, const ov::Node& node) {
  const std::size_t along = from_front(b.ints(node, 2).at(0), node.get_input_shape(0).size());
  const std::size_t shared =
      from_front(Attributes(node).integer("batch_dims"), node.get_input_shape(1).size());
  return behind_choice(b, node, {shared, along, along + 1});
}

Axis behind_gather_nd(const GraphBuilder& b, const ov::Node& node) {
  const auto shared = static_cast<std::size_t>(Attributes(node).integer("batch_dims"));
  const ov::Shape& index = node.get_input_shape(1);
  const std::size_t kept = node.get_input_shape(0).size() - shared - index.back();
  // Operation set 5 makes one dimension of the shared ones.
  const bool one = node.get_output_shape(0).size() != index.size() - 1 + kept;
  const Axis axis = behind_choice(b, node, {shared, shared, shared + index.back()});
  return one && axis && *axis > 0 && *axis < shared ? std::nullopt : axis;
}

/// The dimension whose letter is that of the pictures.
Axis behind_einsum(const GraphBuilder& b, const ov::Node& node) {
  std::string equation = Attributes(node).text("equation");
  std::erase(equation, ' ');
  const auto arrow = equation.find("->");
  if (equation.find('.') != std::string::npos || arrow == std::string::npos) return std::nullopt;
  std::istringstream operands(equation.substr(0, arrow));
  const std::string result = equation.substr(arrow + 2);
  std::string letters;
  for (std::size_t i = 0; std::getline(operands, letters, ','); ++i) {
    const Axis axis = b.batch_axis(*node.get_input_node_ptr(i));
    if (!axis) continue;
    const auto found = result.find(letters.at(*axis));
    return found == std::string::npos ? Axis() : found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> batch_axis_behind(GraphBuilder& b, const ov::Node& node) {
  // Of several inputs the one with the most dimensions: the others are broadcast to it.
  Axis axis;
  ov::Shape from;
  for (std::size_t i = 0; i < node.get_input_size(); ++i) {
    const Axis own = b.batch_axis(*node.get_input_node_ptr(i));
    if (!own || (axis && node.get_input_shape(i).size() <= from.size())) continue;
    axis = own;
    from = node.get_input_shape(i);
  }
  if (!axis || node.get_output_size() == 0) return std::nullopt;
  const std::string type = node.get_type_name();
  const ov::Shape& to = node.get_output_shape(0);
  if (type == "Reshape" || type == "Squeeze" || type == "Unsqueeze") {
    return behind_reshape(*axis, from, to);
  }
  if (type == "Transpose") return behind_transpose(*axis, b.ints(node, 1), from.size());
  if (type == "Gather") return behind_gather(b, node);
  if (type == "GatherND") return behind_gather_nd(b, node);
  if (type == "Einsum") return behind_einsum(b, node);
  if (to.size() < from.size()) {
    if (type.starts_with("Reduce")) return behind_removal(*axis, b.ints(node, 1), from.size());
    return *axis == 0 ? axis : std::nullopt;
  }
  if (type == "StridedSlice" && to.size() > from.size()) return *axis == 0 ? axis : std::nullopt;
  return *axis + (to.size() - from.size());  // broadcasting aligns the last dimensions
}

}  // namespace gradcam
