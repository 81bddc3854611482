#include "stages/explain/graph/detector_layers.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/graph/output_value.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;
using Value = const jit::Value*;
using Size = std::pair<std::int64_t, std::int64_t>;  ///< height, width

/// An activation in the picture's proportions.
struct Map {
  std::string layer;
  Size size;
};

/// Whether a node, or one inside its branches or loop, is a convolution or matrix product.
bool mixes_channels(const jit::Node* node) {
  static const std::set<std::string> kProducts = {"linear", "matmul",  "mm",    "bmm",
                                                  "addmm",  "baddbmm", "einsum"};
  const std::string kind = node->kind().toUnqualString();
  if (kProducts.contains(kind) || kind.find("conv") != std::string::npos) return true;
  for (const jit::Block* block : node->blocks()) {
    for (const jit::Node* inner : block->nodes()) {
      if (mixes_channels(inner)) return true;
    }
  }
  return false;
}

/// The graph as its tensors lead to each other, and the maps among them.
class Tensors {
 public:
  Tensors(const MarkedGraph& marked, const std::vector<MarkedGraph::Shape>& shapes,
          const ModelDescription& description)
      : graph_(*marked.graph()), output_(graph_.outputs().at(0)) {
    const int height = description.input_height;
    const int width = description.input_width;
    // What is read of it: a mask's maps beside the boxes have layers of their own.
    if (const Value chosen =
            output_value(*marked.graph(), marked.graph()->outputs().at(0), description.output)) {
      output_ = chosen;
    }
    for (const Mark& mark : marked.marks()) marks_.insert(mark.node);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const auto& shape = shapes[i].shape;
      if (!shapes[i].obstacle.empty() || shape.size() != 4 || shape[2] * shape[3] <= 1) continue;
      if (shape[0] != 1) continue;  // the heads of an attention, one behind the other
      const std::int64_t skew = std::abs(shape[2] * width - shape[3] * height);
      if (skew > std::max(height, width)) continue;
      add(unmarked(marked.marks()[i].node->input(0)), {shapes[i].layer, {shape[2], shape[3]}});
    }
  }

  /// In the order in which they are computed.
  const std::vector<Value>& maps() const { return order_; }
  const Map* map(Value value) const {
    const auto found = maps_.find(value);
    return found == maps_.end() ? nullptr : &found->second;
  }
  Value output() const { return unmarked(output_); }
  bool is_input(Value value) const { return value == graph_.inputs().at(0); }

  /// The tensors that `starts` come from, those themselves included, not looking behind such as
  /// `stops` says yes to.
  template <class Stops>
  std::vector<Value> behind(const std::vector<Value>& starts, const Stops& stops) const {
    std::vector<Value> waiting = starts;
    std::set<Value> seen(starts.begin(), starts.end());
    std::vector<Value> found;
    while (!waiting.empty()) {
      const Value value = waiting.back();
      waiting.pop_back();
      found.push_back(value);
      if (stops(value)) continue;
      for (const Value before : inputs_of(value->node())) {
        if (seen.insert(before).second) waiting.push_back(before);
      }
    }
    return found;
  }

  /// What the output is computed from without another convolution or matrix product: from there on
  /// a network only decodes and rearranges.
  std::set<Value> predictions() const {
    const auto found = behind({output()}, [](Value v) { return mixes_channels(v->node()); });
    return {found.begin(), found.end()};
  }

  /// Whether every way from `ends` to the input or a map of another size leads through `value`.
  bool all_come_from(const std::vector<Value>& ends, Value value) const {
    const Size size = map(value)->size;
    const auto found = behind(ends, [&](Value v) { return v == value; });
    return std::none_of(found.begin(), found.end(), [&](Value v) {
      const Map* const other = map(v);
      return is_input(v) || (other != nullptr && other->size != size);
    });
  }

 private:
  void add(Value value, const Map& map) {
    const auto [known, is_new] = maps_.insert({value, map});
    if (is_new) order_.push_back(value);
    const auto depth = [](const std::string& name) { return std::ranges::count(name, '.'); };
    if (depth(map.layer) <= depth(known->second.layer)) known->second = map;
  }

  Value unmarked(Value value) const {
    while (marks_.contains(value->node())) value = value->node()->input(0);
    return value;
  }

  static bool holds_tensors(Value value) {
    const auto kind = value->type()->kind();
    return kind == c10::TypeKind::TensorType || kind == c10::TypeKind::ListType ||
           kind == c10::TypeKind::TupleType || kind == c10::TypeKind::DictType;
  }

  /// Those of a branch or loop are all that is read inside.
  std::vector<Value> inputs_of(const jit::Node* node) const {
    std::vector<Value> inputs;
    for (const Value value : node->inputs()) {
      if (holds_tensors(value)) inputs.push_back(unmarked(value));
    }
    for (const jit::Block* block : node->blocks()) {
      for (const jit::Node* inner : block->nodes()) {
        const auto more = inputs_of(inner);
        inputs.insert(inputs.end(), more.begin(), more.end());
      }
    }
    return inputs;
  }

  const jit::Graph& graph_;
  Value output_;
  std::set<const jit::Node*> marks_;
  std::map<Value, Map> maps_;
  std::vector<Value> order_;
};

/// The maps of their size that all of `ends` come from, the last first, without predictions. Those
/// are not told by their channels: a neck may have as many as a branch of the head.
std::vector<Value> shared_maps(const std::vector<Value>& ends, const std::set<Value>& predictions,
                               const Tensors& tensors) {
  const Size size = tensors.map(ends[0])->size;
  std::vector<Value> shared;
  for (auto value = tensors.maps().rbegin(); value != tensors.maps().rend(); ++value) {
    const bool fits = tensors.map(*value)->size == size && !predictions.contains(*value);
    if (fits && tensors.all_come_from(ends, *value)) shared.push_back(*value);
  }
  return shared;
}

struct Level {
  std::vector<Value> ends;    ///< the last maps in front of the output
  std::vector<Value> shared;  ///< nearest the predictions first
};

/// How far in front of the predictions of a level the map is that other levels take, too.
std::optional<std::size_t> place_of_neck(const std::map<Size, Level>& levels, const Size& size,
                                         const Tensors& tensors) {
  std::vector<Value> others;
  for (const auto& [other, level] : levels) {
    if (other != size) others.insert(others.end(), level.ends.begin(), level.ends.end());
  }
  const auto behind = tensors.behind(others, [](Value) { return false; });
  const std::set<Value> taken(behind.begin(), behind.end());
  const auto& shared = levels.at(size).shared;
  const auto found = std::ranges::find_if(shared, [&](Value v) { return taken.contains(v); });
  if (found == shared.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shared.begin());
}

}  // namespace

std::vector<std::string> detector_layers(const Model& model, const ModelDescription& description) {
  const MarkedGraph marked(model, [](const std::string&) { return true; });
  const auto shapes = marked.shapes(description);
  const Tensors tensors(marked, shapes, description);

  std::map<Size, Level> levels;
  const auto is_map = [&](Value value) { return tensors.map(value) != nullptr; };
  for (const Value value : tensors.behind({tensors.output()}, is_map)) {
    if (is_map(value)) levels[tensors.map(value)->size].ends.push_back(value);
  }
  const auto predictions = tensors.predictions();
  for (auto& [size, level] : levels) {
    level.shared = shared_maps(level.ends, predictions, tensors);
  }
  std::erase_if(levels, [](const auto& level) { return level.second.shared.empty(); });

  std::map<Size, std::size_t> places;
  for (const auto& [size, level] : levels) {
    if (const auto place = place_of_neck(levels, size, tensors)) places[size] = *place;
  }
  std::size_t usual = 0;
  const auto least =
      std::ranges::min_element(places, {}, [](const auto& place) { return place.second; });
  if (least != places.end()) usual = least->second;

  std::vector<std::string> layers;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    const auto& shared = level->second.shared;
    const auto place = places.find(level->first);
    const std::size_t wanted = place == places.end() ? usual : place->second;
    layers.push_back(tensors.map(shared[std::min(wanted, shared.size() - 1)])->layer);
  }
  return layers;
}

}  // namespace gradcam
