#include "stages/explain/found_activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "stages/explain/engines/probe.h"
#include "stages/explain/graph/output_end.h"
#include "stages/explain/model/tensors.h"

namespace gradcam {
namespace {

using Scores = std::vector<float>;

Scores scores_for(Engine& engine, const at::Tensor& pixels) {
  const HeatMap output = to_map(engine.run(pixels).output.detach().flatten(1));
  return {output.values.begin(), output.values.end()};
}

/// Whether all numbers lie in 0..1.
bool are_shares(const Scores& scores) {
  return std::ranges::all_of(scores, [](float score) { return score >= 0 && score <= 1; });
}

/// Whether they sum up to 1, too, as a softmax gives them.
bool are_shares_of_one(const Scores& scores) {
  constexpr double kTolerance = 1e-3;
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  return scores.size() > 1 && are_shares(scores) && std::abs(sum - 1) < kTolerance;
}

bool are_logarithms(const Scores& scores) {
  return std::ranges::all_of(scores, [](float score) { return score <= 0; });
}

/// Whether the scores of pictures that have little in common are all shares: those of one picture
/// may be by chance. Pictures of which the network makes no numbers (0/0) do not count.
bool always_shares(Engine& engine, const at::Tensor& picture, bool (*are)(const Scores&)) {
  for (const at::Tensor& other : {255 - picture, picture.flip({2, 3}).contiguous(),
                                  at::zeros_like(picture), at::full_like(picture, 255)}) {
    const Scores scores = scores_for(engine, other);
    const auto finite = [](float score) { return std::isfinite(score); };
    if (std::ranges::all_of(scores, finite) && !are(scores)) return false;
  }
  return true;
}

}  // namespace

std::string find_activation(const Network& network, Engine& engine, std::span<const float> first,
                            ModelDescription& description) {
  const ScoreActivation usual = description.activation;
  // Who made a bundle looked at the whole network and noted what it found.
  if (description.activation_given || usual == ScoreActivation::kNone || network.bundle())
    return "";
  const bool softmax = usual == ScoreActivation::kSoftmax;
  const Scores scores(first.begin(), first.end());
  // A softmax finds the shares in their logarithms, a sigmoid does not.
  if (!are_shares(scores) && (softmax || !are_logarithms(scores))) return "";
  const OutputEnd end = output_end(network.model(), description.output);
  const auto found = [&](const std::string& evidence) {
    description.activation = ScoreActivation::kNone;
    return "the network's scores are shares already (" + evidence + "): no " +
           (softmax ? "softmax" : "sigmoid") + " is applied to them";
  };
  if (end == OutputEnd::kSoftmax) return found("it ends in a softmax");
  if (end == OutputEnd::kSigmoid) return found("it ends in a sigmoid");
  if (end == OutputEnd::kLogSoftmax && !softmax) {
    description.activation = ScoreActivation::kSoftmax;
    return "the network's scores are logarithms of shares (it ends in a log_softmax): a softmax is "
           "applied to them, no sigmoid";
  }
  if (end != OutputEnd::kUnknown) return "";
  const auto are = softmax ? &are_shares_of_one : &are_shares;
  const at::Tensor picture = probe_pixels(description);
  if (!are(scores) || !always_shares(engine, picture, are)) return "";
  return found(softmax ? "they lie in 0..1 and sum up to 1, whatever the picture"
                       : "they lie in 0..1, whatever the picture");
}

}  // namespace gradcam
