#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/graph/local_operation.h"

/// The rules of local_operation(), one function for each kind of operation. Internal to
/// stages/explain/graph.
namespace gradcam::local {

using Numbers = std::vector<std::int64_t>;

/// The operation that a rule is made for.
struct Subject {
  const torch::jit::Value* result;
  const torch::jit::Node& node;
  const RecordedValues& known;
  Numbers shape;  ///< of the result

  /// "conv2d", "prim::ListUnpack"
  std::string name() const;
  /// Throws std::runtime_error for what is no tensor.
  Numbers shape_of(const torch::jit::Value* value) const;
  /// The first input, which must vary.
  const torch::jit::Value* operand() const { return node.input(0); }
};

[[noreturn]] void refuse(const Subject& subject, const std::string& why);

/// The place of a dimension that may be counted from the last.
std::size_t dimension(std::int64_t d, std::size_t rank);

/// What no rule is for: it takes its operands whole.
LocalOperation on_whole_operands(const Subject& subject);
/// Each number of the result comes of those at the same place of the operands, broadcast.
LocalOperation pointwise(const Subject& subject);
/// Each number of the result comes of all of dimension `d` of its one operand.
LocalOperation along(const Subject& subject, std::size_t d);

// local_windows.cpp
LocalOperation convolution(const Subject& subject);
LocalOperation pooling(const Subject& subject);
LocalOperation enlarging(const Subject& subject);

// local_moves.cpp
LocalOperation joining(const Subject& subject);
/// `start`: the argument that says where.
LocalOperation slicing(const Subject& subject, const std::string& start);
/// Of a list that a tensor was split into, one of its tensors.
LocalOperation part_of_list(const Subject& subject);
LocalOperation permuting(const Subject& subject);
LocalOperation transposing(const Subject& subject);
/// Another shape for the same numbers in the same order.
LocalOperation reshaping(const Subject& subject);

}  // namespace gradcam::local
