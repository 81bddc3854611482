#include "stages/explain/engines/openvino_kind.h"

#if GRADCAM_WITH_OPENVINO
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "config/user_error.h"
#include "stages/explain/engines/make_engine.h"
#include "stages/explain/engines/openvino_features.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/engines/processor.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/engines/torch_to_openvino.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/import/cut_model.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/model/tensors.h"
#endif

namespace gradcam {

namespace {

/// Whether the layers are those that the network's bundle was made for.
bool fits_bundle(const Network& network, const std::vector<std::string>& layers) {
  return network.bundle() != nullptr && layers == std::vector{network.bundle()->layer};
}

}  // namespace

std::string openvino_obstacle(const Network& network, const std::vector<std::string>& layers) {
  if (!GRADCAM_WITH_OPENVINO) return "this program was built without OpenVINO";
  if (fits_bundle(network, layers)) return "";
  if (!network.device().is_cpu()) return "it is for the CPU";
  if (network.has_model()) return "";
  return "the bundle was made for layer " + network.bundle()->layer;
}

std::string openvino_format_obstacle(const EngineRequest& request) {
  const std::string obstacle = openvino_obstacle(request.network, request.layers);
  if (!obstacle.empty()) return "needs OpenVINO: " + obstacle;
  if (!request.allows(EngineName::kOpenVino)) {
    return "needs OpenVINO: not --engine " + std::string(name_of(request.options.engine));
  }
  return "there is no int8 form of it at this layer (scripts/compile_model.py --int8 makes a "
         "bundle that holds one)";
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

/// The number formats that the request allows and both network and machine have.
std::vector<Precision> formats_of(const EngineRequest& request, bool has_bf16) {
  std::vector<Precision> formats;
  if (request.allows(Precision::kFp32)) formats.push_back(Precision::kFp32);
  if (request.allows(Precision::kBf16) && has_bf16) formats.push_back(Precision::kBf16);
  if (!fits_bundle(request.network, request.layers)) return formats;
  const Bundle& bundle = *request.network.bundle();
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

/// How the features are compiled. The same for all formats of a request.
struct Compiler {
  std::shared_ptr<const OpenVino> openvino;
  Normalisation normalisation;
  int threads;
  int batch;

  std::unique_ptr<Features> operator()(OpenVino::ModelFor model_for, Precision format) const {
    return openvino->compile(std::move(model_for), format, normalisation, threads, batch);
  }
};

std::unique_ptr<Engine> engine_of_bundle(const EngineRequest& request, const Compiler& compiled,
                                         Precision format) {
  const Bundle& bundle = *request.network.bundle();
  const auto& ir = format == Precision::kInt8 ? bundle.features_int8() : bundle.features();
  return std::make_unique<SplitEngine>(compiled(compiled.openvino->file(ir), format),
                                       head_of(bundle), request.probe);
}

/// Throws std::runtime_error where the features give other values than the graph that they were
/// made from: `--engine openvino` leaves no other engine to hold them against.
void check_features(Features& features, const SplitGraph& halves,
                    const Normalisation& normalisation, const at::Tensor& probe, double least) {
  const auto expected =
      torchscript_features(halves, TorchScriptForm::kPlain, normalisation)->run(probe).head;
  const auto found = features.run(probe).head;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].sizes() == found.at(i).sizes() && correlation(expected[i], found[i]) >= least) {
      continue;
    }
    throw std::runtime_error("OpenVINO: computes another network than LibTorch");
  }
}

/// The part in front of the cut: of a file that OpenVINO read, its own nodes; else, and where the
/// file's shapes do not allow so many pictures, made of the graph.
OpenVino::ModelFor model_for(const EngineRequest& request, const SplitGraph& halves) {
  return [graph = halves.features, d = request.description,
          source = request.network.model().source()](int count) {
    if (source != nullptr) {
      if (auto own = cut_model(*source, *graph, count)) return own;
    }
    return to_openvino(*graph, count, d.channels(), d.input_height, d.input_width);
  };
}

std::unique_ptr<Engine> engine_of_graph(const EngineRequest& request, const Compiler& compiled,
                                        Precision format) {
  const SplitGraph& halves = halves_of(request);
  auto features = compiled(model_for(request, halves), format);
  const double least = format == Precision::kFp32 ? request.agreement() : kAgreesWithRounded;
  check_features(*features, halves, compiled.normalisation, request.probe, least);
  return split_engine(request, halves, std::move(features));
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
  const Compiler compiled{openvino, Normalisation(request.description),
                          engine_threads(request.options), std::max(request.options.batch, 1)};
  const auto make =
      fits_bundle(request.network, request.layers) ? &engine_of_bundle : &engine_of_graph;
  std::vector<EngineCandidate> candidates;
  for (const Precision format : formats_of(request, has_bf16)) {
    candidates.push_back(
        {name_of(EngineName::kOpenVino, format), [=] { return make(request, compiled, format); }});
  }
  return candidates;
}

std::string openvino_version() { return OpenVino::version(); }

#else

std::vector<EngineCandidate> openvino_candidates(const EngineRequest&) { return {}; }
std::string openvino_version() { return ""; }

#endif

}  // namespace gradcam
