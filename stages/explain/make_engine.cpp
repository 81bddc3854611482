#include "stages/explain/make_engine.h"

#include "config/user_error.h"
#include "stages/explain/torchscript_engine.h"
#if GRADCAM_WITH_OPENVINO
#include "stages/explain/bundle_engine.h"
#endif

namespace gradcam {
namespace {

/// Why a bundle's own engine does not serve; empty if it does.
std::string obstacle(const Network& network, const std::vector<std::string>& layers) {
  if (!GRADCAM_WITH_OPENVINO) return "this program was built without OpenVINO";
  if (network.bundle() == nullptr) return "the model is no bundle (scripts/compile_model.py)";
  if (layers != std::vector<std::string>{network.bundle()->layer}) {
    return "the bundle was made for layer " + network.bundle()->layer;
  }
  return "";
}

}  // namespace

std::unique_ptr<Engine> make_engine(const Network& network, const std::vector<std::string>& layers,
                                    const ModelDescription& description,
                                    const ExplainOptions& options) {
  const std::string why_not = obstacle(network, layers);
#if GRADCAM_WITH_OPENVINO
  if (why_not.empty() && options.engine != "torchscript") {
    return std::make_unique<BundleEngine>(*network.bundle(), description.input_height,
                                          description.input_width, options);
  }
#endif
  if (options.engine == "openvino") {
    throw UserError(ExitCode::kUsage, "--engine openvino: " + why_not);
  }
  if (options.precision == "bf16") {
    throw UserError(
        ExitCode::kUsage,
        "--precision bf16: " + (why_not.empty() ? "torchscript has only fp32" : why_not));
  }
  return std::make_unique<TorchScriptEngine>(network.model(), layers, description.input_height,
                                             description.input_width, description.output_index);
}

}  // namespace gradcam
