#include "stages/explain/graph/output_end.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/graph/output_value.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;
using Names = std::set<std::string_view>;

const Names kSigmoids = {"sigmoid", "hardsigmoid"};
const Names kSoftmaxes = {"softmax", "_softmax"};
const Names kLogSoftmaxes = {"log_softmax", "_log_softmax"};
const Names kLinear = {"linear",       "addmm",       "conv1d",    "conv2d",
                       "_convolution", "convolution", "batch_norm"};
const Names kProducts = {"matmul", "mm", "bmm"};  // linear where one factor is a constant
/// A sum with a bias, a temperature: raw scores stay raw, shares do not stay shares.
const Names kShifts = {"add", "sub", "mul", "div", "relu"};
/// Shares stay shares, and raw scores raw.
const Names kMoves = {"view",
                      "reshape",
                      "flatten",
                      "squeeze",
                      "unsqueeze",
                      "permute",
                      "transpose",
                      "contiguous",
                      "clone",
                      "detach",
                      "alias",
                      "to",
                      "type_as",
                      "float",
                      "select",
                      "slice",
                      "narrow",
                      "dropout",
                      "mean",
                      "avg_pool2d",
                      "adaptive_avg_pool2d",
                      "upsample_nearest2d",
                      "upsample_bilinear2d"};

OutputEnd end_of(const jit::Value* value);

/// The same for all branches, or unknown.
OutputEnd end_of_branches(const jit::Value* value) {
  std::set<OutputEnd> ends;
  for (const jit::Block* block : value->node()->blocks()) {
    ends.insert(end_of(block->outputs().at(value->offset())));
  }
  return ends.size() == 1 ? *ends.begin() : OutputEnd::kUnknown;
}

/// Of the operation's tensors those that depend on the picture.
std::vector<const jit::Value*> variables_of(const jit::Node& node) {
  std::vector<const jit::Value*> found;
  for (const jit::Value* input : node.inputs()) {
    const bool tensor = input->type()->isSubtypeOf(*c10::TensorType::get());
    if (tensor && !jit::toIValue(input)) found.push_back(input);
  }
  return found;
}

/// Whether an operation writes into the value, so that its node does not tell what it ends as.
bool is_overwritten(const jit::Value* value) {
  return std::ranges::any_of(value->uses(), [](const jit::Use& use) {
    const std::string_view name = use.user->kind().toUnqualString();
    return use.offset == 0 && use.user->kind().is_aten() && name.ends_with('_');
  });
}

OutputEnd end_of(const jit::Value* value) {
  if (is_overwritten(value)) return OutputEnd::kUnknown;
  const jit::Node& node = *value->node();
  if (node.kind() == c10::prim::If) return end_of_branches(value);
  if (!node.kind().is_aten()) return OutputEnd::kUnknown;
  std::string name = node.kind().toUnqualString();
  if (name.back() == '_') name.pop_back();  // in place
  if (kSigmoids.contains(name)) return OutputEnd::kSigmoid;
  if (kSoftmaxes.contains(name)) return OutputEnd::kSoftmax;
  if (kLogSoftmaxes.contains(name)) return OutputEnd::kLogSoftmax;
  if (kLinear.contains(name)) return OutputEnd::kRaw;
  if (kMoves.contains(name)) return end_of(node.input(0));
  const auto variables = variables_of(node);
  if (variables.size() != 1) return OutputEnd::kUnknown;
  if (kProducts.contains(name)) return OutputEnd::kRaw;
  const bool raw = kShifts.contains(name) && end_of(variables[0]) == OutputEnd::kRaw;
  return raw ? OutputEnd::kRaw : OutputEnd::kUnknown;
}

}  // namespace

OutputEnd output_end(const Model& model, const OutputChoice& output) {
  const MarkedGraph marked(model, [](const std::string&) { return false; });
  if (!output.parts.empty()) return OutputEnd::kUnknown;
  jit::Graph& graph = *marked.graph();
  const jit::Value* const value = output_value(graph, graph.outputs().at(0), output);
  return value != nullptr ? end_of(value) : OutputEnd::kUnknown;
}

}  // namespace gradcam
