#include "stages/explain/graph/split_graph.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "stages/explain/graph/output_value.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

bool is_tensor(const jit::Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

/// Operations whose effect lasts beyond their output, in lists or outside the graph.
bool has_lasting_effect(const jit::Node* node) {
  static const std::set<c10::Symbol> kChanging = {c10::aten::_set_item,
                                                  c10::Symbol::fromQualString("aten::append"),
                                                  c10::Symbol::fromQualString("aten::insert"),
                                                  c10::Symbol::fromQualString("aten::extend"),
                                                  c10::Symbol::fromQualString("aten::pop"),
                                                  c10::Symbol::fromQualString("aten::clear"),
                                                  c10::prim::Print,
                                                  c10::prim::RaiseException};
  return kChanging.count(node->kind()) > 0 || !node->blocks().empty();
}

/// Reads a number of its first input, a tensor.
bool reads_a_number(const jit::Node* node) {
  static const std::set<std::string> kReading = {"aten::item",
                                                 "aten::Int",
                                                 "aten::Float",
                                                 "aten::Bool",
                                                 "aten::Complex",
                                                 "aten::IntImplicit",
                                                 "aten::FloatImplicit",
                                                 "aten::ScalarImplicit",
                                                 "aten::ComplexImplicit",
                                                 "aten::is_nonzero",
                                                 "prim::tolist",
                                                 "aten::_local_scalar_dense"};
  return kReading.count(node->kind().toQualString()) > 0 && is_tensor(node->input(0));
}

/// Compares on the CPU, goes there, or gives as many values as it finds.
bool needs_the_values(const jit::Node* node) {
  static const std::set<std::string> kNeeding = {"aten::equal",
                                                 "aten::allclose",
                                                 "aten::cpu",
                                                 "aten::nonzero",
                                                 "aten::nonzero_numpy",
                                                 "aten::argwhere",
                                                 "aten::index",
                                                 "aten::index_put",
                                                 "aten::index_put_",
                                                 "aten::masked_select",
                                                 "aten::_unique2",
                                                 "aten::unique_dim",
                                                 "aten::unique_consecutive",
                                                 "aten::bincount",
                                                 "aten::repeat_interleave"};
  return kNeeding.count(node->kind().toQualString()) > 0;
}

/// A number of a shape as a tensor, or computed from such: it is on the CPU.
bool is_of_a_shape(const jit::Value* value) {
  const jit::Node* const node = value->node();
  if (node->kind() == c10::prim::NumToTensor) return true;
  if (node->kind() == c10::prim::Constant || node->kind() == c10::prim::Param) return false;
  bool any = false;
  for (const jit::Value* input : node->inputs()) {
    if (!is_tensor(input) || input->node()->kind() == c10::prim::Constant) continue;
    if (!is_of_a_shape(input)) return false;
    any = true;
  }
  return any;
}

/// Thrown where a value cannot be had on its side of the cut.
struct CannotSplit {};

/// One half under construction: nodes of the whole, cloned with their inputs.
class Half {
 public:
  jit::Value* input(jit::Value* original) {
    jit::Value* const added = graph->addInput();
    added->setType(original->type());
    return copies_[original] = added;
  }
  bool has(jit::Value* original) const { return copies_.count(original) > 0; }
  /// Clones the node; its inputs must be there, or are constants and numbers, which are cloned too.
  void append(jit::Node* node) {
    jit::Node* const copy = graph->createClone(node, [this](jit::Value* v) { return of(v); });
    graph->appendNode(copy);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      copies_[node->outputs()[i]] = copy->outputs()[i];
    }
  }
  jit::Value* of(jit::Value* original) {
    if (const auto found = copies_.find(original); found != copies_.end()) return found->second;
    jit::Node* const producer = original->node();
    const bool cheap = producer->kind() == c10::prim::Constant || !is_tensor(original);
    if (!cheap || producer->kind() == c10::prim::Param || has_lasting_effect(producer)) {
      throw CannotSplit();
    }
    append(producer);
    return copies_.at(original);
  }

  /// Another value of the whole stands for the same as this one.
  void alias(jit::Value* other, jit::Value* original) { copies_[other] = of(original); }
  void return_tuple(const std::vector<jit::Value*>& results) {
    jit::Node* const tuple = graph->createTuple(results);
    graph->appendNode(tuple);
    graph->registerOutput(tuple->output());
  }

  std::shared_ptr<jit::Graph> graph = std::make_shared<jit::Graph>();

 private:
  std::unordered_map<jit::Value*, jit::Value*> copies_;
};

/// The tensors that `nodes` need from outside, besides constants: through lists and numbers too.
void collect_frontier(jit::Value* value, const std::set<const jit::Node*>& behind,
                      std::vector<jit::Value*>& frontier) {
  jit::Node* const producer = value->node();
  if (behind.count(producer) > 0 || producer->kind() == c10::prim::Constant) return;
  if (is_tensor(value)) {
    if (std::find(frontier.begin(), frontier.end(), value) == frontier.end()) {
      frontier.push_back(value);
    }
    return;
  }
  for (jit::Value* input : producer->inputs()) collect_frontier(input, behind, frontier);
}

/// What lies behind the marks, those themselves included, and the marks that no other is behind.
struct Behind {
  std::vector<jit::Node*> nodes;
  std::set<const jit::Node*> set;
  std::vector<Mark> first;
  std::vector<Mark> later;
};

Behind behind(jit::Graph& whole, const std::vector<Mark>& marks) {
  Behind found;
  for (jit::Node* node : whole.nodes()) {
    const bool depends =
        std::any_of(node->inputs().begin(), node->inputs().end(),
                    [&](const jit::Value* input) { return found.set.count(input->node()) > 0; });
    if (has_lasting_effect(node)) throw CannotSplit();
    const auto mark = std::ranges::find(marks, node, &Mark::node);
    if (mark != marks.end()) (depends ? found.later : found.first).push_back(*mark);
    if (!depends && mark == marks.end()) continue;
    found.nodes.push_back(node);
    found.set.insert(node);
  }
  return found;
}

/// As SplitGraph::whole. `values`: what features give.
std::shared_ptr<jit::Graph> whole_of(jit::Graph& network, const Behind& cut,
                                     const std::vector<jit::Value*>& values,
                                     const OutputChoice& output) {
  Half all;
  all.input(network.inputs().at(0));
  for (jit::Node* node : network.nodes()) {
    const bool is_mark = std::ranges::count(cut.first, node, &Mark::node) > 0 ||
                         std::ranges::count(cut.later, node, &Mark::node) > 0;
    if (is_mark) {
      all.alias(node->output(), node->input(0));
    } else {
      all.append(node);
    }
  }
  std::vector<jit::Value*> results;
  for (jit::Value* value : values) results.push_back(all.of(value));
  for (const Mark& mark : cut.later) results.push_back(all.of(mark.node->input(0)));
  results.push_back(output_value(*all.graph, all.of(network.outputs().at(0)), output));
  if (results.back() == nullptr) return nullptr;
  all.return_tuple(results);
  return all.graph;
}

SplitGraph split_at(jit::Graph& whole, const std::vector<Mark>& marks, const OutputChoice& output) {
  const Behind cut = behind(whole, marks);
  SplitGraph halves;
  std::vector<jit::Value*> values;
  for (const Mark& mark : cut.first) {
    halves.layers[mark.layer] = {false, values.size()};
    values.push_back(mark.node->input(0));
  }
  for (jit::Node* node : cut.nodes) {
    for (jit::Value* input : node->inputs()) collect_frontier(input, cut.set, values);
  }

  Half features;
  features.input(whole.inputs().at(0));
  for (jit::Node* node : whole.nodes()) {
    if (cut.set.count(node) == 0) features.append(node);
  }
  std::vector<jit::Value*> results;
  results.reserve(values.size());
  for (jit::Value* value : values) results.push_back(features.of(value));
  features.return_tuple(results);

  Half head;
  for (jit::Value* value : values) head.input(value);
  for (jit::Node* node : cut.nodes) head.append(node);
  head.graph->registerOutput(head.of(whole.outputs().at(0)));
  std::vector<jit::Value*> inner;
  for (const Mark& mark : cut.later) {
    halves.layers[mark.layer] = {true, inner.size()};
    inner.push_back(head.of(mark.node->input(0)));
  }
  if (!inner.empty()) return_also(*head.graph, inner);
  halves.features = features.graph;
  halves.head = head.graph;
  halves.whole = whole_of(whole, cut, values, output);
  return halves;
}

}  // namespace

std::size_t SplitGraph::count(bool in_head) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      layers, [&](const auto& layer) { return layer.second.in_head == in_head; }));
}

std::optional<SplitGraph> split(const MarkedGraph& marked, const OutputChoice& output) {
  const auto whole = marked.graph()->copy();
  const auto marks = marks_of(*whole);
  if (marks.empty() || std::ranges::any_of(marks, &Mark::in_control_flow)) return std::nullopt;
  try {
    return split_at(*whole, marks, output);
  } catch (const CannotSplit&) {
    return std::nullopt;
  }
}

bool waits_for_device(const jit::Block& block) {
  return std::ranges::any_of(block.nodes(), [](const jit::Node* node) {
    return needs_the_values(node) || (reads_a_number(node) && !is_of_a_shape(node->input(0)));
  });
}

}  // namespace gradcam
