#include <algorithm>
#include <limits>
#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// Of a convolution or pooling; all in the order of the dimensions of the places.
struct Window {
  Ints kernel;
  Ints strides;
  Ints dilations;
  Ints begin;  ///< padding
  Ints end;
  bool symmetric() const { return begin == end; }
  /// Whether ATen's pooling takes this padding: at most half of the kernel, the same on both sides.
  bool fits_pooling() const {
    bool fits = symmetric();
    for (std::size_t i = 0; i < kernel.size(); ++i) fits = fits && 2 * begin[i] <= kernel[i];
    return fits;
  }
};

/// "same" padding is what makes the output as large as the file says it is.
void pad_same(Window& w, const Ints& in, const Ints& out, bool more_at_end) {
  for (std::size_t i = 0; i < w.kernel.size(); ++i) {
    const std::int64_t reach = w.dilations[i] * (w.kernel[i] - 1) + 1;
    const auto total = std::max<std::int64_t>((out[i] - 1) * w.strides[i] + reach - in[i], 0);
    w.begin[i] = more_at_end ? total / 2 : total - total / 2;
    w.end[i] = total - w.begin[i];
  }
}

Ints places(const ov::Shape& shape) { return {shape.begin() + 2, shape.end()}; }

/// `backwards`: of a transposed convolution, whose input is the smaller.
Window window_of(const ov::Node& node, const Ints& kernel, bool backwards) {
  const Attributes attributes(node);
  const std::size_t dims = kernel.size();
  Window w{kernel, attributes.ints("strides", Ints(dims, 1)),
           attributes.ints("dilations", Ints(dims, 1)),
           attributes.ints("pads_begin", Ints(dims, 0)),
           attributes.ints("pads_end", Ints(dims, 0))};
  const std::string automatic = attributes.text("auto_pad", "explicit");
  if (automatic == "valid") w.begin = w.end = Ints(dims, 0);
  if (automatic.starts_with("same")) {
    const Ints in = places(node.get_input_shape(0));
    const Ints out = places(node.get_output_shape(0));
    pad_same(w, backwards ? out : in, backwards ? in : out, automatic == "same_upper");
  }
  return w;
}

jit::Value* padded(GraphBuilder& b, jit::Value* x, const Window& w, double with) {
  return b.call("constant_pad_nd", {x, last_first(w.begin, w.end), with});
}

/// What a transposed convolution adds at the end so that it gives the size that the file says.
Ints added_at_end(const ov::Node& node, const Window& w) {
  Ints extra = Attributes(node).ints("output_padding", Ints(w.kernel.size(), 0));
  if (node.get_input_size() < 3) return extra;
  const Ints in = places(node.get_input_shape(0));
  const Ints out = places(node.get_output_shape(0));
  for (std::size_t i = 0; i < extra.size(); ++i) {
    const std::int64_t reach = w.dilations[i] * (w.kernel[i] - 1) + 1;
    extra[i] = out[i] - ((in[i] - 1) * w.strides[i] + reach - w.begin[i] - w.end[i]);
  }
  return extra;
}

/// "2d"
std::string dims_of(const Window& w) {
  const std::size_t dims = w.kernel.size();
  if (dims < 1 || dims > 3) throw std::runtime_error("has " + std::to_string(dims) + " dimensions");
  return std::to_string(dims) + "d";
}

Rule convolution(bool grouped, bool backwards) {
  return [=](GraphBuilder& b, const ov::Node& node) -> JitValues {
    const ov::Shape& shape = node.get_input_shape(1);
    const std::ptrdiff_t first = grouped ? 3 : 2;
    const Window w = window_of(node, Ints(shape.begin() + first, shape.end()), backwards);
    const std::int64_t groups = grouped ? static_cast<std::int64_t>(shape[0]) : 1;
    jit::Value* weight = nullptr;
    if (const auto known = b.known(node, 1)) {
      at::Tensor kernel = known->to(at::kFloat);
      if (grouped) kernel = kernel.flatten(0, 1);
      if (kernel.dim() == 4) kernel = kernel.contiguous(at::MemoryFormat::ChannelsLast);
      weight = b.graph().insertConstant(kernel);
    } else {
      weight = b.float_input(node, 1);
      if (grouped) weight = b.call("flatten", {weight, 0, 1});
    }
    jit::Value* x = b.float_input(node, 0);
    Ints padding = w.begin;
    if (!w.symmetric()) {
      if (backwards) throw std::runtime_error("is padded more on one side than on the other");
      x = padded(b, x, w, 0);
      padding = Ints(w.begin.size(), 0);
    }
    const std::string dims = dims_of(w);
    if (!backwards) {
      return {b.call("conv" + dims,
                     {x, weight, c10::IValue(), w.strides, padding, w.dilations, groups})};
    }
    return {b.call("conv_transpose" + dims, {x, weight, c10::IValue(), w.strides, padding,
                                             added_at_end(node, w), groups, w.dilations})};
  };
}

JitValues max_pool(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  if (node.get_output_size() > 1 && !node.get_output_target_inputs(1).empty()) {
    throw std::runtime_error("is asked for the places of the largest values");
  }
  Window w = window_of(node, attributes.ints("kernel"), false);
  const bool ceil = attributes.text("rounding_type", "floor").starts_with("ceil");
  const std::string name = "max_pool" + dims_of(w);
  jit::Value* x = b.input(node, 0);
  if (!w.fits_pooling()) {
    x = padded(b, x, w, -std::numeric_limits<float>::infinity());
    w.begin = Ints(w.kernel.size(), 0);
  }
  return {b.call(name, {x, w.kernel, w.strides, w.begin, w.dilations, ceil})};
}

JitValues average_pool(GraphBuilder& b, const ov::Node& node) {
  const Attributes attributes(node);
  Window w = window_of(node, attributes.ints("kernel"), false);
  for (const std::int64_t dilation : w.dilations) {
    if (dilation != 1) throw std::runtime_error("is dilated");
  }
  const bool ceil = attributes.text("rounding_type", "floor").starts_with("ceil");
  const bool exclude = attributes.flag("exclude-pad", attributes.flag("exclude_pad"));
  const std::string name = "avg_pool" + dims_of(w);
  jit::Value* const x = b.input(node, 0);
  if (w.fits_pooling()) return {b.call(name, {x, w.kernel, w.strides, w.begin, ceil, !exclude})};
  const Ints none(w.kernel.size(), 0);
  const auto pooled = [&](jit::Value* value) {
    return b.call(name, {padded(b, value, w, 0), w.kernel, w.strides, none, ceil});
  };
  if (!exclude) return {pooled(x)};
  return {b.call("div", {pooled(x), pooled(b.call("ones_like", {x}))})};
}

JitValues adaptive_average_pool(GraphBuilder& b, const ov::Node& node) {
  const Ints size = b.ints(node, 1);
  const std::string dims = std::to_string(size.size()) + "d";
  return {b.call("adaptive_avg_pool" + dims, {b.input(node, 0), size})};
}

/// Puts windows back to their places and adds them where they overlap.
JitValues fold(GraphBuilder& b, const ov::Node& node) {
  const Ints kernel = b.ints(node, 2);
  const Window w = window_of(node, kernel, false);
  Ints size = b.ints(node, 1);
  Ints unpadded_begin(w.begin);
  Ints unpadded_end(w.end);
  for (std::size_t i = 0; i < size.size(); ++i) {
    size[i] += w.begin[i] + w.end[i];
    unpadded_begin[i] *= -1;
    unpadded_end[i] *= -1;
  }
  const Ints none(kernel.size(), 0);
  jit::Value* const whole =
      b.call("col2im", {b.input(node, 0), size, kernel, w.dilations, none, w.strides});
  return {b.call("constant_pad_nd", {whole, last_first(unpadded_begin, unpadded_end), 0.0})};
}

}  // namespace

const Rules& window_rules() {
  static const Rules kRules = {
      {"AdaptiveAvgPool", adaptive_average_pool},
      {"AvgPool", average_pool},
      {"Col2Im", fold},
      {"Convolution", convolution(false, false)},
      {"ConvolutionBackpropData", convolution(false, true)},
      {"GroupConvolution", convolution(true, false)},
      {"GroupConvolutionBackpropData", convolution(true, true)},
      {"MaxPool", max_pool},
  };
  return kRules;
}

}  // namespace gradcam
