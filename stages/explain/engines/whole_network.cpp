#include "stages/explain/engines/whole_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "config/user_error.h"
#include "stages/explain/graph/graph_marks.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// What a batch norm adds to each channel: beta - mean * gamma / sqrt(variance + eps), with gamma 1
/// and beta 0 where it has none.
std::optional<at::Tensor> bias_of_norm(const jit::Node* node) {
  const auto mean = constant_tensor(node->input(3));
  const auto variance = constant_tensor(node->input(4));
  const auto eps = jit::toIValue(node->input(7));
  if (!mean || !variance || !eps || !eps->isDouble()) return std::nullopt;
  const at::Tensor slope = constant_tensor(node->input(1)).value_or(at::ones_like(*mean)) /
                           (*variance + eps->toDouble()).sqrt();
  return constant_tensor(node->input(2)).value_or(at::zeros_like(*mean)) - *mean * slope;
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

bool is_zero(const jit::Value* value) {
  const auto constant = jit::toIValue(value);
  return constant && constant->isScalar() && constant->toScalar().toDouble() == 0;
}

/// ReLU or ReLU6, under whichever name it was traced or scripted.
bool rectifies(const jit::Node* node) {
  switch (node->kind()) {
    case c10::aten::relu:
    case c10::aten::relu_:
    case c10::aten::relu6:
    case c10::aten::relu6_:
      return true;
    case c10::aten::hardtanh:
    case c10::aten::hardtanh_:
    case c10::aten::clamp:
    case c10::aten::clamp_:
    case c10::aten::clamp_min:
    case c10::aten::clamp_min_:
      return is_zero(node->input(1));
    default:
      return false;
  }
}

}  // namespace

/// The network's graph, which also returns what some of its nodes give.
struct WholeNetwork::Opened {
  struct Run {
    at::Tensor input;  ///< the leaf that gradients lead to
    at::Tensor output;
    std::vector<at::Tensor> values;
  };

  /// `wanted` is asked of each node once, in order.
  Opened(const Model& model, OutputChoice choice, const std::function<bool(jit::Node*)>& wanted)
      : output(std::move(choice)) {
    // Frozen, but not optimized: a batch norm is not yet folded into the convolution before it.
    const MarkedGraph marked(model, [](const std::string&) { return false; });
    auto graph = marked.graph()->copy();
    std::vector<jit::Value*> values;
    for (jit::Node* node : graph->nodes()) {
      if (wanted(node)) values.push_back(node->output());
    }
    for (jit::Value* value : values) insert_clone(*graph, value);
    return_also(*graph, values);
    count = values.size();
    // Node by node, so that autograd records each value: a graph executor may take several at
    // once.
    code = jit::Code(graph, "opened");
  }

  Run run(const at::Tensor& picture) const {
    Run run;
    run.input = picture.detach().clone().requires_grad_();
    jit::Stack stack{run.input};
    jit::InterpreterState(code).run(stack);
    const auto returned = stack.back().toTuple();
    const auto& elements = returned->elements();
    const auto selected = output_tensor(elements[0], output);
    if (!selected) throw std::runtime_error("forward returns no tensor");
    run.output = *selected;
    for (std::size_t i = 1; i < elements.size(); ++i) run.values.push_back(elements[i].toTensor());
    return run;
  }

  OutputChoice output;
  jit::Code code;
  std::size_t count = 0;
  std::vector<at::Tensor> biases;  ///< of the values, where that is what they were chosen by
};

WholeNetwork::~WholeNetwork() = default;

WholeNetwork::WholeNetwork(const Model& model, const ModelDescription& description)
    : model_(model),
      output_(description.output),
      normalisation_(description, model.device()),
      plain_(model, {}, description) {}

at::Tensor WholeNetwork::input_of(const at::Tensor& pixels) const {
  return normalisation_.apply(pixels);
}

WholeNetwork::Opened& WholeNetwork::biased() {
  if (biased_) return *biased_;
  std::vector<at::Tensor> biases;
  biased_ = std::make_unique<Opened>(model_, output_, [&](const jit::Node* node) {
    const auto bias = bias_of(node);
    if (bias) biases.push_back(bias->detach());
    return bias.has_value();
  });
  biased_->biases = std::move(biases);
  return *biased_;
}

WholeNetwork::Opened& WholeNetwork::rectified() {
  if (!rectified_) rectified_ = std::make_unique<Opened>(model_, output_, rectifies);
  return *rectified_;
}

void WholeNetwork::require_relu() {
  if (rectified().count > 0) return;
  throw UserError(ExitCode::kUsage,
                  "guided backpropagation changes what ReLUs let back, and model '" +
                      model_.path() + "' has none; give another --view");
}

FullGradients WholeNetwork::full_gradients(const at::Tensor& input, const Seed& seed) {
  const Opened& whole = biased();
  const at::AutoGradMode with_grad(true);
  const Opened::Run run = whole.run(input);
  std::vector<at::Tensor> wanted{run.input};
  wanted.insert(wanted.end(), run.values.begin(), run.values.end());
  const auto gradients =
      torch::autograd::grad({run.output}, wanted, {dense(run.output, {seed})},
                            /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  FullGradients result;
  result.input = (run.input * gradients[0]).detach()[0];
  for (std::size_t i = 1; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;  // the score does not depend on this branch
    if (gradients[i].dim() != 4) continue;  // the norm of a row has no places
    result.biases.push_back(
        (gradients[i] * whole.biases[i - 1].to(gradients[i].device()).view({1, -1, 1, 1}))
            .detach()[0]);
  }
  return result;
}

at::Tensor WholeNetwork::guided_gradient(const at::Tensor& input, const Seed& seed) {
  const Opened& whole = rectified();
  const at::AutoGradMode with_grad(true);
  const Opened::Run run = whole.run(input);
  for (const at::Tensor& value : run.values) {
    // What comes back to a ReLU; it itself stops what belongs to places that were not positive.
    if (!value.requires_grad()) continue;
    value.register_hook([](const at::Tensor& gradient) { return gradient.clamp_min(0); });
  }
  return torch::autograd::grad({run.output}, {run.input}, {dense(run.output, {seed})})[0][0];
}

}  // namespace gradcam
