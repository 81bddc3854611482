#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <limits>

#include "stages/explain/graph/local_rules.h"

namespace gradcam::local {
namespace {

/// Of convolutions and poolings: which windows of the operand [N, C, h, w] the places of the result
/// come of, in y and x.
struct Windows {
  Numbers kernel;
  Numbers stride;
  Numbers padding;
  Numbers dilation;
  Numbers operand;            ///< its shape
  std::int64_t channels = 0;  ///< of the result, if each comes of all; 0: of the one of its number

  std::int64_t reach(std::size_t i) const { return dilation[i] * (kernel[i] - 1) + 1; }
  LocalNeed need(const Region& wanted) const;
};

LocalNeed Windows::need(const Region& wanted) const {
  LocalNeed need{wanted, {wanted}};
  Region& from = *need.operands[0];
  if (channels > 0) {
    need.result[1] = {0, channels};
    from[1] = {0, operand[1]};
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const Span& to = wanted[i + 2];
    const std::int64_t first = to.begin * stride[i] - padding[i];
    const std::int64_t end = (to.end() - 1) * stride[i] - padding[i] + reach(i);
    const std::int64_t begin = std::max<std::int64_t>(first, 0);
    from[i + 2] = {begin, std::min(end, operand[i + 2]) - begin};
    need.padding.at(2 - 2 * i) = begin - first;
    need.padding.at(3 - 2 * i) = end - from[i + 2].end();
  }
  return need;
}

std::optional<Windows> windows_of(const Subject& subject, const Numbers& kernel) {
  const RecordedValues& known = subject.known;
  if (!known.varies(subject.operand())) return std::nullopt;
  const Numbers shape = subject.shape_of(subject.operand());
  const auto padding = known.pair(subject.node, "padding");
  const auto dilation = known.argument(subject.node, "dilation")
                            ? known.pair(subject.node, "dilation")
                            : std::optional(Numbers{1, 1});
  if (!padding || !dilation || shape.size() != 4) return std::nullopt;
  const Numbers stride = known.pair(subject.node, "stride").value_or(kernel);  // of poolings
  const Windows windows{kernel, stride, *padding, *dilation, shape};
  for (std::size_t i = 0; i < 2; ++i) {
    if (windows.padding[i] >= windows.reach(i)) return std::nullopt;  // windows of padding alone
  }
  return windows;
}

at::Tensor padded(const at::Tensor& part, const LocalNeed& need, double value) {
  const auto& padding = need.padding;
  if (std::ranges::count(padding, 0) == std::ssize(padding)) return part;
  return at::constant_pad_nd(part, padding, value);
}

}  // namespace

LocalOperation convolution(const Subject& subject) {
  const RecordedValues& known = subject.known;
  const auto weight = known.tensor(subject.node, "weight");
  const at::Tensor bias = known.tensor(subject.node, "bias").value_or(at::Tensor());
  const auto groups = known.number(subject.node, "groups");
  const bool transposed = known.flag(subject.node, "transposed").value_or(false);
  if (!weight || weight->dim() != 4 || known.varies(subject.node.input(2)) || !groups ||
      transposed) {
    return on_whole_operands(subject);
  }
  auto windows = windows_of(subject, {weight->size(2), weight->size(3)});
  if (!windows) return on_whole_operands(subject);
  windows->channels = weight->size(0);
  const auto run = [w = *windows, weight = *weight, bias, groups = *groups](
                       const std::vector<at::Tensor>& parts, const LocalNeed& need) {
    const auto& padding = need.padding;
    const bool even = padding[0] == padding[1] && padding[2] == padding[3];
    const Numbers own = even ? Numbers{padding[2], padding[0]} : Numbers{0, 0};
    return at::conv2d(even ? parts[0] : padded(parts[0], need, 0), weight, bias, w.stride, own,
                      w.dilation, groups);
  };
  return {{{subject.operand(), {}}},
          true,
          [w = *windows](const Region& wanted) { return w.need(wanted); },
          run};
}

LocalOperation pooling(const Subject& subject) {
  const RecordedValues& known = subject.known;
  const bool averages = subject.name() == "avg_pool2d";
  const auto kernel = known.pair(subject.node, "kernel_size");
  if (!kernel || known.flag(subject.node, "ceil_mode").value_or(true) ||
      known.argument(subject.node, "divisor_override")) {
    return on_whole_operands(subject);
  }
  const auto windows = windows_of(subject, *kernel);
  // What padding counts as in a mean depends on the edge that it is at.
  if (!windows || (averages && windows->padding != Numbers{0, 0})) {
    return on_whole_operands(subject);
  }
  const auto run = [w = *windows, averages](const std::vector<at::Tensor>& parts,
                                            const LocalNeed& need) {
    if (averages) return at::avg_pool2d(parts[0], w.kernel, w.stride);
    const at::Tensor part = padded(parts[0], need, -std::numeric_limits<double>::infinity());
    return at::max_pool2d(part, w.kernel, w.stride, 0, w.dilation);
  };
  return {{{subject.operand(), {}}},
          true,
          [w = *windows](const Region& wanted) { return w.need(wanted); },
          run};
}

/// Nearest neighbours, by a whole factor.
LocalOperation enlarging(const Subject& subject) {
  const Numbers small = subject.shape_of(subject.operand());
  const std::int64_t factor = subject.shape.at(2) / small.at(2);
  if (factor < 1 || small[2] * factor != subject.shape[2] ||
      small.at(3) * factor != subject.shape.at(3)) {
    return on_whole_operands(subject);
  }
  const auto need = [factor](const Region& wanted) {
    LocalNeed found{wanted, {wanted}};
    for (std::size_t d = 2; d < 4; ++d) {
      const std::int64_t begin = wanted[d].begin / factor;
      const std::int64_t size = (wanted[d].end() - 1) / factor + 1 - begin;
      found.operands[0]->at(d) = {begin, size};
      found.result[d] = {begin * factor, size * factor};
    }
    return found;
  };
  const auto run = [](const std::vector<at::Tensor>& parts, const LocalNeed& given) {
    return at::upsample_nearest2d(parts[0], {given.result[2].size, given.result[3].size});
  };
  return {{{subject.operand(), {}}}, true, need, run};
}

}  // namespace gradcam::local
