#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

#include "stages/explain/import/attributes.h"
#include "stages/explain/import/operations.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

/// How an Interpolate chooses and weighs the numbers of its input, along any axis.
struct Sampling {
  std::string mode;
  std::string places;    ///< coordinate_transformation_mode
  std::string rounding;  ///< of "nearest"
  double cube;           ///< the coefficient of "cubic"
};

/// Where output `o` lies among the inputs.
double place_of(std::int64_t o, double scale, std::int64_t ins, std::int64_t outs,
                const Sampling& how) {
  const auto at = static_cast<double>(o);
  if (how.places == "asymmetric") return at / scale;
  if (how.places == "tf_half_pixel_for_nn") return (at + 0.5) / scale;
  if (how.places == "pytorch_half_pixel" && outs == 1) return 0;
  if (how.places == "align_corners") {
    return outs == 1 ? 0 : at * static_cast<double>(ins - 1) / static_cast<double>(outs - 1);
  }
  return (at + 0.5) / scale - 0.5;
}

double nearest(double x, double scale, const std::string& rounding) {
  if (rounding == "ceil") return std::ceil(x);
  if (rounding == "round_prefer_floor") return std::ceil(x - 0.5);
  if (rounding == "round_prefer_ceil") return std::floor(x + 0.5);
  if (rounding == "simple") return scale < 1 ? std::ceil(x) : std::floor(x);
  return std::floor(x);
}

/// Each output along one axis as weighted inputs: float [outs, ins]. The formulas are those of the
/// ONNX operator Resize, which OpenVINO's Interpolate-4 follows.
at::Tensor weights(std::int64_t ins, std::int64_t outs, double scale, const Sampling& how) {
  at::Tensor matrix = at::zeros({outs, ins});
  auto value = matrix.accessor<float, 2>();
  for (std::int64_t o = 0; o < outs; ++o) {
    const auto add = [&](double i, double weight) {
      const auto in = std::clamp<std::int64_t>(static_cast<std::int64_t>(i), 0, ins - 1);
      value[o][in] += static_cast<float>(weight);
    };
    double x = place_of(o, scale, ins, outs, how);
    if (how.mode == "nearest") {
      add(nearest(x, scale, how.rounding), 1);
      continue;
    }
    if (how.mode == "cubic") {
      const double i = std::floor(x);
      const double t = x - i;
      const double a = how.cube;
      const double u = 1 - t;
      add(i - 1, ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a);
      add(i, ((a + 2) * t - (a + 3)) * t * t + 1);
      add(i + 1, ((a + 2) * u - (a + 3)) * u * u + 1);
      add(i + 2, ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a);
      continue;
    }
    x = std::clamp(x, 0.0, static_cast<double>(ins - 1));
    const double i = std::floor(x);
    add(i, 1 - (x - i));
    add(i + 1, x - i);
  }
  return matrix;
}

/// The operator of ATen that does the same for the two last of four axes; empty = none does.
std::string same_in_aten(const Sampling& how, const ov::Shape& from, const ov::Shape& to,
                         bool scales_fit) {
  if (from.size() != 4 || from[0] != to[0] || from[1] != to[1] || !scales_fit) return "";
  const bool half =
      how.places == "half_pixel" || (how.places == "pytorch_half_pixel" && to[2] > 1 && to[3] > 1);
  const bool corners = how.places == "align_corners";
  if (how.mode == "nearest") {
    const bool floor = how.rounding == "floor" || how.rounding == "simple";
    const bool grows = to[2] >= from[2] && to[3] >= from[3];
    const bool whole = to[2] % from[2] == 0 && to[3] % from[3] == 0;
    if (how.places == "asymmetric" && floor && grows) return "upsample_nearest2d";
    return half && grows && whole ? "upsample_nearest2d" : "";  // no place lies between two
  }
  if (!half && !corners) return "";
  if (how.mode == "linear" || how.mode == "linear_onnx") return "upsample_bilinear2d";
  return how.mode == "cubic" && how.cube == -0.75 ? "upsample_bicubic2d" : "";
}

void require_plain(const Attributes& attributes, const std::string& mode) {
  const auto pads = [&](const char* name) {
    return std::ranges::any_of(attributes.ints(name), [](auto pad) { return pad != 0; });
  };
  if (attributes.flag("antialias")) throw std::runtime_error("smooths (antialias)");
  if (mode.ends_with("_pillow")) throw std::runtime_error("has mode " + mode);
  if (pads("pads_begin") || pads("pads_end")) throw std::runtime_error("pads, too");
}

/// By which factor each axis grows: as the sizes say, unless the file states it.
std::vector<double> factors(GraphBuilder& b, const ov::Node& node, const Attributes& attributes) {
  const ov::Shape& from = node.get_input_shape(0);
  const ov::Shape& to = node.get_output_shape(0);
  std::vector<double> scales;
  for (std::size_t i = 0; i < to.size(); ++i) {
    scales.push_back(static_cast<double>(to[i]) / static_cast<double>(from[i]));
  }
  if (attributes.text("shape_calculation_mode") != "scales") return scales;
  const bool v11 = std::string(node.get_type_info().version_id) == "opset11";
  const std::size_t input = v11 ? 1 : 2;
  const auto stated = b.known(node, input);
  if (!stated) throw std::runtime_error("has factors that depend on the picture");
  Ints axes(to.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.get_input_size() > input + 1) axes = b.ints(node, input + 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    scales.at(static_cast<std::size_t>(axes[i])) =
        stated->to(at::kDouble)[static_cast<std::int64_t>(i)].item<double>();
  }
  return scales;
}

/// By an operator of ATen where there is one, else one axis after the other by weights.
JitValues interpolate(GraphBuilder& b, const ov::Node& node) {
  if (std::string(node.get_type_info().version_id) == "opset1") {
    throw std::runtime_error("is of the first operation set");
  }
  const Attributes attributes(node);
  const Sampling how{
      attributes.text("mode"), attributes.text("coordinate_transformation_mode", "half_pixel"),
      attributes.text("nearest_mode", "round_prefer_floor"), attributes.real("cube_coeff", -0.75)};
  require_plain(attributes, how.mode);
  const ov::Shape& from = node.get_input_shape(0);
  const ov::Shape& to = node.get_output_shape(0);
  const std::vector<double> scales = factors(b, node, attributes);
  bool fit = true;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const double by_size = static_cast<double>(to[i]) / static_cast<double>(from[i]);
    fit = fit && std::abs(scales[i] - by_size) < 1e-6;
  }
  jit::Value* x = b.input(node, 0);
  if (const std::string name = same_in_aten(how, from, to, fit); !name.empty()) {
    const Ints size{static_cast<std::int64_t>(to[2]), static_cast<std::int64_t>(to[3])};
    if (how.mode == "nearest") return {b.call(name, {x, size, c10::IValue(), c10::IValue()})};
    return {b.call(name, {x, size, how.places == "align_corners", c10::IValue(), c10::IValue()})};
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == from[i]) continue;
    const auto axis = static_cast<std::int64_t>(i);
    const at::Tensor matrix = weights(static_cast<std::int64_t>(from[i]),
                                      static_cast<std::int64_t>(to[i]), scales[i], how);
    if (how.mode == "nearest") {
      x = b.call("index_select", {x, axis, b.graph().insertConstant(matrix.argmax(1))});
    } else {
      jit::Value* const last = b.call("transpose", {x, axis, -1});
      jit::Value* const mixed =
          b.call("matmul", {last, b.graph().insertConstant(matrix.t().contiguous())});
      x = b.call("transpose", {mixed, axis, -1});
    }
  }
  return {x};
}

JitValues pad(GraphBuilder& b, const ov::Node& node) {
  const std::string mode = Attributes(node).text("pad_mode", "constant");
  Ints begin = b.ints(node, 1);
  Ints end = b.ints(node, 2);
  if (mode == "constant") {
    double with = 0;
    if (node.get_input_size() > 3) {
      const auto value = b.known(node, 3);
      if (!value) throw std::runtime_error("pads with a value that depends on the picture");
      with = value->item().toDouble();
    }
    return {b.call("constant_pad_nd", {b.input(node, 0), last_first(begin, end), with})};
  }
  if (mode == "symmetric") throw std::runtime_error("has mode symmetric");
  const std::string name = mode == "edge" ? "replicate" : "reflect";
  while (begin.size() > 2 && begin[0] == 0 && end[0] == 0) {  // it wants none for those in front
    begin.erase(begin.begin());
    end.erase(end.begin());
  }
  return {b.call("pad", {b.input(node, 0), last_first(begin, end), name})};
}

/// At places that are numbers of the network's own, or the same for every picture.
JitValues grid_sample(GraphBuilder& b, const ov::Node& node) {
  static const std::map<std::string, std::int64_t> kModes = {
      {"bilinear", 0}, {"nearest", 1}, {"bicubic", 2}};  // ATen's GridSamplerInterpolation
  static const std::map<std::string, std::int64_t> kPaddings = {
      {"zeros", 0}, {"border", 1}, {"reflection", 2}};
  const Attributes attributes(node);
  JitValues inputs = b.inputs(node);
  const auto grows = [&](std::size_t i) {
    return b.batch_axis(*node.get_input_node_ptr(i)) == std::size_t{0};
  };
  for (std::size_t i = 0; i < 2; ++i) {
    if (!grows(1 - i) || b.depends_on_picture(node.input_value(i))) continue;
    const ov::Shape& shape = node.get_input_shape(i);
    inputs[i] = b.call(
        "expand", {inputs[i], b.sizes_like(inputs[1 - i], 0, Ints(shape.begin(), shape.end()))});
  }
  return {b.call("grid_sampler", {inputs[0], inputs[1], kModes.at(attributes.text("mode")),
                                  kPaddings.at(attributes.text("padding_mode")),
                                  attributes.flag("align_corners")})};
}

}  // namespace

const Rules& resize_rules() {
  static const Rules kRules = {
      {"GridSample", grid_sample}, {"Interpolate", interpolate}, {"Pad", pad}};
  return kRules;
}

}  // namespace gradcam
