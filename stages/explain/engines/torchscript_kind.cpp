#include "stages/explain/engines/torchscript_kind.h"

#include <torch/headeronly/version.h>

#include <memory>

#include "stages/explain/engines/processor.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/engines/torchscript_engine.h"
#include "stages/explain/engines/torchscript_halves.h"

namespace gradcam {
namespace {

/// The forms of a split graph that the request allows, on the device of its network.
std::vector<TorchScriptForm> forms_of(const EngineRequest& request) {
  std::vector<TorchScriptForm> forms;
  if (request.network.device().is_cpu()) {
    if (request.allows(Precision::kFp32)) forms.push_back(TorchScriptForm::kOptimized);
    if (request.allows(Precision::kBf16) && processor_has_bf16()) {
      forms.push_back(TorchScriptForm::kBf16);
    }
  } else {
    if (request.allows(Precision::kFp32)) forms.push_back(TorchScriptForm::kPlain);
    if (request.allows(Precision::kFp16)) forms.push_back(TorchScriptForm::kFp16);
  }
  return forms;
}

}  // namespace

std::string torchscript_obstacle(const Network& network, const std::vector<std::string>& layers) {
  if (network.has_model()) return "";
  if (layers != std::vector{network.bundle()->layer}) network.model();  // throws: what is missing
  return "bundle '" + network.path() + "' holds no sound model.pt";
}

std::vector<EngineCandidate> torchscript_candidates(const EngineRequest& request) {
  std::vector<EngineCandidate> candidates;
  if (request.allows(Precision::kFp32)) {
    candidates.push_back(
        {name_of(EngineName::kTorchScript, Precision::kFp32), [request](Proof /*shown anyway*/) {
           auto engine = std::make_unique<TorchScriptEngine>(request.network.model(),
                                                             request.layers, request.description);
           request.shared->cut_is_sound = true;
           return engine;
         }});
  }
  for (const TorchScriptForm form : forms_of(request)) {
    candidates.push_back(
        {name_of(form),
         [request, form](Proof proof) {
           const ModelDescription& description = request.description;
           const Normalisation normalisation(description, request.network.device());
           const SplitGraph& halves = halves_of(request, proof);
           return split_engine(request, halves, torchscript_features(halves, form, normalisation));
         },
         /*last_resort=*/form == TorchScriptForm::kOptimized});
  }
  return candidates;
}

std::string torchscript_format_obstacle(const EngineRequest& request) {
  if (request.options.precision == Precision::kFp16)
    return "needs a CUDA device; give auto or fp32";
  if (!request.network.device().is_cpu()) {
    return "is for the CPU; give --device cpu, or auto, fp32 or fp16";
  }
  return "this processor does not compute in it; give auto or fp32";
}

std::string torchscript_version() { return TORCH_VERSION; }

}  // namespace gradcam
