#include "stages/explain/engines/torchscript_halves.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/frozen_ops_to_mkldnn.h>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "stages/explain/engines/cuda_graph.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/graph/local_head.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/module_graphs.h"
#include "stages/explain/model/plain_runs.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

void convert_constants(jit::Graph& graph, at::ScalarType type) {
  if (type == at::kFloat) return;
  for (jit::Node* node : nodes_of(graph.block())) {
    const auto value = tensor_constant(node);
    if (value && value->scalar_type() == at::kFloat) node->t_(c10::attr::value, value->to(type));
  }
}

at::ScalarType type_of(TorchScriptForm form) {
  switch (form) {
    case TorchScriptForm::kPlain:
    case TorchScriptForm::kOptimized:
      return at::kFloat;
    case TorchScriptForm::kBf16:
      return at::kBFloat16;
    case TorchScriptForm::kFp16:
      return at::kHalf;
  }
  return at::kFloat;
}

Precision precision_of(TorchScriptForm form) {
  if (form == TorchScriptForm::kBf16) return Precision::kBf16;
  return form == TorchScriptForm::kFp16 ? Precision::kFp16 : Precision::kFp32;
}

/// Boxes are explained one by one, each by a few numbers of the output.
void find_local_head(const EngineRequest& request, Proof proof, SplitGraph& halves) {
  const ModelDescription& d = request.description;
  if (!task_of(d).boxes || !request.network.device().is_cpu()) return;
  const auto features = torchscript_features(halves, TorchScriptForm::kPlain, Normalisation(d));
  halves.local = LocalHead::of(halves, d.output, features->run(request.probe).head,
                               /*proven=*/proof != Proof::kNeeded);
}

/// With weights of its own. Those of a file that OpenVINO read are parts of one block, all of which
/// the smallest would hold.
std::shared_ptr<jit::Graph> apart(const std::shared_ptr<jit::Graph>& head) {
  constexpr std::size_t kMost = std::size_t{64} << 20;  // past this it is most of the block anyway
  auto graph = head->copy();
  std::size_t bytes = 0;
  for (const jit::Node* node : nodes_of(graph->block())) {
    if (const auto value = tensor_constant(node)) bytes += value->nbytes();
  }
  if (bytes > kMost) return graph;
  for (jit::Node* node : nodes_of(graph->block())) {
    if (const auto value = tensor_constant(node)) node->t_(c10::attr::value, value->clone());
  }
  return graph;
}

class TorchScriptFeatures : public Features {
 public:
  TorchScriptFeatures(const SplitGraph& halves, TorchScriptForm form,
                      const Normalisation& normalisation)
      : form_(form), normalisation_(normalisation) {
    auto graph = halves.features->copy();
    jit::EliminateDeadCode(graph);
    jit::OptimizeFrozenGraph(graph, /*optimize_numerics=*/true);
    convert_constants(*graph, type_of(form));
    if (form == TorchScriptForm::kOptimized) jit::ConvertFrozenOpsToMKLDNN(graph);
    function_ = std::make_unique<jit::GraphFunction>("features", graph, nullptr);
    if (!normalisation_.device().is_cuda() || waits_for_device(*graph->block())) return;
    graphed_.emplace(
        [this](const at::Tensor& pixels) { return compute(normalisation_.apply_there(pixels)); },
        normalisation_.device());
  }

  FeatureValues run(const at::Tensor& pixels) override {
    const at::NoGradGuard no_grad;
    if (graphed_) return {graphed_->run(pixels.permute({0, 3, 1, 2})), {}};
    return {compute(normalisation_.apply(pixels)), {}};
  }

  Precision precision() const override { return precision_of(form_); }
  std::string name() const override { return name_of(form_); }

 private:
  std::vector<at::Tensor> compute(const at::Tensor& input) {
    jit::Stack stack{input.to(type_of(form_))};
    function_->run(stack);
    std::vector<at::Tensor> values;
    for (const c10::IValue& element : stack.back().toTupleRef().elements()) {
      const at::Tensor& value = element.toTensor();
      values.push_back(value.is_floating_point() ? value.to(at::kFloat) : value);
    }
    return values;
  }

  TorchScriptForm form_;
  Normalisation normalisation_;
  std::unique_ptr<jit::GraphFunction> function_;
  std::optional<GraphedFunction> graphed_;  ///< of compute(), on CUDA, if nothing waits for it
};

}  // namespace

const SplitGraph& halves_of(const EngineRequest& request, Proof proof) {
  const std::string& method = request.options.method;
  if (request.layers.size() > 1 && method != "auto" && find_method(method).needs.tail) {
    throw std::runtime_error("method " + method + " at several layers runs the network as it is");
  }
  SharedHalves& shared = *request.shared;
  if (shared.halves) return *shared.halves;
  const PlainRuns looked_at_once;
  const Model& model = request.network.model();
  const ModelDescription& d = request.description;
  const MarkedGraph marked = mark_layers(model, request.layers);
  if (proof == Proof::kNeeded && !shared.cut_is_sound) {
    const CutGraph whole(model, request.layers, marked, d);
  }
  auto halves = split(marked, d.output);
  if (!halves) throw std::runtime_error("the graph cannot be split at this layer");
  find_local_head(request, proof, *halves);
  return shared.halves.emplace(std::move(*halves));
}

std::unique_ptr<Engine> split_engine(const EngineRequest& request, const SplitGraph& halves,
                                     std::unique_ptr<Features> features) {
  std::vector<SplitGraph::Place> places;
  for (const std::string& layer : request.layers) places.push_back(halves.layers.at(layer));
  const bool of_block = request.network.model().source() != nullptr;
  return std::make_unique<SplitEngine>(
      std::move(features),
      Head(of_block ? apart(halves.head) : halves.head, request.description.output,
           halves.count(false), halves.count(true)),
      request.probe, std::move(places), halves.local);
}

std::string name_of(TorchScriptForm form) {
  const std::string name = name_of(EngineName::kTorchScript, precision_of(form));
  if (form == TorchScriptForm::kPlain) return name + " split";
  return form == TorchScriptForm::kOptimized ? name + " optimized" : name;
}

std::unique_ptr<Features> torchscript_features(const SplitGraph& halves, TorchScriptForm form,
                                               const Normalisation& normalisation) {
  return std::make_unique<TorchScriptFeatures>(halves, form, normalisation);
}

}  // namespace gradcam
