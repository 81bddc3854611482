#include "stages/explain/engines/openvino_kind.h"

#if GRADCAM_WITH_OPENVINO
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "config/user_error.h"
#include "stages/explain/engines/features.h"
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
#include "stages/explain/model/plain_runs.h"
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
  if (request.network.bundle() == nullptr && request.network.model().is_quantised()) {
    return "the file is quantised, and runs in int8 as it is: leave this out";
  }
  return "there is no int8 form of it at this layer (scripts/compile_model.py --int8 makes a file "
         "in int8, which runs as it is)";
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
          "one has none: its sums would overflow; make a file in int8 here "
          "(scripts/compile_model.py --int8), or give --precision auto");
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
                                         Precision format, Proof /*its maker has shown it*/) {
  const Bundle& bundle = *request.network.bundle();
  const auto& ir = format == Precision::kInt8 ? bundle.features_int8() : bundle.features();
  return std::make_unique<SplitEngine>(compiled(compiled.openvino->file(ir), format),
                                       head_of(bundle), request.probe);
}

/// Throws std::runtime_error where the features give other values than the graph that they were
/// made from: `--engine openvino` leaves no other engine to hold them against.
void check_features(Features& features, const SplitGraph& halves, const OutputChoice& output,
                    const Normalisation& normalisation, const at::Tensor& probe, double least) {
  const PlainRuns looked_at_once;
  auto expected =
      torchscript_features(halves, TorchScriptForm::kPlain, normalisation)->run(probe).head;
  const FeatureValues values = features.run(probe);
  auto found = values.head;
  if (values.output.defined()) {
    const at::NoGradGuard no_grad;
    Head head(halves.head, output, halves.count(false), halves.count(true));
    const Head::Result result = head.run(expected);
    expected.insert(expected.end(), result.inner.begin(), result.inner.end());
    expected.push_back(result.output);
    found.insert(found.end(), values.inner.begin(), values.inner.end());
    found.push_back(values.output);
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].sizes() == found.at(i).sizes() && correlation(expected[i], found[i]) >= least) {
      continue;
    }
    throw std::runtime_error("OpenVINO: computes another network than LibTorch");
  }
}

/// What lies in front of the cut, or the whole network: of a file that OpenVINO read, its own
/// nodes; else, and where the file's shapes do not allow so many pictures, made of the graph.
OpenVino::ModelFor model_for(const EngineRequest& request,
                             const std::shared_ptr<torch::jit::Graph>& part) {
  return [graph = part, d = request.description,
          source = request.network.model().source()](int count) {
    if (source != nullptr) {
      if (auto own = cut_model(*source, *graph, count)) return own;
    }
    return to_openvino(*graph, count, d.channels(), d.input_height, d.input_width);
  };
}

/// Where the head has a local form, OpenVINO computes all that is read of the network.
std::unique_ptr<Features> features_of(const EngineRequest& request, const Compiler& compiled,
                                      const SplitGraph& halves, Precision format) {
  const auto source = request.network.model().source();
  if (halves.local && halves.whole && (!source || cut_model(*source, *halves.whole, 1))) {
    try {
      return std::make_unique<WholeFeatures>(compiled(model_for(request, halves.whole), format),
                                             halves.count(/*in_head=*/true));
    } catch (const std::exception&) {  // what lies behind the cut has no form there
    }
  }
  return compiled(model_for(request, halves.features), format);
}

std::unique_ptr<Engine> engine_of_graph(const EngineRequest& request, const Compiler& compiled,
                                        Precision format, Proof proof) {
  const SplitGraph& halves = halves_of(request, proof);
  auto features = features_of(request, compiled, halves, format);
  if (proof == Proof::kNeeded) {
    const double least = format == Precision::kFp32 ? request.agreement() : kAgreesWithRounded;
    check_features(*features, halves, request.description.output, compiled.normalisation,
                   request.probe, least);
  }
  return split_engine(request, halves, std::move(features));
}

}  // namespace

std::vector<EngineCandidate> openvino_candidates(const EngineRequest& request) {
  if (request.options.precision == Precision::kFp16) return {};  // which is CUDA's
  std::shared_ptr<const OpenVino> openvino;
  bool has_bf16 = false;
  try {
    openvino = std::make_shared<const OpenVino>(request.network.memory().folder());
    has_bf16 = openvino->has_bf16();
  } catch (const std::exception& error) {  // without its plugin, say: one candidate that is out
    return {{"openvino", [why = std::string(error.what())](Proof) -> std::unique_ptr<Engine> {
               throw std::runtime_error(why);
             }}};
  }
  const Compiler compiled{openvino, Normalisation(request.description),
                          engine_threads(request.options), std::max(request.options.batch, 1)};
  const auto make =
      fits_bundle(request.network, request.layers) ? &engine_of_bundle : &engine_of_graph;
  std::vector<EngineCandidate> candidates;
  for (const Precision format : formats_of(request, has_bf16)) {
    candidates.push_back({name_of(EngineName::kOpenVino, format),
                          [=](Proof proof) { return make(request, compiled, format, proof); }});
  }
  return candidates;
}

std::string openvino_version() { return OpenVino::version(); }

#else

std::vector<EngineCandidate> openvino_candidates(const EngineRequest&) { return {}; }
std::string openvino_version() { return ""; }

#endif

}  // namespace gradcam
