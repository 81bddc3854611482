#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "stages/explain/graph/cut_result.h"
#include "stages/explain/graph/local_operation.h"
#include "stages/explain/graph/recorded_values.h"
#include "stages/explain/graph/region.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/frame/description.h"

namespace gradcam {

/// What of a head is to be computed for one scalar.
struct LocalPlan {
  std::vector<std::optional<Region>> given;     ///< part of each value
  std::vector<std::optional<LocalNeed>> needs;  ///< of each step
  bool takes_batch = true;
  /// All sizes: plans that agree in them differ in where their parts lie, and in no more.
  std::vector<std::int64_t> pattern;
};

/// Plans of one pattern, and their scalars. More than one: all take a batch.
struct LocalBatch {
  const std::vector<at::Tensor>& inputs;  ///< of the head, [N, …]
  std::vector<const LocalPlan*> plans;
  std::vector<const PictureSeed*> scalars;
};

/// The operations of a head in their order, each on the parts that a plan says. Internal to
/// LocalHead.
class LocalNetwork {
 public:
  /// As LocalHead::of(). Throws std::runtime_error, or what LibTorch throws, where there is no such
  /// form of the head.
  LocalNetwork(const SplitGraph& halves, const OutputChoice& output,
               const std::vector<at::Tensor>& inputs);

  /// `seed`: not empty.
  LocalPlan plan_for(const Seed& seed) const;
  /// The gradients of each scalar with respect to each layer; undefined: zero everywhere.
  std::vector<std::vector<at::Tensor>> run(const LocalBatch& batch) const;
  /// The part of all numbers of the head that are computed.
  double share_of(const LocalPlan& plan) const;
  const std::vector<std::int64_t>& output_shape() const { return values_[output_].shape; }

 private:
  /// A tensor of the head: one of its inputs, a constant, or what a step computes.
  struct Value {
    std::vector<std::int64_t> shape;  ///< of one picture
    std::optional<std::size_t> input;
    at::Tensor constant;
  };
  struct Step {
    LocalOperation operation;
    std::vector<std::size_t> operands;  ///< numbers of values
    std::size_t result;
  };

  std::size_t add_operand(const LocalOperand& operand, const RecordedValues& known);
  void describe(LocalPlan& plan) const;
  at::Tensor source(std::size_t value, const LocalBatch& batch) const;
  at::Tensor operand(std::size_t i, std::size_t k, const std::vector<at::Tensor>& parts,
                     const LocalBatch& batch) const;
  std::vector<at::Tensor> forward(const LocalBatch& batch) const;
  at::Tensor direction(const at::Tensor& end, const LocalBatch& batch) const;

  std::shared_ptr<torch::jit::Graph> graph_;
  std::vector<Value> values_;
  std::map<const torch::jit::Value*, std::size_t> numbers_;  ///< of values that vary
  std::vector<Step> steps_;
  std::vector<std::size_t> layers_;  ///< numbers of values
  std::size_t output_ = 0;           ///< number of a value
};

}  // namespace gradcam
