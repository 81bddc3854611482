#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stages/explain/cut_graph.h"
#include "stages/explain/description.h"
#include "stages/explain/engine.h"
#include "stages/explain/normalisation.h"

namespace gradcam {

/// A TorchScript network in one graph: any layers, CPU and CUDA. What the other engines are held
/// against.
class TorchScriptEngine : public Engine {
 public:
  /// Throws as CutGraph does.
  TorchScriptEngine(const Model& model, const std::vector<std::string>& layers,
                    const ModelDescription& description)
      : device_(model.device()),
        normalisation_(description),
        cut_(model, layers, description.input_height, description.input_width,
             description.output_index) {}

  Result run(const at::Tensor& pixels) override {
    return cut_.run(normalisation_.apply(pixels, device_));
  }
  at::Tensor forward_only(const at::Tensor& pixels) override {
    return cut_.forward_only(normalisation_.apply(pixels, device_));
  }
  int outputs() const override { return cut_.outputs(); }
  std::string name() const override { return "torchscript fp32"; }

 private:
  c10::Device device_;
  Normalisation normalisation_;
  CutGraph cut_;
};

}  // namespace gradcam
