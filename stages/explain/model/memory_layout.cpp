#include "stages/explain/model/memory_layout.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>

#include "stages/explain/model/module_graphs.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;
using Nodes = std::vector<jit::Node*>;

/// A view by sizes; view(dtype) reads the bytes anew.
bool is_view(const jit::Node* node) {
  if (node->kind() == c10::aten::view_as) return true;
  return node->kind() == c10::aten::view &&
         node->input(1)->type()->kind() == c10::TypeKind::ListType;
}

/// Asks how a tensor lies in memory, or says how it shall.
bool knows_strides(const jit::Node* node) {
  static const std::set<std::string> kKnowing = {
      "aten::as_strided",     "aten::as_strided_",   "aten::as_strided_copy",
      "aten::_reshape_alias", "aten::_unsafe_view",  "aten::view_as_complex",
      "aten::resize_",        "aten::resize_as_",    "aten::set_",
      "aten::stride",         "aten::is_contiguous", "aten::storage_offset"};
  if (node->kind() == c10::aten::view) return !is_view(node);
  return kKnowing.contains(node->kind().toQualString());
}

/// The names that a tensor has behind a view: those that come from the view, and the others.
class Names {
 public:
  Names(const jit::AliasDb& aliases, jit::Node* view) : aliases_(aliases), view_(view->output()) {
    from_view_.insert(view_);
  }

  bool is_name(const jit::Value* value) const { return aliases_.mayAlias(value, view_); }
  bool comes_from_view(const jit::Value* value) const { return from_view_.count(value) > 0; }

  /// Is told of each node behind the view, in order.
  void follow(const jit::Node* node) {
    for (const jit::Value* output : node->outputs()) {
      if (is_name(output) && std::ranges::any_of(sources_of(node, output), [&](const auto* value) {
            return comes_from_view(value);
          })) {
        from_view_.insert(output);
      }
    }
  }

  bool is_written_by(jit::Node* node) const {
    return node->blocks().empty() && aliases_.writesToAlias(node, {view_});
  }

 private:
  /// What an output may be: one of the inputs, or what the branches of an `if` give for it.
  static std::vector<const jit::Value*> sources_of(const jit::Node* node,
                                                   const jit::Value* output) {
    std::vector<const jit::Value*> sources(node->inputs().begin(), node->inputs().end());
    for (const jit::Block* block : node->blocks()) {
      for (const jit::Value* value : block->outputs()) {
        if (value->type()->kind() == output->type()->kind()) sources.push_back(value);
      }
    }
    return sources;
  }

  const jit::AliasDb& aliases_;
  const jit::Value* view_;
  std::unordered_set<const jit::Value*> from_view_;
};

/// Whether, behind the view nodes[at], the tensor is written by one kind of names and read by the
/// other.
bool is_shared_on(const Nodes& nodes, std::size_t at, const jit::AliasDb& aliases) {
  Names names(aliases, nodes[at]);
  bool by_view = false;  // written through a name that comes from the view
  bool by_other = false;
  const auto reads_what_the_other_wrote = [&](const jit::Node* node) {
    return std::ranges::any_of(node->inputs(), [&](const jit::Value* value) {
      if (!names.is_name(value)) return false;
      return names.comes_from_view(value) ? by_other : by_view;
    });
  };
  for (std::size_t i = at + 1; i < nodes.size(); ++i) {
    jit::Node* const node = nodes[i];
    if ((by_view || by_other) && reads_what_the_other_wrote(node)) return true;
    names.follow(node);
    if (!names.is_written_by(node)) continue;
    for (const jit::Value* value : node->inputs()) {
      if (names.is_name(value)) (names.comes_from_view(value) ? by_view : by_other) = true;
    }
  }
  return (by_view || by_other) &&
         reads_what_the_other_wrote(nodes[at]->owningGraph()->return_node());
}

}  // namespace

bool runs_channels_last(const std::shared_ptr<jit::Graph>& inlined) {
  const Nodes nodes = nodes_of(inlined->block());
  if (std::ranges::any_of(nodes, knows_strides)) return false;
  if (std::ranges::none_of(nodes, is_view)) return true;
  const jit::AliasDb aliases(inlined);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!is_view(nodes[i]) || !aliases.hasWriters(nodes[i]->output())) continue;
    if (is_shared_on(nodes, i, aliases)) return false;
  }
  return true;
}

void views_may_copy(const std::vector<ModuleGraph>& graphs) {
  for (const ModuleGraph& part : graphs) {
    for (jit::Node* node : nodes_of(part.graph->block())) {
      if (!is_view(node)) continue;
      const bool by_sizes = node->kind() == c10::aten::view;
      node->replaceWithNewSymbol(by_sizes ? c10::aten::reshape : c10::aten::reshape_as);
      node->destroy();
    }
  }
}

void begin_contiguous(jit::Graph& forward) {
  jit::Value* const picture = forward.inputs().at(1);
  const jit::WithInsertPoint start(*forward.nodes().begin());
  jit::Value* const copy = forward.insert(c10::aten::contiguous, {picture});
  picture->replaceAllUsesAfterNodeWith(copy->node(), copy);
}

}  // namespace gradcam
