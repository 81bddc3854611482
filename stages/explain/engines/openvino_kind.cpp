#include "stages/explain/engines/openvino_kind.h"

#if GRADCAM_WITH_OPENVINO
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>

#include "config/user_error.h"
#include "stages/explain/engines/make_engine.h"
#include "stages/explain/engines/openvino_features.h"
#include "stages/explain/engines/processor.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/model/normalisation.h"
#endif

namespace gradcam {

std::string openvino_obstacle(const Network& network, const std::vector<std::string>& layers) {
  if (!GRADCAM_WITH_OPENVINO) return "this program was built without OpenVINO";
  if (network.bundle() == nullptr) return "the model is no bundle (scripts/compile_model.py)";
  const std::string& layer = network.bundle()->layer;
  return layers == std::vector{layer} ? "" : "the bundle was made for layer " + layer;
}

std::string openvino_format_obstacle(const EngineRequest& request) {
  const std::string obstacle = openvino_obstacle(request.network, request.layers);
  if (!obstacle.empty()) return "needs OpenVINO: " + obstacle;
  if (!request.allows(EngineName::kOpenVino)) {
    return "needs OpenVINO: not --engine " + std::string(name_of(request.options.engine));
  }
  return "the bundle has no int8 form (scripts/compile_model.py --int8 makes it)";
}

#if GRADCAM_WITH_OPENVINO

namespace {

/// The TorchScript head of a bundle. Throws what LibTorch throws for a file it cannot read.
Head head_of(const Bundle& bundle) {
  auto module = torch::jit::load(bundle.head(), c10::Device("cpu"));
  module.eval();
  for (at::Tensor parameter : module.parameters()) parameter.set_requires_grad(false);
  const auto graph = torch::jit::freeze(module).get_method("forward").graph()->copy();
  graph->eraseInput(0);  // the module itself: its weights have become constants
  return {graph, OutputChoice{}};
}

/// The number formats that the request allows and both bundle and machine have.
std::vector<Precision> formats_of(const EngineRequest& request, bool has_bf16) {
  const Bundle& bundle = *request.network.bundle();
  std::vector<Precision> formats;
  if (request.allows(Precision::kFp32)) formats.push_back(Precision::kFp32);
  if (request.allows(Precision::kBf16) && has_bf16) formats.push_back(Precision::kBf16);
  if (request.allows(Precision::kInt8) && bundle.has_int8) {
    if (bundle.int8_needs_vnni && !processor_has_vnni()) {
      throw UserError(
          ExitCode::kUsage,
          "--precision int8: the bundle's int8 form was made on a processor with VNNI, and this "
          "one has none: its sums would overflow; make the bundle here (scripts/compile_model.py "
          "--int8), or give --precision auto");
    }
    formats.push_back(Precision::kInt8);
  }
  return formats;
}

}  // namespace

std::vector<EngineCandidate> openvino_candidates(const EngineRequest& request) {
  if (request.options.precision == Precision::kFp16) return {};  // which is CUDA's
  std::shared_ptr<const OpenVino> openvino;
  bool has_bf16 = false;
  try {
    openvino = std::make_shared<const OpenVino>(request.network.cache());
    has_bf16 = openvino->has_bf16();
  } catch (const std::exception& error) {  // without its plugin, say: one candidate that is out
    return {{"openvino", [why = std::string(error.what())]() -> std::unique_ptr<Engine> {
               throw std::runtime_error(why);
             }}};
  }
  const Bundle bundle = *request.network.bundle();
  const int threads = engine_threads(request.options);
  const int batch = std::max(request.options.batch, 1);
  std::vector<EngineCandidate> candidates;
  for (const Precision format : formats_of(request, has_bf16)) {
    candidates.push_back({name_of(EngineName::kOpenVino, format), [=] {
                            const auto& ir = format == Precision::kInt8 ? bundle.features_int8()
                                                                        : bundle.features();
                            const Normalisation normalisation(request.description);
                            return std::make_unique<SplitEngine>(
                                openvino->compile(ir, format, normalisation, threads, batch),
                                head_of(bundle), request.probe);
                          }});
  }
  return candidates;
}

std::string openvino_version() { return OpenVino::version(); }

#else

std::vector<EngineCandidate> openvino_candidates(const EngineRequest&) { return {}; }
std::string openvino_version() { return ""; }

#endif

}  // namespace gradcam
