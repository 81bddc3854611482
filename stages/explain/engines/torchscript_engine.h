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

/// A TorchScript network as one graph: any layers, CPU and CUDA. The reference that the other
/// engines are compared with.
class TorchScriptEngine : public Engine {
 public:
  /// Throws as CutGraph does.
  TorchScriptEngine(const Model& model, const std::vector<std::string>& layers,
                    const ModelDescription& description);

  Result run(const at::Tensor& pixels) override;
  /// The graph is split at that layer when its tail is first asked for. Throws UserError(kUsage)
  /// for a layer where it cannot be split, or where the halves do not give what the whole gives.
  Tail tail(const Result& result, std::size_t layer, std::int64_t n) override;
  at::Tensor forward_only(const at::Tensor& pixels) override {
    return cut_.forward_only(normalisation_.apply(pixels));
  }
  std::string gradient_obstacle() const override { return cut_.gradient_obstacle(); }
  std::vector<std::int64_t> output_shape() const override { return cut_.output_shape(); }
  std::string name() const override { return name_of(EngineName::kTorchScript, Precision::kFp32); }

 private:
  struct Halves {
    std::unique_ptr<Features> features;
    Head head;
    bool proven = false;  ///< together they gave what the whole network gives
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
