#include "stages/explain/graph/graph_marks.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <optional>
#include <set>
#include <utility>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/model/module_graphs.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

const c10::Symbol kLayer = c10::Symbol::attr("gradcam_layer");
const c10::Symbol kDetach = c10::Symbol::attr("gradcam_detach");

/// The name of the sub-module a value holds ("" = the module itself), by its chain of GetAttr.
std::optional<std::string> module_path(const jit::Value* value) {
  const jit::Node* node = value->node();
  if (node->kind() == c10::prim::Param) {
    const bool is_self = node->owningBlock()->owningNode() == nullptr && value->offset() == 0;
    return is_self ? std::optional<std::string>("") : std::nullopt;
  }
  if (node->kind() != c10::prim::GetAttr) return std::nullopt;
  const auto parent = module_path(node->input(0));
  if (!parent) return std::nullopt;
  const std::string& name = node->s(c10::attr::name);
  return parent->empty() ? name : *parent + "." + name;
}

/// Replaces every call of a sub-module's method by the method's own nodes, and notes what each call
/// of a sub-module returned: of two calls in the branches of an `if`, freezing drops one.
class CallInliner {
 public:
  void inline_block(jit::Block* block) {
    for (jit::Node* node = *block->nodes().begin(); node != block->return_node();) {
      jit::Node* const before = node->prev();
      if (node->kind() == c10::prim::CallMethod && inline_call(node)) {
        node = before->next();  // the first node that came in its place
        continue;
      }
      for (jit::Block* inner : node->blocks()) inline_block(inner);
      node = node->next();
    }
  }

  using Output = std::pair<std::string, jit::Value*>;
  const std::vector<Output>& outputs() const { return outputs_; }

 private:
  bool inline_call(jit::Node* node) {
    const auto path = module_path(node->input(0));
    if (!path) return false;
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    if (!type) return false;  // a module interface: freezing resolves it
    const std::string method = node->s(c10::attr::name);
    auto* const callee = jit::tryToGraphFunction(type->getMethod(method));
    if (callee == nullptr) return false;
    jit::Value* const replaced = node->output();
    // Of the graph itself: what `use_graph` takes is an already inlined copy, without calls to
    // note.
    const auto results = jit::inlineCallTo(node, callee, callee->graph().get());
    for (auto& [layer, value] : outputs_) {
      if (value == replaced) value = results.at(0);
    }
    const bool is_layer = !path->empty() && method.rfind("forward", 0) == 0;
    if (is_layer && results.size() == 1 &&
        results[0]->type()->isSubtypeOf(*c10::TensorType::get())) {
      outputs_.emplace_back(*path, results[0]);
    }
    return true;
  }

  std::vector<Output> outputs_;
};

void insert_mark(jit::Graph& graph, jit::Value* value, const std::string& layer) {
  insert_clone(graph, value)->s_(kLayer, layer);
}

/// detach() is how a network says where gradients stop, and freezing removes it (torch 2.15): it
/// goes through as a copy that is told apart by an attribute.
void hide_detach(jit::Graph& graph) {
  for (jit::Node* node : nodes_of(graph.block())) {
    if (node->kind() != c10::aten::detach) continue;
    const jit::WithInsertPoint before(node);
    jit::Value* const none = graph.insertConstant(c10::IValue());
    jit::Node* const copy =
        graph.insertNode(graph.create(c10::aten::clone, {node->input(0), none}));
    copy->i_(kDetach, 1);
    copy->output()->setType(c10::TensorType::get());
    node->output()->replaceAllUsesWith(copy->output());
    node->destroy();
  }
}

void show_detach(jit::Graph& graph) {
  for (jit::Node* node : nodes_of(graph.block())) {
    if (node->kind() != c10::aten::clone || !node->hasAttribute(kDetach)) continue;
    const jit::WithInsertPoint before(node);
    jit::Value* const detached = graph.insert(c10::aten::detach, {node->input(0)});
    node->output()->replaceAllUsesWith(detached);
    node->destroy();
  }
}

/// Whether the weights of a linear() may be a vector: they are no constant matrix.
bool may_take_vector(const jit::Node* node) {
  const auto weight = constant_tensor(node->input(1));
  return node->input(2)->mustBeNone() && (!weight || weight->dim() < 2);
}

/// The derivative that TorchScript has of linear() takes the weights for a matrix (torch 2.15); the
/// same as a product has the right one.
void spell_out_products(jit::Graph& graph) {
  for (jit::Node* node : nodes_of(graph.block())) {
    if (node->kind() != c10::aten::linear || !may_take_vector(node)) continue;
    const jit::WithInsertPoint before(node);
    jit::Value* const columns = graph.insert(c10::aten::t, {node->input(1)});
    jit::Value* const product = graph.insert(c10::aten::matmul, {node->input(0), columns});
    node->output()->replaceAllUsesWith(product);
    node->destroy();
  }
}

void collect_marks(jit::Block* block, bool nested, std::vector<Mark>& marks) {
  for (jit::Node* node : block->nodes()) {
    if (node->kind() == c10::aten::clone && node->hasAttribute(kLayer)) {
      marks.push_back({node->s(kLayer), node, nested});
    }
    for (jit::Block* inner : node->blocks()) collect_marks(inner, true, marks);
  }
}

/// Throws UserError(kModel) that says what else forward takes.
void require_one_picture(const jit::Graph& frozen, const Model& model) {
  const std::string path = "model '" + model.path() + "': ";
  if (frozen.inputs().size() != 2) {
    const auto& arguments = model.module().get_method("forward").function().getSchema().arguments();
    std::vector<std::string> names;
    for (std::size_t i = 1; i < arguments.size(); ++i) names.push_back(arguments[i].name());
    throw UserError(ExitCode::kModel,
                    path + "forward must take one picture, and takes " +
                        (names.empty() ? "nothing" : listed(names)) +
                        "; give the others defaults (x, mask: Optional[Tensor] = None) and use "
                        "torch.jit.script, or export a module that takes the picture alone");
  }
  if (frozen.inputs()[0]->hasUses()) {
    throw UserError(ExitCode::kModel, path + "forward keeps a state between frames");
  }
}

/// A layer that is called several times is marked at its last call only.
void keep_last_calls(std::vector<Mark>& marks) {
  std::set<std::string> later;
  for (std::size_t i = marks.size(); i-- > 0;) {
    if (later.insert(marks[i].layer).second) continue;
    marks[i].node->output()->replaceAllUsesWith(marks[i].node->input(0));
    marks[i].node->destroy();
    marks.erase(marks.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace

std::vector<Mark> marks_of(jit::Graph& graph) {
  std::vector<Mark> marks;
  collect_marks(graph.block(), false, marks);
  return marks;
}

MarkedGraph::MarkedGraph(const Model& model, const std::function<bool(const std::string&)>& wanted)
    : model_(model) {
  // Shares the weights, not the graph.
  const jit::Module copy = model.module().clone(/*inplace=*/true);
  jit::Graph& forward = *copy.get_method("forward").graph();
  CallInliner inliner;
  inliner.inline_block(forward.block());
  // Outer calls are noted before the calls inside them, so where several layers share one output
  // (a Sequential and its last element) the marks stand in the order inner, outer.
  for (const auto& [layer, value] : inliner.outputs()) {
    if (wanted(layer)) insert_mark(forward, value, layer);
  }
  hide_detach(forward);
  const jit::Module frozen = jit::freeze_module(copy);
  graph_ = frozen.get_method("forward").graph()->copy();
  show_detach(*graph_);
  spell_out_products(*graph_);
  jit::EliminateDeadCode(graph_);
  require_one_picture(*graph_, model_);
  graph_->eraseInput(0);
  marks_ = marks_of(*graph_);
  keep_last_calls(marks_);
}

std::vector<MarkedGraph::Shape> MarkedGraph::shapes(const ModelDescription& description) const {
  const auto graph = graph_->copy();
  const auto copied = marks_of(*graph);
  std::vector<jit::Value*> values;
  for (const Mark& mark : copied) {
    if (!mark.in_control_flow) values.push_back(mark.node->input(0));
  }
  return_also(*graph, values);
  jit::GraphFunction function("shapes", graph, nullptr);
  const std::vector<std::int64_t> input_shape{1, description.channels(), description.input_height,
                                              description.input_width};
  jit::Stack stack{at::zeros(input_shape, at::TensorOptions(model_.device()))};
  try {
    const at::NoGradGuard no_grad;
    function.run(stack);
  } catch (const std::exception& error) {
    throw UserError(ExitCode::kModel, "model '" + model_.path() + "': cannot run on an input of " +
                                          shape_text(input_shape) + kOtherSize + ": " +
                                          torch_reason(error.what()));
  }
  const auto results = stack.back().toTupleRef().elements();
  std::vector<Shape> shapes;
  std::size_t next = 1;
  for (const Mark& mark : copied) {
    if (mark.in_control_flow) {
      shapes.push_back({mark.layer, {}, kInBranch});
    } else {
      shapes.push_back({mark.layer, results[next++].toTensor().sizes().vec(), ""});
    }
  }
  return shapes;
}

jit::Node* insert_clone(jit::Graph& graph, jit::Value* value) {
  jit::Node* const producer = value->node();
  const jit::WithInsertPoint where(producer->kind() == c10::prim::Param
                                       ? *producer->owningBlock()->nodes().begin()
                                       : producer->next());
  jit::Value* const none = graph.insertConstant(c10::IValue());
  jit::Node* const clone = graph.insertNode(graph.create(c10::aten::clone, {value, none}, 1));
  clone->output()->setType(c10::TensorType::get());
  value->replaceAllUsesAfterNodeWith(clone, clone->output());
  return clone;
}

std::optional<at::Tensor> constant_tensor(const jit::Value* value) {
  const auto constant = jit::toIValue(value);
  if (!constant || !constant->isTensor()) return std::nullopt;
  return constant->toTensor();
}

void return_also(jit::Graph& graph, const std::vector<jit::Value*>& values) {
  std::vector<jit::Value*> all{graph.outputs().at(0)};
  all.insert(all.end(), values.begin(), values.end());
  jit::Node* const tuple = graph.createTuple(all);
  graph.appendNode(tuple);
  graph.eraseOutput(0);
  graph.registerOutput(tuple->output());
}

}  // namespace gradcam
