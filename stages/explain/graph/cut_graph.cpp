#include "stages/explain/graph/cut_graph.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <algorithm>
#include <map>

#include "config/suggest.h"
#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/model/module_graphs.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

[[noreturn]] void bad_layer(const std::string& layer, const std::string& why) {
  throw UserError(ExitCode::kUsage, "layer " + layer + ": " + why);
}

[[noreturn]] void bad_model(const std::string& path, const std::string& why) {
  throw UserError(ExitCode::kModel, "model '" + path + "': " + why);
}

/// Explains why a layer has no mark in the graph.
[[noreturn]] void missing_layer(const Model& model, const std::string& layer) {
  std::vector<std::string> names;
  for (const auto& child : model.module().named_modules()) {
    if (!child.name.empty()) names.push_back(child.name);
  }
  if (std::find(names.begin(), names.end(), layer) != names.end()) {
    bad_layer(layer, "is never called by forward, or gives no tensor; `gradcam-live layers " +
                         model.path() + "` lists those that can be cut");
  }
  const std::string near = listed(near_names(layer, names));
  bad_layer(layer, "the model has no such layer" + (near.empty() ? "" : "; near names: " + near) +
                       "; `gradcam-live layers " + model.path() + "` lists all");
}

/// Makes the input of a mark a leaf of autograd: detached from what lies in front.
jit::Value* make_leaf(jit::Graph& graph, jit::Node* mark) {
  const jit::WithInsertPoint before(mark);
  jit::Value* const detached = graph.insert(c10::aten::detach, {mark->input(0)});
  jit::Value* const leaf = graph.insert(c10::aten::requires_grad_, {detached, true});
  mark->replaceInput(0, leaf);
  return leaf;
}

/// Whether the node's output depends on random numbers.
bool draws(const jit::Node* node) {
  if (!node->isNondeterministic()) return false;
  const auto share = argument(node, "dropout_p");  // of attention
  const auto constant = share ? jit::toIValue(node->input(*share)) : std::nullopt;
  return !constant || !constant->isDouble() || constant->toDouble() > 0;
}

std::unique_ptr<jit::GraphFunction> runnable(const std::string& name,
                                             std::shared_ptr<jit::Graph> graph) {
  jit::OptimizeFrozenGraph(graph, /*optimize_numerics=*/true);
  return std::make_unique<jit::GraphFunction>(name, graph, nullptr);
}

/// One number for each picture may come without a dimension of its own: [N] is [N, 1].
at::Tensor as_rows(const at::Tensor& tensor) {
  return tensor.dim() == 1 ? tensor.unsqueeze(1) : tensor;
}

}  // namespace

MarkedGraph mark_layers(const Model& model, const std::vector<std::string>& layers) {
  MarkedGraph marked(model, [&](const std::string& layer) {
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  });
  for (const std::string& layer : layers) {
    const auto mark = std::find_if(marked.marks().begin(), marked.marks().end(),
                                   [&](const auto& m) { return m.layer == layer; });
    if (mark == marked.marks().end()) missing_layer(model, layer);
    if (mark->in_control_flow)
      bad_layer(layer, std::string(kInBranch) + ": choose another, or export by torch.jit.trace");
  }
  return marked;
}

CutGraph::~CutGraph() = default;

CutGraph::CutGraph(const Model& model, const std::vector<std::string>& layers,
                   const ModelDescription& description)
    : CutGraph(model, layers, mark_layers(model, layers), description) {}

CutGraph::CutGraph(const Model& model, const std::vector<std::string>& layers,
                   const MarkedGraph& marked, const ModelDescription& description)
    : model_(model), layers_(layers), output_(description.output) {
  const std::vector<std::int64_t> shape{1, description.channels(), description.input_height,
                                        description.input_width};
  probe(marked, at::rand(shape, at::TensorOptions())
                    .contiguous(at::MemoryFormat::ChannelsLast)
                    .to(model_.device()));
}

void CutGraph::build(const MarkedGraph& marked, const std::vector<bool>& is_leaf) {
  auto graph = marked.graph()->copy();
  // Node order is kept by copy(), so the n-th tagged clone of the copy is the n-th mark.
  const auto marks = marks_of(*graph);
  std::map<std::string, jit::Value*> activation;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    activation[marks[i].layer] =
        is_leaf[i] ? make_leaf(*graph, marks[i].node) : marks[i].node->input(0);
  }
  std::vector<jit::Value*> values;
  for (const std::string& layer : layers_) values.push_back(activation.at(layer));
  return_also(*graph, values);
  cut_ = runnable("cut", graph);
}

/// Which layers are leaves of autograd. The earliest is one; a later one only if it does not depend
/// on an earlier: else it keeps its total gradient, as hooks would give it.
std::vector<bool> CutGraph::leaves_of(const MarkedGraph& marked, const at::Tensor& input) {
  std::vector<bool> is_leaf(marked.marks().size(), false);
  for (std::size_t i = 0; i < is_leaf.size(); ++i) {
    const std::string& layer = marked.marks()[i].layer;
    if (i > 0) {
      build(marked, is_leaf);
      const CutResult result = run(input);
      const auto at = std::find(layers_.begin(), layers_.end(), layer) - layers_.begin();
      if (result.activations[static_cast<std::size_t>(at)].requires_grad()) continue;
    }
    is_leaf[i] = true;
  }
  return is_leaf;
}

/// Runs the cut network on noise to see that it runs, and whether it can be differentiated.
void CutGraph::probe(const MarkedGraph& marked, const at::Tensor& input) {
  std::optional<CutResult> recorded;
  try {
    build(marked, leaves_of(marked, input));
    recorded = run(input);
    gradient_obstacle_ = obstacle_of(*recorded);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {  // unless it cannot run at all, which the next run tells
    gradient_obstacle_ = torch_reason(error.what());
  }
  if (!gradient_obstacle_.empty()) {
    build(marked, std::vector<bool>(marked.marks().size(), false));
    recorded = run_first(input);
  }
  require_shapes(*recorded);
  require_same_again(marked, *recorded, input);
  output_shape_ = recorded->output.sizes().slice(1).vec();
}

CutResult CutGraph::run_first(const at::Tensor& input) {
  try {
    return run(input);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    bad_model(model_.path(), "cannot run on an input of " +
                                 shape_text({input.sizes().data(), input.sizes().size()}) +
                                 kOtherSize + ": " + torch_reason(error.what()));
  }
}

void CutGraph::require_shapes(const CutResult& result) const {
  const at::Tensor& output = result.output;
  if (!output.is_floating_point() || output.dim() < 2 || output.size(0) != 1 ||
      output.numel() < 1) {
    bad_model(model_.path(), "gives an output of " + std::string(output.dtype().name()) + " " +
                                 shape_text({output.sizes().data(), output.sizes().size()}) +
                                 "; wanted are floats, 1xN or 1x…, of one picture");
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const at::Tensor& activation = result.activations[i];
    if (activation.is_quantized()) {
      bad_model(model_.path(), "is quantized (layer " + layers_[i] + " gives " +
                                   std::string(activation.dtype().name()) +
                                   "), and has no gradient: give the network in floats");
    }
    const bool places_or_tokens = activation.dim() == 4 || activation.dim() == 3;
    if (!places_or_tokens || activation.size(0) != 1 || !activation.is_floating_point()) {
      bad_layer(layers_[i], "gives no spatial activation [1, C, h, w]; `gradcam-live layers " +
                                model_.path() + "` lists the shapes");
    }
    if (activation.dim() == 4 && activation.size(2) * activation.size(3) == 1) {
      bad_layer(layers_[i], "gives one place only, which makes no map; choose an earlier one");
    }
  }
}

/// Throws UserError(kModel) that names what draws random numbers, if the output changes by them.
void CutGraph::require_same_again(const MarkedGraph& marked, const CutResult& result,
                                  const at::Tensor& input) {
  std::vector<std::string> random;
  for (const jit::Node* node : nodes_of(marked.graph()->block())) {
    if (draws(node)) random.emplace_back(node->kind().toQualString());
  }
  if (random.empty()) return;
  constexpr double kSame = 1e-3;
  constexpr int kRuns = 8;  // a coin that falls once in a run may fall alike in two
  const at::Tensor first = result.output.detach();
  for (int i = 0; i < kRuns; ++i) {
    const at::Tensor again = run_first(input).output.detach();
    if (at::allclose(again, first, kSame, kSame, /*equal_nan=*/true)) continue;
    std::ranges::sort(random);
    random.erase(std::unique(random.begin(), random.end()), random.end());
    bad_model(model_.path(), "gives other numbers for the same picture each time, by " +
                                 listed(random) +
                                 ", which cannot be switched off here: call eval() on the network "
                                 "before it is traced or scripted");
  }
}

/// Empty: gradients reach all layers.
std::string CutGraph::obstacle_of(const CutResult& result) const {
  if (layers_.empty()) return "";
  if (!result.output.requires_grad()) {
    return "layer " + layers_[0] +
           ": no gradient reaches it from the output (a layer of another branch, or an operator "
           "without a derivative)";
  }
  const auto gradients = torch::autograd::grad({result.output.sum()}, result.activations, {},
                                               /*retain_graph=*/false, /*create_graph=*/false,
                                               /*allow_unused=*/true);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!gradients[i].defined()) {
      return "layer " + layers_[i] + ": no gradient reaches it from the output";
    }
  }
  return "";
}

at::Tensor CutGraph::select(const c10::IValue& returned) const {
  const auto tensor = output_tensor(returned, output_);
  if (tensor) return *tensor;
  std::string what = returned.tagKind();
  if (returned.isGenericDict()) {
    std::string keys;
    for (const auto& entry : returned.toGenericDict()) {
      if (entry.key().isString()) keys += (keys.empty() ? "" : ", ") + entry.key().toStringRef();
    }
    what = "a dict of " + keys;
  } else if (returned.isTuple()) {
    what = "a tuple of " + std::to_string(returned.toTupleRef().elements().size());
  }
  if (returned.isTensor())
    bad_model(model_.path(),
              "forward returns one tensor; leave the description's output.select out");
  bad_model(model_.path(), "forward returns " + what +
                               "; the description's output.select must name a tensor in it, by "
                               "its place from 0 or by its key, or several in a list");
}

std::optional<at::Tensor> output_tensor(const c10::IValue& returned, const OutputChoice& choice) {
  if (!choice.parts.empty()) {
    std::vector<at::Tensor> parts;
    for (const OutputChoice& part : choice.parts) {
      const auto tensor = output_tensor(returned, part);
      if (!tensor) return std::nullopt;
      parts.push_back(*tensor);
    }
    return at::cat(parts, -1);
  }
  if (returned.isTensor()) {
    const bool only = choice.name.empty() && choice.index.value_or(0) == 0;
    return only ? std::optional(as_rows(returned.toTensor())) : std::nullopt;
  }
  if (returned.isGenericDict()) {
    const auto dict = returned.toGenericDict();
    for (const auto& entry : dict) {
      const bool wanted = entry.key().isString() && entry.key().toStringRef() == choice.name;
      const bool only = choice.name.empty() && !choice.index && dict.size() == 1;
      if ((wanted || only) && entry.value().isTensor()) return as_rows(entry.value().toTensor());
    }
    return std::nullopt;
  }
  if (!choice.name.empty()) return std::nullopt;
  const auto at = static_cast<std::size_t>(choice.index.value_or(0));
  std::vector<c10::IValue> elements;
  if (returned.isTuple()) elements = returned.toTupleRef().elements().vec();
  if (returned.isList()) elements = returned.toList().vec();
  if (at >= elements.size() || !elements[at].isTensor()) return std::nullopt;
  return as_rows(elements[at].toTensor());
}

CutResult CutGraph::run(const at::Tensor& input) {
  const at::AutoGradMode recorded(gradient_obstacle_.empty());
  jit::Stack stack{input};
  cut_->run(stack);
  const auto returned = stack.back().toTuple();
  const auto& elements = returned->elements();
  CutResult result;
  result.output = select(elements[0]);
  result.end = result.output;
  for (std::size_t i = 1; i < elements.size(); ++i) {
    result.activations.push_back(elements[i].toTensor());
  }
  return result;
}

at::Tensor CutGraph::forward_only(const at::Tensor& input) {
  const at::NoGradGuard no_grad;
  if (!whole_) {
    const MarkedGraph plain(model_, [](const std::string&) { return false; });
    whole_ = runnable("forward_only", plain.graph()->copy());
  }
  jit::Stack stack{input};
  whole_->run(stack);
  return select(stack.back());
}

}  // namespace gradcam
