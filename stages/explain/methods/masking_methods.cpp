#include "stages/explain/methods/masking_methods.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace gradcam {
namespace {

constexpr std::int64_t kTogether = 32;  ///< variants that are made at once, so that memory is bound

/// S, [count], of the variants that `make(begin, end)` gives, `kTogether` at a time.
template <class Make, class Score>
at::Tensor scores_of(std::int64_t count, const Make& make, const Score& score) {
  std::vector<at::Tensor> scores;
  for (std::int64_t begin = 0; begin < count; begin += kTogether) {
    scores.push_back(score(make(begin, std::min(begin + kTogether, count))));
  }
  return at::cat(scores);
}

}  // namespace

at::Tensor ablationcam(const MethodInput& input) {
  const at::Tensor& a = input.activation;
  const double low = a.min().item<double>();
  const double ablated = low == 0 ? 0 : low - 1e7;
  const auto without = [&](std::int64_t begin, std::int64_t end) {
    at::Tensor variants = a.unsqueeze(0).repeat({end - begin, 1, 1, 1});
    for (std::int64_t c = begin; c < end; ++c) variants[c - begin][c].fill_(ablated);
    return variants;
  };
  const at::Tensor lost = input.score - scores_of(a.size(0), without, input.score_behind);
  return input.score > 0 ? lost / input.score : lost;
}

at::Tensor reciprocam(const MethodInput& input) {
  const at::Tensor& a = input.activation;
  const std::int64_t width = a.size(2);
  const auto alone = [&](std::int64_t begin, std::int64_t end) {
    at::Tensor variants = at::zeros({end - begin, a.size(0), a.size(1), width}, a.options());
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int64_t y = place / width;
      const std::int64_t x = place % width;
      variants[place - begin].select(1, y).select(1, x).copy_(a.select(1, y).select(1, x));
    }
    return variants;
  };
  return scores_of(a.size(1) * width, alone, input.score_behind).view({a.size(1), width});
}

at::Tensor scorecam(const MethodInput& input) {
  const at::Tensor& a = input.activation;
  const auto masks = [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor large =
        at::upsample_bilinear2d(a.slice(0, begin, end).unsqueeze(0),
                                {input.input_height, input.input_width}, /*align_corners=*/true)[0];
    const at::Tensor low = large.amin({1, 2}, true);
    const at::Tensor high = large.amax({1, 2}, true);
    return (large - low) / (high - low + 1e-8);
  };
  return scores_of(a.size(0), masks, input.score_masked).softmax(0);
}

}  // namespace gradcam
