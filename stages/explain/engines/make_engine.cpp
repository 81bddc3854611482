#include "stages/explain/engines/make_engine.h"

#include <torch/headeronly/version.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "config/user_error.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/engines/processor.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/engines/torchscript_engine.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/model/torch_reason.h"
#if GRADCAM_WITH_OPENVINO
#include "stages/explain/engines/bundle_head.h"
#include "stages/explain/engines/openvino_features.h"
#endif

namespace gradcam {
namespace {

using Layers = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw UserError(ExitCode::kUsage, "--" + option + ": " + why);
}

/// What is asked of a candidate, and what it needs to be made. Lives until the choice is made.
struct Request {
  const Network& network;
  const Layers& layers;
  const ModelDescription& description;
  const ExplainOptions& options;
  at::Tensor probe;

  bool wants_engine(const std::string& name) const {
    return options.engine == "auto" || options.engine == name;
  }
  bool wants_precision(const std::string& name) const {
    return options.precision == name || (options.precision == "auto" && name != "int8");
  }
};

/// The halves of the TorchScript graph. Throws as CutGraph does for what cannot be cut at all.
SplitGraph halves_of(const Model& model, const Layers& layers, const ModelDescription& d) {
  const MarkedGraph marked = mark_layers(model, layers);
  const CutGraph whole(model, layers, marked, d.input_height, d.input_width, d.output);
  auto halves = split(marked);
  if (!halves) throw std::runtime_error("the graph cannot be split at this layer");
  return *halves;
}

void add_torchscript(const Request& request, std::vector<EngineCandidate>& candidates) {
  const bool on_cpu = request.network.device().is_cpu();
  if (request.wants_precision("fp32")) {
    candidates.push_back({"torchscript fp32", [request] {
                            return std::make_unique<TorchScriptEngine>(
                                request.network.model(), request.layers, request.description);
                          }});
  }
  if (request.layers.size() != 1) return;
  std::vector<TorchScriptForm> forms;
  if (on_cpu && request.wants_precision("fp32")) forms.push_back(TorchScriptForm::kOptimized);
  if (on_cpu && request.wants_precision("bf16") && processor_has_bf16()) {
    forms.push_back(TorchScriptForm::kBf16);
  }
  if (!on_cpu && request.wants_precision("fp32")) forms.push_back(TorchScriptForm::kPlain);
  if (!on_cpu && request.wants_precision("fp16")) forms.push_back(TorchScriptForm::kFp16);
  const auto halves = std::make_shared<std::optional<SplitGraph>>();  // one for all forms
  for (const TorchScriptForm form : forms) {
    candidates.push_back(
        {name_of(form),
         [request, halves, form] {
           const auto& [network, layers, description, options, probe] = request;
           if (!*halves) *halves = halves_of(network.model(), layers, description);
           return std::make_unique<SplitEngine>(
               torchscript_features(**halves, form, Normalisation(description, network.device())),
               Head((*halves)->head, description.output), probe);
         },
         /*only_measured=*/form == TorchScriptForm::kOptimized});
  }
}

#if GRADCAM_WITH_OPENVINO
void add_openvino(const Request& request, std::vector<EngineCandidate>& candidates) {
  if (request.options.precision == "fp16") return;  // which is CUDA's
  const Bundle bundle = *request.network.bundle();
  std::shared_ptr<const OpenVino> openvino;
  bool has_bf16 = false;
  try {
    openvino = std::make_shared<const OpenVino>(request.network.cache());
    has_bf16 = openvino->has_bf16();
  } catch (const std::exception& error) {  // without its plugin, say: one candidate that is out
    candidates.push_back(
        {"openvino", [why = std::string(error.what())]() -> std::unique_ptr<Engine> {
           throw std::runtime_error(why);
         }});
    return;
  }
  const int threads = engine_threads(request.options);
  const int batch = std::max(request.options.batch, 1);
  std::vector<OpenVinoForm> forms;
  if (request.wants_precision("fp32")) forms.push_back(OpenVinoForm::kFp32);
  if (request.wants_precision("bf16") && has_bf16) {
    forms.push_back(OpenVinoForm::kBf16);
  }
  if (request.wants_precision("int8") && bundle.has_int8) {
    if (bundle.int8_needs_vnni && !processor_has_vnni()) {
      refuse("precision int8",
             "the bundle's int8 form was made on a processor with VNNI, and this one has none: its "
             "sums would overflow; make the bundle here (scripts/compile_model.py --int8), or give "
             "--precision auto");
    }
    forms.push_back(OpenVinoForm::kInt8);
  }
  for (const OpenVinoForm form : forms) {
    candidates.push_back(
        {name_of(form), [=] {
           const auto& ir =
               form == OpenVinoForm::kInt8 ? bundle.features_int8() : bundle.features();
           return std::make_unique<SplitEngine>(
               openvino->compile(ir, form, Normalisation(request.description), threads, batch),
               bundle_head(bundle), request.probe);
         }});
  }
}
std::string openvino_version() { return OpenVino::version(); }
#else
void add_openvino(const Request&, std::vector<EngineCandidate>&) {}
std::string openvino_version() { return ""; }
#endif

/// Why OpenVINO does not serve; empty if it does.
std::string openvino_obstacle(const Network& network, const Layers& layers) {
  if (!GRADCAM_WITH_OPENVINO) return "this program was built without OpenVINO";
  if (network.bundle() == nullptr) return "the model is no bundle (scripts/compile_model.py)";
  if (layers != Layers{network.bundle()->layer}) {
    return "the bundle was made for layer " + network.bundle()->layer;
  }
  return "";
}

/// Why no candidate has the number format that was asked for.
std::string precision_obstacle(const Request& request, const std::string& openvino) {
  const std::string& precision = request.options.precision;
  if (precision == "fp16") return "needs a CUDA device; give auto or fp32";
  if (precision == "int8") {
    if (request.options.engine == "torchscript" || !openvino.empty()) {
      return "needs OpenVINO: " + (openvino.empty() ? "not --engine torchscript" : openvino);
    }
    return "the bundle has no int8 form (scripts/compile_model.py --int8 makes it)";
  }
  if (!request.network.device().is_cpu())
    return "is for the CPU; give --device cpu, or auto, fp32 or fp16";
  if (request.layers.size() != 1) return "works with one layer; give auto or fp32";
  return "this processor does not compute in it; give auto or fp32";
}

/// Throws UserError that says why there is no candidate.
[[noreturn]] void refuse_all(const Request& request, const std::string& no_openvino) {
  const Network& network = request.network;
  if (!network.has_model()) {
    if (request.layers != Layers{network.bundle()->layer}) network.model();  // says what is missing
    const std::string lacks = "bundle '" + network.path() + "' holds no sound model.pt";
    if (request.options.engine == "torchscript") refuse("engine torchscript", lacks);
    if (!no_openvino.empty()) throw UserError(ExitCode::kModel, lacks + ", and " + no_openvino);
  }
  refuse("precision " + request.options.precision, precision_obstacle(request, no_openvino));
}

std::string key_of(const Request& request, const std::vector<EngineCandidate>& candidates) {
  std::string key = "gradcam-live " GRADCAM_VERSION "|" + request.network.identity();
  const Normalisation normalisation(request.description);
  for (const auto& numbers : {normalisation.offset(), normalisation.factor()}) {
    for (const float number : numbers) {
      key += '|';
      key += std::to_string(number);
    }
  }
  for (const EngineCandidate& candidate : candidates) key += "|" + candidate.name;
  for (const std::string& layer : request.layers) key += "|" + layer;
  for (const std::string& part :
       {std::to_string(request.description.input_height) + "x" +
            std::to_string(request.description.input_width),
        request.options.engine, request.options.precision,
        std::to_string(engine_threads(request.options)), request.network.device().str(),
        std::string(TORCH_VERSION), openvino_version(), processor()}) {
    key += "|" + part;
  }
  return key;
}

}  // namespace

int engine_threads(const ExplainOptions& options) {
  return options.threads > 0 ? options.threads
                             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

ChosenEngine make_engine(const Network& network, const Layers& layers,
                         const ModelDescription& description, const ExplainOptions& options,
                         Choosing choosing) {
  const Request request{network, layers, description, options,
                        probe_pixels(description.input_height, description.input_width)};
  const std::string no_openvino = openvino_obstacle(network, layers);
  if (options.engine == "openvino" && !no_openvino.empty()) {
    refuse("engine openvino", no_openvino);
  }
  std::vector<EngineCandidate> candidates;
  if (request.wants_engine("torchscript") && network.has_model()) {
    add_torchscript(request, candidates);
  }
  if (request.wants_engine("openvino") && no_openvino.empty()) add_openvino(request, candidates);
  if (candidates.empty()) refuse_all(request, no_openvino);
  const bool has_fp32 = request.wants_precision("fp32");
  try {
    const ChoiceRules rules{.threads = engine_threads(options),
                            .agreement = has_fp32 ? kAgreesWithFp32 : kAgreesWithRounded,
                            .choosing = choosing};
    return choose_engine(candidates, request.probe, rules,
                         ChoiceMemory(network.cache(), key_of(request, candidates)));
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(ExitCode::kModel, "model '" + network.path() + "': cannot run as " +
                                          candidates[0].name + ": " + torch_reason(error.what()));
  }
}

}  // namespace gradcam
