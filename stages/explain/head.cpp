#include "stages/explain/head.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <stdexcept>
#include <utility>

#include "stages/explain/cut_graph.h"
#include "stages/explain/engine.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

std::optional<at::Tensor> constant_tensor(const jit::Value* value) {
  const auto constant = jit::toIValue(value);
  if (!constant || !constant->isTensor()) return std::nullopt;
  return constant->toTensor();
}

bool is_none(const jit::Value* value) {
  const auto constant = jit::toIValue(value);
  return constant && constant->isNone();
}

}  // namespace

Head::~Head() = default;
Head::Head(Head&&) noexcept = default;

Head::Head(const std::shared_ptr<jit::Graph>& graph, std::optional<int> output_index)
    : output_index_(output_index) {
  auto own = graph->copy();
  jit::EliminateDeadCode(own);
  jit::Node* const last = own->outputs().at(0)->node();
  if (last->kind() == c10::aten::linear) {
    const auto weight = constant_tensor(last->input(1));
    const auto bias = constant_tensor(last->input(2));
    if (weight && (bias || is_none(last->input(2)))) {
      weight_ = *weight;
      bias_ = bias.value_or(at::Tensor());
      own->eraseOutput(0);
      own->registerOutput(last->input(0));
      jit::EliminateDeadCode(own);
    }
  }
  jit::OptimizeFrozenGraph(own, /*optimize_numerics=*/true);
  function_ = std::make_unique<jit::GraphFunction>("head", own, nullptr);
}

Head::Result Head::run(const std::vector<at::Tensor>& values) {
  jit::Stack stack(values.begin(), values.end());
  function_->run(stack);
  const auto end = output_tensor(stack.back(), output_index_);
  if (!end) throw std::runtime_error("forward returns no tensor");
  if (!weight_.defined()) return {*end, *end};
  const at::NoGradGuard no_grad;
  return {at::linear(*end, weight_, bias_), *end};
}

at::Tensor Head::gradient(const Result& result, const at::Tensor& activation,
                          const std::vector<int>& classes, bool retain_graph) const {
  const at::Tensor direction =
      weight_.defined() ? weight_.index_select(0, at::tensor(classes).to(weight_.device()))
                        : one_hot(result.output, classes);
  return torch::autograd::grad({result.end}, {activation}, {direction}, retain_graph)[0];
}

}  // namespace gradcam
