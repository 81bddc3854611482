#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "stages/explain/graph/recorded_values.h"
#include "stages/explain/graph/region.h"

namespace gradcam {

/// What an operation has to be given, so that it gives part of its result.
struct LocalNeed {
  Region result;                                ///< the part that it gives, which may be larger
  std::vector<std::optional<Region>> operands;  ///< one for each; nullopt: nothing of it
  /// How far windows reach beyond the edges of the operand: left, right, top, bottom.
  std::array<std::int64_t, 4> padding{};
};

/// A tensor that depends on the picture; or a constant of which parts are taken, too.
struct LocalOperand {
  const torch::jit::Value* value;
  at::Tensor constant;  ///< undefined for one that depends on the picture
};

/// One operation of a graph, on parts of its operands.
struct LocalOperation {
  std::vector<LocalOperand> operands;
  /// Whether several parts [1, …] may come as one [B, …], in each of the operands.
  bool takes_batch = true;
  std::function<LocalNeed(const Region& wanted)> need;
  /// `parts`: as `need` says; undefined where it needs nothing. Recorded by autograd.
  std::function<at::Tensor(const std::vector<at::Tensor>& parts, const LocalNeed& need)> run;
};

/// The operation whose result is `result`, a tensor that varies. One that no rule is for takes its
/// operands whole. Throws std::runtime_error for what has other operands or results than tensors
/// and lists of tensors, or writes in place. Valid as long as the graph.
LocalOperation local_operation(const torch::jit::Value* result, const RecordedValues& known);

}  // namespace gradcam
