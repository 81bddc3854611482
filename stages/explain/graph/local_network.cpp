#include "stages/explain/graph/local_network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "stages/explain/graph/output_value.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;
using Numbers = std::vector<std::int64_t>;

/// `region` out of `part`, whose numbers are those of `whole`; of one of several, all but the first
/// dimension.
at::Tensor cut(at::Tensor part, const Region& whole, const Region& region,
               std::size_t first_dimension = 0) {
  for (std::size_t d = first_dimension; d < region.size(); ++d) {
    if (region[d] == whole[d]) continue;
    part =
        part.narrow(static_cast<std::int64_t>(d), region[d].begin - whole[d].begin, region[d].size);
  }
  return part;
}

/// Whether they lie in the same way in the wholes.
bool lie_alike(const Region& whole, const Region& region, const Region& other_whole,
               const Region& other_region) {
  for (std::size_t d = 0; d < region.size(); ++d) {
    const std::int64_t offset = region[d].begin - whole[d].begin;
    if (other_region[d].begin - other_whole[d].begin != offset) return false;
  }
  return true;
}

void include(std::optional<Region>& region, const Region& more) {
  region = region ? hull(std::move(*region), more) : more;
}

/// As for Head, and so that nothing is overwritten.
void optimise(std::shared_ptr<jit::Graph>& graph) {
  jit::EliminateDeadCode(graph);
  jit::InplaceToFunctionalActivation(graph);
  jit::RemoveTensorMutation(graph);
  jit::OptimizeFrozenGraph(graph, /*optimize_numerics=*/true);
}

}  // namespace

LocalNetwork::LocalNetwork(const SplitGraph& halves, const OutputChoice& output,
                           const std::vector<at::Tensor>& inputs)
    : graph_(halves.head->copy()) {
  optimise(graph_);
  std::vector<jit::Value*> inner;
  jit::Value* returned = graph_->outputs().at(0);
  if (halves.count(/*in_head=*/true) > 0) {
    const auto all = returned->node()->inputs();
    inner.assign(all.begin() + 1, all.end());
    returned = all[0];
  }
  const jit::Value* const end = output_value(*graph_, returned, output);
  if (end == nullptr) throw std::runtime_error("gives no tensor");
  const RecordedValues known(*graph_, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    numbers_[graph_->inputs()[i]] = values_.size();
    values_.push_back({inputs[i].sizes().vec(), i, {}});
  }
  for (std::size_t i = 0; i < halves.count(/*in_head=*/false); ++i) layers_.push_back(i);
  if (!known.varies(end)) throw std::runtime_error("does not depend on the picture");
  output_ = add_operand({end, {}}, known);
  for (jit::Node* node : graph_->nodes().reverse()) {
    for (const jit::Value* result : node->outputs()) {
      const auto needed = numbers_.find(result);
      if (needed == numbers_.end()) continue;
      Step step{local_operation(result, known), {}, needed->second};
      for (const LocalOperand& operand : step.operation.operands) {
        step.operands.push_back(add_operand(operand, known));
      }
      steps_.push_back(std::move(step));
    }
  }
  std::ranges::reverse(steps_);
  for (jit::Value* layer : inner) {
    if (!known.shape(layer)) throw std::runtime_error("has a layer that is no tensor");
    layers_.push_back(add_operand({layer, {}}, known));
  }
}

/// The number of the value; a new one the first time.
std::size_t LocalNetwork::add_operand(const LocalOperand& operand, const RecordedValues& known) {
  if (operand.constant.defined()) {
    values_.push_back({operand.constant.sizes().vec(), {}, operand.constant});
    return values_.size() - 1;
  }
  const auto [found, is_new] = numbers_.emplace(operand.value, values_.size());
  if (is_new) values_.push_back({known.shape(operand.value).value(), {}, {}});
  return found->second;
}

LocalPlan LocalNetwork::plan_for(const Seed& seed) const {
  LocalPlan plan;
  plan.given.resize(values_.size());
  plan.needs.resize(steps_.size());
  auto& numbers = plan.given[output_];
  for (const SeedTerm& term : seed) include(numbers, number_at(term.index, output_shape()));
  // Of several numbers of a box, all: so that the scores of two classes have one pattern.
  const auto boxes = std::ranges::max_element(output_shape()) - output_shape().begin();
  for (std::size_t d = 0; d < numbers->size(); ++d) {
    if (std::ssize(output_shape()) > 1 && static_cast<std::ptrdiff_t>(d) != boxes &&
        (*numbers)[d].size > 1) {
      (*numbers)[d] = {0, output_shape()[d]};
    }
  }
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const Step& step = steps_[i];
    auto& wanted = plan.given[step.result];
    if (!wanted) continue;
    const LocalNeed& need = plan.needs[i].emplace(step.operation.need(*wanted));
    wanted = need.result;
    plan.takes_batch &= step.operation.takes_batch;
    for (std::size_t k = 0; k < step.operands.size(); ++k) {
      if (need.operands[k]) include(plan.given[step.operands[k]], *need.operands[k]);
    }
  }
  describe(plan);
  return plan;
}

void LocalNetwork::describe(LocalPlan& plan) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!plan.needs[i]) continue;
    const LocalNeed& need = *plan.needs[i];
    plan.pattern.push_back(static_cast<std::int64_t>(i));
    plan.pattern.insert(plan.pattern.end(), need.padding.begin(), need.padding.end());
    for (const Span& span : need.result) plan.pattern.push_back(span.size);
    for (std::size_t k = 0; k < need.operands.size(); ++k) {
      if (!need.operands[k]) continue;
      const Region& whole = *plan.given[steps_[i].operands[k]];
      for (std::size_t d = 0; d < whole.size(); ++d) {
        plan.pattern.push_back((*need.operands[k])[d].size);
        plan.pattern.push_back(whole[d].size);
      }
    }
  }
}

double LocalNetwork::share_of(const LocalPlan& plan) const {
  double computed = 0;
  double all = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    all += static_cast<double>(count_of(all_of(values_[steps_[i].result].shape)));
    if (plan.needs[i]) computed += static_cast<double>(count_of(plan.needs[i]->result));
  }
  return computed / all;
}

/// The parts of an input or a constant, one for each plan.
at::Tensor LocalNetwork::source(std::size_t value, const LocalBatch& batch) const {
  const Value& from = values_[value];
  const Region whole = all_of(from.shape);
  std::vector<at::Tensor> parts;
  for (std::size_t n = 0; n < batch.plans.size(); ++n) {
    at::Tensor tensor = from.constant;
    if (from.input) {
      tensor = batch.inputs[*from.input];
      const bool by_picture = !from.shape.empty() && tensor.size(0) != from.shape[0];
      const auto picture = static_cast<std::int64_t>(batch.scalars[n]->picture);
      if (by_picture) tensor = tensor.narrow(0, picture * from.shape[0], from.shape[0]);
    }
    parts.push_back(cut(tensor, whole, *batch.plans[n]->given[value]));
  }
  if (parts.size() == 1) return parts[0].contiguous();
  const bool same = std::ranges::all_of(batch.plans, [&](const LocalPlan* plan) {
    return *plan->given[value] == *batch.plans[0]->given[value];
  });
  return same && !from.input ? parts[0] : at::cat(parts);
}

/// dS/d(end) of each scalar, in one tensor like the part of the output.
at::Tensor LocalNetwork::direction(const at::Tensor& end, const LocalBatch& batch) const {
  at::Tensor result = at::zeros(end.sizes(), at::TensorOptions(at::kFloat));
  auto* values = result.mutable_data_ptr<float>();
  for (std::size_t n = 0; n < batch.plans.size(); ++n) {
    const Region& part = *batch.plans[n]->given[output_];
    for (const SeedTerm& term : batch.scalars[n]->seed) {
      const Region number = number_at(term.index, output_shape());
      std::int64_t place = 0;
      for (std::size_t d = 0; d < part.size(); ++d) {
        place = place * part[d].size + number[d].begin - part[d].begin;
      }
      values[place] += term.weight;
    }
    values += count_of(part);
  }
  return result.to(end.scalar_type());
}

/// What step `i` takes of its k-th operand, for each plan.
at::Tensor LocalNetwork::operand(std::size_t i, std::size_t k, const std::vector<at::Tensor>& parts,
                                 const LocalBatch& batch) const {
  const std::size_t value = steps_[i].operands[k];
  const auto whole = [&](std::size_t n) -> const Region& { return *batch.plans[n]->given[value]; };
  const auto region = [&](std::size_t n) -> const Region& {
    return *batch.plans[n]->needs[i]->operands[k];
  };
  const std::size_t count = batch.plans.size();
  const at::Tensor& part = parts[value];
  if (count == 1) return cut(part, whole(0), region(0));
  bool alike = true;
  for (std::size_t n = 1; n < count; ++n) {
    alike &= lie_alike(whole(0), region(0), whole(n), region(n));
  }
  if (alike) return cut(part, whole(0), region(0), /*first_dimension=*/1);
  const bool shared = part.size(0) == 1;  // a constant
  std::vector<at::Tensor> each;
  for (std::size_t n = 0; n < count; ++n) {
    const at::Tensor own = shared ? part : part.narrow(0, static_cast<std::int64_t>(n), 1);
    each.push_back(cut(own, whole(n), region(n), /*first_dimension=*/1));
  }
  return at::cat(each);
}

/// The part of each value that the plans need; of layers, leaves of autograd or recorded by it.
std::vector<at::Tensor> LocalNetwork::forward(const LocalBatch& batch) const {
  const LocalPlan& first = *batch.plans[0];
  std::vector<at::Tensor> parts(values_.size());
  for (std::size_t value = 0; value < values_.size(); ++value) {
    const bool is_source = values_[value].input || values_[value].constant.defined();
    if (!is_source || !first.given[value]) continue;
    parts[value] = source(value, batch);
    if (std::ranges::count(layers_, value) > 0) {
      parts[value] = parts[value].detach().requires_grad_();
    }
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!first.needs[i]) continue;
    std::vector<at::Tensor> operands(steps_[i].operands.size());
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (first.needs[i]->operands[k]) operands[k] = operand(i, k, parts, batch);
    }
    parts[steps_[i].result] = steps_[i].operation.run(operands, *first.needs[i]);
  }
  return parts;
}

std::vector<std::vector<at::Tensor>> LocalNetwork::run(const LocalBatch& batch) const {
  const at::AutoGradMode recorded(true);
  const std::vector<at::Tensor> parts = forward(batch);
  const std::size_t count = batch.plans.size();
  std::vector<std::vector<at::Tensor>> gradients(count, std::vector<at::Tensor>(layers_.size()));
  std::vector<at::Tensor> leaves;
  std::vector<std::size_t> reached;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const at::Tensor& part = parts[layers_[i]];
    if (!part.defined() || !part.requires_grad()) continue;
    leaves.push_back(part);
    reached.push_back(i);
  }
  const at::Tensor& end = parts[output_];
  if (leaves.empty() || !end.requires_grad()) return gradients;
  const auto found = torch::autograd::grad({end}, leaves, {direction(end, batch)},
                                           /*retain_graph=*/false, /*create_graph=*/false,
                                           /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (!found[k].defined()) continue;
    const std::size_t value = layers_[reached[k]];
    const Region all = all_of(values_[value].shape);
    for (std::size_t n = 0; n < count; ++n) {
      const auto one = static_cast<std::int64_t>(n);
      at::Tensor whole = at::zeros(values_[value].shape, found[k].options());
      cut(whole, all, *batch.plans[n]->given[value])
          .copy_(count > 1 ? found[k].narrow(0, one, 1) : found[k]);
      gradients[n][reached[k]] = whole;
    }
  }
  return gradients;
}

}  // namespace gradcam
