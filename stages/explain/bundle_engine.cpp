#include "stages/explain/bundle_engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "config/user_error.h"
#include "stages/explain/features_choice.h"
#include "stages/explain/torch_reason.h"

namespace gradcam {
namespace {

[[noreturn]] void bad_bundle(const Bundle& bundle, const std::string& why) {
  throw UserError(ExitCode::kModel, "bundle '" + bundle.folder + "': " + why);
}

/// Something smooth, as pictures are: on noise any two classes are a hair apart.
at::Tensor probe_input(int height, int width) {
  const at::Tensor coarse = at::rand({1, 3, 7, 7}) * 4 - 2;
  return at::upsample_bilinear2d(coarse, {height, width}, /*align_corners=*/false);
}

}  // namespace

BundleEngine::BundleEngine(const Bundle& bundle, int height, int width,
                           const ExplainOptions& options) {
  try {
    head_ = torch::jit::load(bundle.head(), c10::Device("cpu"));
    head_.eval();
    for (at::Tensor parameter : head_.parameters()) parameter.set_requires_grad(false);
    head_ = torch::jit::freeze(head_);
    const at::Tensor input = probe_input(height, width);
    features_ =
        choose_features(bundle, options, input, [this](const std::vector<at::Tensor>& values) {
          const at::NoGradGuard no_grad;
          return head(values);
        });
    const Result result = run(input);
    if (result.output.dim() != 2 || result.output.size(0) != 1 || !result.output.requires_grad()) {
      bad_bundle(bundle, "its head gives no row of scores that depends on the activation");
    }
    outputs_ = static_cast<int>(result.output.size(1));
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    bad_bundle(bundle, "cannot run: " + torch_reason(error.what()));
  }
}

at::Tensor BundleEngine::head(const std::vector<at::Tensor>& values) {
  return head_.forward({values.begin(), values.end()}).toTensor();
}

Engine::Result BundleEngine::run(const at::Tensor& input) {
  std::vector<at::Tensor> values = features_->run(input);
  values[0].requires_grad_();
  const at::AutoGradMode with_grad(true);
  return {head(values), {values[0]}};
}

at::Tensor BundleEngine::forward_only(const at::Tensor& input) {
  const at::NoGradGuard no_grad;
  return head(features_->run(input));
}

}  // namespace gradcam
