#include "stages/explain/engines/torchscript_engine.h"

#include "config/user_error.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/explain/model/tensors.h"

namespace gradcam {
namespace {

[[noreturn]] void no_halves(const std::string& layer, const std::string& why) {
  throw UserError(ExitCode::kUsage,
                  "layer " + layer + ": the network cannot be split here, as this method needs (" +
                      why + "): choose another layer or method");
}

}  // namespace

TorchScriptEngine::TorchScriptEngine(const Model& model, const std::vector<std::string>& layers,
                                     const ModelDescription& description)
    : model_(model),
      layers_(layers),
      output_(description.output),
      normalisation_(description, model.device()),
      cut_(model, layers, description) {}

CutResult TorchScriptEngine::run(const at::Tensor& pixels) {
  Result result = cut_.run(normalisation_.apply(pixels));
  result.rest = {pixels};
  return result;
}

Tail TorchScriptEngine::tail(const Result& result, std::size_t layer, std::int64_t n) {
  Halves& here = halves(layer);
  const FeatureValues values = here.features->run(result.rest.at(0).narrow(0, n, 1));
  Tail behind = tail_of(here.head, {values.head.begin() + 1, values.head.end()}, 1, 0);
  if (here.proven) return behind;
  constexpr double kSame = 0.99;
  if (correlation(behind(values.head.at(0)), result.output.detach().narrow(0, n, 1)) < kSame) {
    no_halves(layers_.at(layer), "an operation in place crosses the cut");
  }
  here.proven = true;
  return behind;
}

TorchScriptEngine::Halves& TorchScriptEngine::halves(std::size_t layer) {
  if (const auto found = halves_.find(layer); found != halves_.end()) return found->second;
  const auto split_here = split(mark_layers(model_, {layers_.at(layer)}));
  if (!split_here) {
    no_halves(layers_[layer], "control flow or a list crosses the cut");
  }
  Halves made{torchscript_features(*split_here, TorchScriptForm::kPlain, normalisation_),
              Head(split_here->head, output_)};
  return halves_.emplace(layer, std::move(made)).first->second;
}

}  // namespace gradcam
