#include "stages/explain/method_inputs.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "stages/explain/graph/tokens.h"
#include "stages/explain/model/tensors.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

/// S of each row of outputs [B, …], as float [B].
at::Tensor values_of(const Scalar& scalar, const at::Tensor& outputs) {
  const HeatMap rows = to_map(outputs.flatten(1));
  at::Tensor values = at::empty({outputs.size(0)}, at::TensorOptions(at::kFloat));
  for (std::int64_t n = 0; n < outputs.size(0); ++n) {
    values.mutable_data_ptr<float>()[n] =
        static_cast<float>(scalar.value(row_of(rows, static_cast<std::size_t>(n))));
  }
  return values.to(outputs.device());
}

}  // namespace

std::span<const float> EngineRun::output(std::size_t n) const { return row_of(outputs, n); }

std::vector<Slopes> slopes_of(EngineRun& run, const std::vector<ExplainedScalar>& scalars,
                              const Method& method) {
  std::vector<PictureSeed> seeds;
  seeds.reserve(scalars.size());
  for (const ExplainedScalar& scalar : scalars) seeds.push_back({scalar.picture, scalar.seed});
  std::vector<Slopes> slopes(scalars.size());
  if (method.needs.curvature) {
    for (const Round& round : rounds_of(seeds, static_cast<std::size_t>(run.outputs.height))) {
      const auto curvatures = run.engine.curvatures(run.result, round.seeds);
      for (const std::size_t scalar : round.scalars) {
        const auto n = static_cast<std::int64_t>(seeds[scalar].picture);
        for (const at::Tensor& layer : curvatures) {
          slopes[scalar].curvatures.push_back(layer.narrow(0, n, 1));
        }
      }
    }
  }
  if (method.needs.gradient) {
    auto gradients = run.engine.gradients_of(run.result, seeds);
    for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i].gradients = std::move(gradients[i]);
  }
  return slopes;
}

MethodInput MethodInputs::input(const EngineRun& run, std::size_t layer,
                                const ExplainedScalar& explained, const Method& method,
                                const Slopes& slopes) {
  MethodInput input;
  const auto n = static_cast<std::int64_t>(explained.picture);
  const at::Tensor activation = run.result.activations[layer].detach()[n];
  input.activation = to_places(activation, description_);
  input.score_behind = [this, &run, layer, n, &scalar = explained.scalar, activation,
                        tail = Tail()](const at::Tensor& places) mutable {
    throw_if_stopped(run.stop);
    if (!tail) tail = run.engine.tail(run.result, layer, n);
    return values_of(scalar,
                     tails_[layer].run(tail, from_places(places, activation, description_)));
  };
  if (method.needs.gradient) {
    const at::Tensor& gradient = slopes.gradients[layer];
    input.gradient = gradient.defined()
                         ? to_places(gradient[0], description_)
                         : at::zeros({}, activation.options()).expand_as(input.activation);
  }
  if (method.needs.curvature) {
    input.curvature = to_places(slopes.curvatures[layer][0], description_);
  }
  if (method.needs.network) add_network(input, run, explained);
  input.score = explained.scalar.value(run.output(explained.picture));
  input.input_height = description_.input_height;
  input.input_width = description_.input_width;
  return input;
}

void MethodInputs::add_network(MethodInput& input, const EngineRun& run,
                               const ExplainedScalar& explained) {
  const auto n = static_cast<std::int64_t>(explained.picture);
  const at::Tensor picture = whole_network().input_of(run.pixels.narrow(0, n, 1));
  input.score_masked = [this, &run, picture, &scalar = explained.scalar](const at::Tensor& masks) {
    throw_if_stopped(run.stop);
    const auto outputs = [this](const at::Tensor& inputs) { return whole_->outputs(inputs); };
    return values_of(scalar, whole_batching_.run(outputs, picture * masks.unsqueeze(1)));
  };
  input.full_gradients = [this, picture, &seed = explained.seed] {
    return whole_->full_gradients(picture, seed);
  };
}

WholeNetwork& MethodInputs::whole_network() {
  if (!whole_) whole_ = std::make_unique<WholeNetwork>(network_.model(), description_);
  return *whole_;
}

}  // namespace gradcam
