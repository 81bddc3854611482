#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/engine.h"
#include "stages/explain/graph_marks.h"
#include "stages/explain/model.h"

namespace torch::jit {
struct GraphFunction;
}

namespace gradcam {

/// Any TorchScript file, any layer, CPU or CUDA: the network as one frozen graph, cut at the target
/// layers. In front of the cut nothing requires a gradient, so autograd records the tail only, and
/// an explanation costs a forward pass plus the backward of the tail.
class TorchScriptEngine : public Engine {
 public:
  /// `height`, `width`: of the input. `output_index`: which element when forward returns a tuple or
  /// list. Throws UserError(kUsage) for a layer that is not there (near names are listed), gives
  /// nothing spatial, cannot be cut or has no path to the output; UserError(kModel) for a network
  /// that cannot run, or whose output is not one row of floats per picture.
  TorchScriptEngine(const Model& model, const std::vector<std::string>& layers, int height,
                    int width, std::optional<int> output_index);
  ~TorchScriptEngine() override;

  Result run(const at::Tensor& input) override;
  at::Tensor forward_only(const at::Tensor& input) override;
  int outputs() const override { return outputs_; }
  std::string name() const override { return "torchscript fp32"; }

 private:
  void build(const MarkedGraph& marked, const std::vector<bool>& is_leaf);
  void probe(const MarkedGraph& marked, int height, int width);
  Result run_first(const at::Tensor& input);
  void check(const Result& result) const;
  at::Tensor select(const c10::IValue& returned) const;

  Model model_;
  std::vector<std::string> layers_;
  std::optional<int> output_index_;
  int outputs_ = 0;
  std::unique_ptr<torch::jit::GraphFunction> cut_;
  std::unique_ptr<torch::jit::GraphFunction> whole_;  ///< made when it is first asked for
};

}  // namespace gradcam
