#include "stages/explain/whole_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sqrt.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>

#include <stdexcept>
#include <vector>

#include "stages/explain/graph_marks.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// What a batch norm adds to each channel: beta - mean * gamma / sqrt(variance + eps).
std::optional<at::Tensor> bias_of_norm(const jit::Node* node) {
  const auto beta = constant_tensor(node->input(2));
  const auto mean = constant_tensor(node->input(3));
  const auto variance = constant_tensor(node->input(4));
  const auto eps = jit::toIValue(node->input(7));
  if (!beta || !mean || !variance || !eps || !eps->isDouble()) return std::nullopt;
  const at::Tensor slope = constant_tensor(node->input(1)).value_or(at::ones_like(*mean)) /
                           (*variance + eps->toDouble()).sqrt();
  return *beta - *mean * slope;
}

/// What the node adds to each channel, [C]; nullopt: it is no convolution or batch norm, or adds
/// nothing.
std::optional<at::Tensor> bias_of(const jit::Node* node) {
  switch (node->kind()) {
    case c10::aten::batch_norm:
      return bias_of_norm(node);
    case c10::aten::conv2d:
    case c10::aten::_convolution:
      return constant_tensor(node->input(2));
    default:
      return std::nullopt;
  }
}

}  // namespace

struct WholeNetwork::Parts {
  std::unique_ptr<jit::GraphFunction> function;
  std::vector<at::Tensor> biases;  ///< of the values that the graph returns beside its output
};

WholeNetwork::~WholeNetwork() = default;

WholeNetwork::WholeNetwork(const Model& model, const ModelDescription& description)
    : model_(model),
      output_(description.output),
      normalisation_(description),
      plain_(model, {}, description.input_height, description.input_width, description.output) {}

at::Tensor WholeNetwork::input_of(const at::Tensor& pixels) const {
  return normalisation_.apply(pixels, model_.device());
}

const WholeNetwork::Parts& WholeNetwork::parts() {
  if (parts_) return *parts_;
  // Frozen, but not optimized: a batch norm is not yet folded into the convolution before it.
  const MarkedGraph marked(model_.module(), [](const std::string&) { return false; });
  auto graph = marked.graph()->copy();
  auto parts = std::make_unique<Parts>();
  std::vector<jit::Value*> values;
  for (jit::Node* node : graph->nodes()) {
    const auto bias = bias_of(node);
    if (!bias) continue;
    parts->biases.push_back(bias->detach());
    values.push_back(node->output());
  }
  for (jit::Value* value : values) insert_clone(*graph, value);
  return_also(*graph, values);
  parts->function = std::make_unique<jit::GraphFunction>("full_gradients", graph, nullptr);
  parts_ = std::move(parts);
  return *parts_;
}

FullGradients WholeNetwork::full_gradients(const at::Tensor& input, const Seed& seed) {
  const Parts& whole = parts();
  const at::AutoGradMode with_grad(true);
  const at::Tensor leaf = input.detach().clone().requires_grad_();
  jit::Stack stack{leaf};
  whole.function->run(stack);
  const auto& elements = stack.back().toTupleRef().elements();
  const auto output = output_tensor(elements[0], output_);
  if (!output) throw std::runtime_error("forward returns no tensor");
  std::vector<at::Tensor> wanted{leaf};
  for (std::size_t i = 1; i < elements.size(); ++i) wanted.push_back(elements[i].toTensor());
  const auto gradients =
      torch::autograd::grad({*output}, wanted, {dense(*output, {seed})}, /*retain_graph=*/false,
                            /*create_graph=*/false, /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  FullGradients result;
  result.input = (leaf * gradients[0]).detach()[0];
  for (std::size_t i = 1; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;  // the score does not depend on this branch
    result.biases.push_back(
        (gradients[i] * whole.biases[i - 1].to(gradients[i].device()).view({1, -1, 1, 1}))
            .detach()[0]);
  }
  return result;
}

}  // namespace gradcam
