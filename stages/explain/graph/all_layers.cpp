#include "stages/explain/graph/all_layers.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <exception>
#include <stdexcept>
#include <utility>

#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/cut_result.h"
#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/model/torch_reason.h"

namespace gradcam {

namespace jit = torch::jit;

struct AllLayers::Graph {
  jit::Code code;
};

AllLayers::~AllLayers() = default;

AllLayers::AllLayers(const Model& model, const OutputChoice& output,
                     const std::function<bool(const std::string&)>& wanted)
    : output_(output) {
  const MarkedGraph marked(model, wanted);
  const auto graph = marked.graph()->copy();
  std::vector<jit::Value*> values;
  for (const Mark& mark : marks_of(*graph)) {
    if (mark.in_control_flow) continue;
    names_.push_back(mark.layer);
    values.push_back(mark.node->input(0));
  }
  return_also(*graph, values);
  // Node by node, so that autograd records each value: a graph executor may take several at once.
  graph_ = std::make_unique<Graph>(Graph{jit::Code(graph, "all_layers")});
}

AllLayers::Run AllLayers::run(const at::Tensor& picture, bool recorded) const {
  const at::AutoGradMode mode(recorded);
  Run run;
  run.input = picture.detach().clone().requires_grad_(recorded);
  // A copy: a network may write into its picture, which a leaf of autograd does not allow.
  jit::Stack stack{run.input.clone()};
  jit::InterpreterState(graph_->code).run(stack);
  const auto returned = stack.back().toTuple();
  const auto& elements = returned->elements();
  const auto selected = output_tensor(elements[0], output_);
  if (!selected) throw std::runtime_error("forward returns no tensor");
  run.output = *selected;
  for (std::size_t i = 1; i < elements.size(); ++i) {
    run.activations.push_back(elements[i].toTensor());
  }
  return run;
}

std::string AllLayers::gradients(
    const Run& run, const Seed& seed,
    const std::function<void(std::size_t layer, const at::Tensor& gradient)>& take) {
  if (!run.output.requires_grad()) return "no gradient leads back from the output";
  std::vector<std::pair<std::size_t, unsigned>> hooks;
  for (std::size_t i = 0; i < run.activations.size(); ++i) {
    const at::Tensor& activation = run.activations[i];
    if (!activation.requires_grad()) continue;
    hooks.emplace_back(
        i, activation.register_hook([&take, i](const at::Tensor& gradient) { take(i, gradient); }));
  }
  std::string reason;
  try {
    torch::autograd::grad({run.output}, {run.input}, {dense(run.output, {seed})},
                          /*retain_graph=*/true, /*create_graph=*/false, /*allow_unused=*/true);
  } catch (const std::exception& error) {
    reason = torch_reason(error.what());
  }
  for (const auto& [layer, hook] : hooks) run.activations[layer].remove_hook(hook);
  return reason;
}

}  // namespace gradcam
