#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/features.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/model/normalisation.h"
#include "stages/frame/description.h"

namespace gradcam {

/// A TorchScript network in one graph: any layers, CPU and CUDA. What the other engines are held
/// against.
class TorchScriptEngine : public Engine {
 public:
  /// Throws as CutGraph does.
  TorchScriptEngine(const Model& model, const std::vector<std::string>& layers,
                    const ModelDescription& description);

  Result run(const at::Tensor& pixels) override;
  /// Of the graph split at that layer, made when first asked for. Throws UserError(kUsage) for a
  /// layer where the graph cannot be split, or its halves do not give what the whole gives.
  Tail tail(const Result& result, std::size_t layer, std::int64_t n) override;
  at::Tensor forward_only(const at::Tensor& pixels) override {
    return cut_.forward_only(normalisation_.apply(pixels));
  }
  std::vector<std::int64_t> output_shape() const override { return cut_.output_shape(); }
  std::string name() const override { return "torchscript fp32"; }

 private:
  struct Halves {
    std::unique_ptr<Features> features;
    Head head;
    bool proven = false;  ///< together they gave what the whole gives
  };
  Halves& halves(std::size_t layer);

  Model model_;
  std::vector<std::string> layers_;
  OutputChoice output_;
  Normalisation normalisation_;
  CutGraph cut_;
  std::map<std::size_t, Halves> halves_;  ///< by layer
};

}  // namespace gradcam
