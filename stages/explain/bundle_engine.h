#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>

#include "config/options.h"
#include "stages/explain/engine.h"
#include "stages/explain/features.h"
#include "stages/explain/network.h"

namespace gradcam {

/// A bundle: OpenVINO in front of the target layer, LibTorch behind it. On the CPU.
class BundleEngine : public Engine {
 public:
  /// With `options.precision` auto, the number formats that this processor has are timed on the
  /// network itself, and the fastest is taken whose scores and activation agree with fp32; what was
  /// found is kept in the bundle's cache for the next start.
  /// Throws UserError(kModel) for a bundle that cannot run, kUsage for a precision that is not
  /// there.
  BundleEngine(const Bundle& bundle, int height, int width, const ExplainOptions& options);

  Result run(const at::Tensor& input) override;
  at::Tensor forward_only(const at::Tensor& input) override;
  int outputs() const override { return outputs_; }
  std::string name() const override { return features_->name(); }

 private:
  at::Tensor head(const std::vector<at::Tensor>& values);

  torch::jit::Module head_;
  std::unique_ptr<Features> features_;
  int outputs_ = 0;
};

}  // namespace gradcam
