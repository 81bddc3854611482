#include "stages/explain/graph/head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/cut_result.h"
#include "stages/explain/graph/graph_marks.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

bool is_none(const jit::Value* value) {
  const auto constant = jit::toIValue(value);
  return constant && constant->isNone();
}

bool is_list(const jit::Value* value, std::initializer_list<std::vector<std::int64_t>> any_of) {
  const auto constant = jit::toIValue(value);
  return constant && constant->isIntList() &&
         std::ranges::count(any_of, constant->toIntVector()) != 0;
}

/// Gives every value of its first input again, unchanged and in the same order.
bool keeps_values(const jit::Node* node) {
  switch (node->kind()) {
    case c10::aten::clone:
    case c10::aten::contiguous:
    case c10::aten::alias:
      return true;
    case c10::aten::dropout: {
      const auto training = jit::toIValue(node->input(2));
      return training && training->isBool() && !training->toBool();
    }
    default:
      return false;
  }
}

/// From [N, C, 1, 1] to [N, C] in one of the usual ways.
bool drops_places(const jit::Node* node) {
  switch (node->kind()) {
    case c10::aten::flatten:
    case c10::aten::reshape:
    case c10::aten::view:
    case c10::aten::squeeze:
      return true;
    default:
      return false;
  }
}

bool averages(const jit::Node* node) {
  if (node->kind() == c10::aten::adaptive_avg_pool2d) return is_list(node->input(1), {{1, 1}});
  return node->kind() == c10::aten::mean && node->inputs().size() > 1 &&
         is_list(node->input(1), {{2, 3}, {-1, -2}, {-2, -1}, {3, 2}});
}

/// One row for each seed: the sum of the rows that its terms name. Of a single class of a single
/// picture a view: the shorter way for a network of two milliseconds.
at::Tensor rows_of(const at::Tensor& weight, const std::vector<Seed>& seeds) {
  std::vector<at::Tensor> rows;
  rows.reserve(seeds.size());
  for (const Seed& seed : seeds) {
    if (seed.size() == 1 && seed[0].weight == 1) {
      rows.push_back(weight.narrow(0, seed[0].index, 1));
      continue;
    }
    at::Tensor sum = at::zeros_like(weight.narrow(0, 0, 1));
    for (const SeedTerm& term : seed) sum += weight.narrow(0, term.index, 1) * term.weight;
    rows.push_back(sum);
  }
  return rows.size() == 1 ? rows[0] : at::cat(rows);
}

/// Whether the graph's output is the mean of its first input over the places, [N, C].
bool only_averages(const jit::Graph& graph) {
  bool averaged = false;
  const jit::Value* value = graph.outputs().at(0);
  while (value != graph.inputs().at(0)) {
    const jit::Node* const node = value->node();
    if (node->inputs().empty()) return false;
    if (!averaged && averages(node)) {
      averaged = true;
    } else if (!keeps_values(node) && (averaged || !drops_places(node))) {
      return false;
    }
    value = node->input(0);
  }
  return averaged;
}

}  // namespace

Head::~Head() = default;
Head::Head(Head&&) noexcept = default;

Head::Head(const std::shared_ptr<jit::Graph>& graph, const OutputChoice& output, std::size_t layers,
           std::size_t inner)
    : output_(output), inner_(inner) {
  auto own = graph->copy();
  jit::EliminateDeadCode(own);
  std::vector<jit::Value*> inside;
  if (inner_ > 0) {
    const auto results = own->outputs().at(0)->node()->inputs();
    inside.assign(results.begin() + 1, results.end());
    own->registerOutput(results[0]);
    own->eraseOutput(0);
  }
  jit::Node* const last = own->outputs().at(0)->node();
  if (last->kind() == c10::aten::linear) {
    const auto weight = constant_tensor(last->input(1));
    const auto bias = constant_tensor(last->input(2));
    if (weight && (bias || is_none(last->input(2)))) {
      weight_ = *weight;
      bias_ = bias.value_or(at::Tensor());
      own->eraseOutput(0);
      own->registerOutput(last->input(0));
      only_averages_ = layers == 1 && inner_ == 0 && only_averages(*own);
    }
  }
  if (inner_ > 0) return_also(*own, inside);
  jit::EliminateDeadCode(own);
  jit::OptimizeFrozenGraph(own, /*optimize_numerics=*/true);
  function_ = std::make_unique<jit::GraphFunction>("head", own, nullptr);
}

Head::Result Head::run(const std::vector<at::Tensor>& values, const at::Tensor& output) {
  if (only_averages_ && output.defined()) return {output, {}};
  jit::Stack stack(values.begin(), values.end());
  function_->run(stack);
  c10::IValue returned = stack.back();
  std::vector<at::Tensor> inner;
  if (inner_ > 0) {
    const auto all = returned.toTuple();
    returned = all->elements()[0];
    for (std::size_t i = 0; i < inner_; ++i) inner.push_back(all->elements()[i + 1].toTensor());
  }
  const auto end = output_tensor(returned, output_);
  if (!end) throw std::runtime_error("forward returns no tensor");
  if (!weight_.defined()) return {*end, *end, std::move(inner)};
  if (output.defined()) return {output, *end, std::move(inner)};
  const at::NoGradGuard no_grad;
  return {at::linear(*end, weight_, bias_), *end, std::move(inner)};
}

bool Head::depends_on_activation(const Result& result) const {
  return only_averages_ || result.end.requires_grad();
}

std::vector<at::Tensor> Head::gradients(const Result& result,
                                        const std::vector<at::Tensor>& activations,
                                        const std::vector<Seed>& seeds, bool retain_graph) {
  const at::NoGradGuard no_grad;  // of what is done here; what has been recorded stays
  if (only_averages_) {
    return {rows_of(averaged(activations.at(0)), seeds).expand_as(activations[0])};
  }
  return torch::autograd::grad({result.end}, activations, {direction(result, seeds)}, retain_graph);
}

std::vector<at::Tensor> Head::curvatures(const Result& result,
                                         const std::vector<at::Tensor>& activations,
                                         const std::vector<Seed>& seeds) {
  if (only_averages_) return {at::zeros_like(activations.at(0).detach())};
  return second_order(result.end, direction(result, seeds), activations);
}

/// dS/d(end).
at::Tensor Head::direction(const Result& result, const std::vector<Seed>& seeds) const {
  const at::NoGradGuard no_grad;
  if (!weight_.defined()) return dense(result.output, seeds);
  if (result.end.dim() == 2) return rows_of(weight_, seeds);
  return at::matmul(dense(result.output, seeds), weight_);
}

Tail tail_of(Head& head, const std::vector<at::Tensor>& rest, std::int64_t pictures,
             std::int64_t n) {
  std::vector<at::Tensor> own;
  own.reserve(rest.size());
  for (const at::Tensor& value : rest) {
    const bool by_picture = value.dim() > 0 && value.size(0) == pictures;
    own.push_back(by_picture ? value.narrow(0, n, 1) : value);
  }
  return [&head, own](const at::Tensor& activations) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> values{activations};
    for (const at::Tensor& value : own) {
      std::vector<std::int64_t> shape = value.sizes().vec();
      if (!shape.empty() && shape[0] == 1) shape[0] = activations.size(0);
      values.push_back(value.expand(shape));
    }
    return head.run(values).output;
  };
}

/// The last layer's weights by the number of places, [classes, C, 1, 1].
const at::Tensor& Head::averaged(const at::Tensor& activation) {
  const std::int64_t places = activation.size(2) * activation.size(3);
  if (places != places_) {
    places_ = places;
    averaged_ = weight_.div(static_cast<double>(places)).unsqueeze(2).unsqueeze(3);
  }
  return averaged_;
}

}  // namespace gradcam
