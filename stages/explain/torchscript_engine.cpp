#include "stages/explain/torchscript_engine.h"

#include "config/user_error.h"
#include "stages/explain/split_graph.h"
#include "stages/explain/torchscript_halves.h"

namespace gradcam {

TorchScriptEngine::TorchScriptEngine(const Model& model, const std::vector<std::string>& layers,
                                     const ModelDescription& description)
    : model_(model),
      layers_(layers),
      output_(description.output),
      normalisation_(description),
      cut_(model, layers, description.input_height, description.input_width, output_) {}

Engine::Result TorchScriptEngine::run(const at::Tensor& pixels) {
  Result result = cut_.run(normalisation_.apply(pixels, model_.device()));
  result.rest = {pixels};
  return result;
}

Engine::Tail TorchScriptEngine::tail(const Result& result, std::size_t layer, std::int64_t n) {
  Halves& here = halves(layer);
  const FeatureValues values = here.features->run(result.rest.at(0).narrow(0, n, 1));
  return tail_of(here.head, {values.head.begin() + 1, values.head.end()}, 1, 0);
}

TorchScriptEngine::Halves& TorchScriptEngine::halves(std::size_t layer) {
  if (const auto found = halves_.find(layer); found != halves_.end()) return found->second;
  const auto split_here = split(mark_layers(model_, {layers_.at(layer)}));
  if (!split_here) {
    throw UserError(ExitCode::kUsage,
                    "layer " + layers_[layer] +
                        ": the network cannot be split here, as this method needs (control flow "
                        "or a list crosses the cut): choose another layer or method");
  }
  Halves made{
      torchscript_features(*split_here, TorchScriptForm::kPlain, normalisation_, model_.device()),
      Head(split_here->head, output_)};
  return halves_.emplace(layer, std::move(made)).first->second;
}

}  // namespace gradcam
