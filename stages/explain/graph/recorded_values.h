#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gradcam {

/// What one run of a graph showed of its values: for inputs of these shapes, which are constants,
/// and how large the others are. Internal to stages/explain/graph.
class RecordedValues {
 public:
  /// `graph`: without control flow. `inputs`: one for each of its inputs. Throws what LibTorch
  /// throws on them.
  RecordedValues(torch::jit::Graph& graph, const std::vector<at::Tensor>& inputs);

  /// Whether it depends on the numbers of an input, and not on its shape alone.
  bool varies(const torch::jit::Value* value) const { return varying_.count(value) > 0; }
  /// Of one that does not vary.
  const c10::IValue& constant(const torch::jit::Value* value) const { return constants_.at(value); }
  /// Of one that varies; nullopt: it is no tensor.
  std::optional<std::vector<std::int64_t>> shape(const torch::jit::Value* value) const;

  /// An argument of an operator by its name; nullopt: it has none of that name, or it is none, or
  /// varies.
  std::optional<c10::IValue> argument(const torch::jit::Node& node, const std::string& name) const;
  std::optional<std::int64_t> number(const torch::jit::Node& node, const std::string& name) const;
  std::optional<bool> flag(const torch::jit::Node& node, const std::string& name) const;
  std::optional<at::Tensor> tensor(const torch::jit::Node& node, const std::string& name) const;
  /// One for each of two directions; one number stands for both.
  std::optional<std::vector<std::int64_t>> pair(const torch::jit::Node& node,
                                                const std::string& name) const;

 private:
  void take(const torch::jit::Value* value, const c10::IValue& found);

  std::set<const torch::jit::Value*> varying_;
  std::map<const torch::jit::Value*, c10::IValue> constants_;
  std::map<const torch::jit::Value*, std::vector<std::int64_t>> shapes_;
};

}  // namespace gradcam
