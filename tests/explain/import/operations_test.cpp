#include "tests/explain/import/operation_case.h"

namespace gradcam {
namespace {

Port conv(const Port& x, const ov::Strides& strides, const ov::CoordinateDiff& begin,
          const ov::CoordinateDiff& end, ov::op::PadType pad = ov::op::PadType::EXPLICIT) {
  return add<op::Convolution>(x, numbers({5, 4, 3, 3}, 1), strides, begin, end, ov::Strides{1, 1},
                              pad);
}

Port resized(const Port& x, op::Interpolate::InterpolateMode mode,
             op::Interpolate::CoordinateTransformMode places, const std::vector<std::int64_t>& to,
             op::Interpolate::NearestMode nearest = op::Interpolate::NearestMode::FLOOR) {
  op::Interpolate::InterpolateAttrs attributes;
  attributes.mode = mode;
  attributes.shape_calculation_mode = op::Interpolate::ShapeCalcMode::SIZES;
  attributes.coordinate_transformation_mode = places;
  attributes.nearest_mode = nearest;
  return add<op::Interpolate>(x, ints(to), ints({2, 3}), attributes);
}

using Mode = op::Interpolate::InterpolateMode;
using Places = op::Interpolate::CoordinateTransformMode;
using Nearest = op::Interpolate::NearestMode;
using Sampled = op::GridSample::InterpolationMode;
using Outside = op::GridSample::PaddingMode;

std::vector<Operation> elementwise() {
  const auto unary = [](const std::string& name, auto make) {
    return Operation{name, [make](const Port& x) { return make(x); }};
  };
  return {
      unary("relu", [](const Port& x) { return add<op::Relu>(x); }),
      unary("sigmoid", [](const Port& x) { return add<op::Sigmoid>(x); }),
      unary("tanh", [](const Port& x) { return add<op::Tanh>(x); }),
      unary("exp", [](const Port& x) { return add<op::Exp>(x); }),
      unary("erf", [](const Port& x) { return add<op::Erf>(x); }),
      unary("hswish", [](const Port& x) { return add<op::HSwish>(x); }),
      unary("hsigmoid", [](const Port& x) { return add<op::HSigmoid>(x); }),
      unary("mish", [](const Port& x) { return add<op::Mish>(x); }),
      unary("softplus", [](const Port& x) { return add<op::SoftPlus>(x); }),
      unary("softsign", [](const Port& x) { return add<op::SoftSign>(x); }),
      unary("swish", [](const Port& x) { return add<op::Swish>(x); }),
      unary("swish_beta", [](const Port& x) { return add<op::Swish>(x, number(1.7F)); }),
      unary("gelu_erf",
            [](const Port& x) { return add<op::Gelu>(x, ov::op::GeluApproximationMode::ERF); }),
      unary("gelu_tanh",
            [](const Port& x) { return add<op::Gelu>(x, ov::op::GeluApproximationMode::TANH); }),
      unary("elu", [](const Port& x) { return add<op::Elu>(x, 0.8); }),
      unary("selu", [](const Port& x) { return add<op::Selu>(x, number(1.67F), number(1.05F)); }),
      unary("clamp", [](const Port& x) { return add<op::Clamp>(x, -0.3, 0.4); }),
      unary("relu6", [](const Port& x) { return add<op::Clamp>(x, 0.0, 6.0); }),
      unary("hard_sigmoid",
            [](const Port& x) { return add<op::HardSigmoid>(x, number(0.3F), number(0.4F)); }),
      unary("prelu", [](const Port& x) { return add<op::PRelu>(x, numbers({4}, 3)); }),
      unary("clip_by_maximum_and_minimum",
            [](const Port& x) {
              return add<op::Minimum>(add<op::Maximum>(x, number(-0.2F)), number(0.5F));
            }),
      unary("maximum_of_two",
            [](const Port& x) { return add<op::Maximum>(x, add<op::Tanh>(x * number(0.5F))); }),
      unary("power", [](const Port& x) { return add<op::Power>(x * x + number(1), number(1.3F)); }),
      unary("square", [](const Port& x) { return add<op::Power>(x, number(2)); }),
      unary("root", [](const Port& x) { return add<op::Sqrt>(x * x + number(1)); }),
      unary("logarithm", [](const Port& x) { return add<op::Log>(x * x + number(1)); }),
      unary("divided", [](const Port& x) { return add<op::Divide>(x, x * x + number(1)); }),
      unary("squared_difference",
            [](const Port& x) {
              return add<op::SquaredDifference>(x, numbers({1, 4, 1, 1}, 4));
            }),
      unary("where",
            [](const Port& x) {
              return add<op::Select>(add<op::Greater>(x, number(0.1F)), x, x * number(0.2F));
            }),
      unary("normalised_by_the_file",  // mean and deviation as the file's first operations
            [](const Port& x) {
              return (x - numbers({1, 4, 1, 1}, 8)) * numbers({1, 4, 1, 1}, 9);
            }),
  };
}

std::vector<Operation> windows() {
  using ov::op::PadType;
  using ov::op::RoundingType;
  const ov::CoordinateDiff one{1, 1};
  return {
      {"convolution",
       [=](const Port& x) {
         return conv(x, {1, 1}, one, one);
       }},
      {"convolution_strided",
       [=](const Port& x) {
         return conv(x, {2, 2}, one, one);
       }},
      {"convolution_padded_at_one_side",
       [](const Port& x) {
         return conv(x, {2, 2}, {0, 0}, {1, 1});
       }},
      {"convolution_same_upper",
       [](const Port& x) {
         return conv(x, {2, 2}, {0, 0}, {0, 0}, PadType::SAME_UPPER);
       }},
      {"convolution_same_lower",
       [](const Port& x) {
         return conv(x, {2, 2}, {0, 0}, {0, 0}, PadType::SAME_LOWER);
       }},
      {"convolution_grouped",
       [=](const Port& x) {
         return add<op::GroupConvolution>(x, numbers({2, 3, 2, 3, 3}, 2), ov::Strides{1, 1}, one,
                                          one, ov::Strides{1, 1});
       }},
      {"convolution_dilated",
       [](const Port& x) {
         return add<op::Convolution>(x, numbers({5, 4, 2, 2}, 1), ov::Strides{1, 1},
                                     ov::CoordinateDiff{1, 1}, ov::CoordinateDiff{1, 1},
                                     ov::Strides{2, 2});
       }},
      {"convolution_with_bias_as_shape_of_and_broadcast",
       [=](const Port& x) {
         const Port y = conv(x, {1, 1}, one, one);
         const Port rank = add<op::ShapeOf>(add<op::ShapeOf>(y));
         const Port ones = add<op::Broadcast>(whole(1), add<op::Subtract>(rank, ints({2})));
         const Port shape = add<op::Concat>(ov::OutputVector{ints({1, 5}), ones}, 0);
         return y + add<op::Reshape>(numbers({5}, 3), shape, false);
       }},
      {"transposed_convolution",
       [=](const Port& x) {
         return add<op::ConvolutionBackpropData>(x, numbers({4, 3, 3, 3}, 2), ov::Strides{2, 2},
                                                 one, one, ov::Strides{1, 1}, PadType::EXPLICIT,
                                                 ov::CoordinateDiff{1, 1});
       }},
      {"transposed_convolution_grouped",
       [=](const Port& x) {
         return add<op::GroupConvolutionBackpropData>(x, numbers({2, 2, 3, 2, 2}, 2),
                                                      ov::Strides{2, 2}, ov::CoordinateDiff{0, 0},
                                                      ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
       }},
      {"max_pool",
       [](const Port& x) {
         return add<op::MaxPool>(x, ov::Strides{2, 2}, ov::Strides{1, 1}, ov::Shape{1, 1},
                                 ov::Shape{1, 1}, ov::Shape{3, 3});
       }},
      {"max_pool_ceil",
       [](const Port& x) {
         return add<op::MaxPool>(x, ov::Strides{2, 2}, ov::Strides{1, 1}, ov::Shape{0, 0},
                                 ov::Shape{0, 0}, ov::Shape{3, 3}, RoundingType::CEIL);
       }},
      {"max_pool_same_upper",
       [](const Port& x) {
         return add<op::MaxPool>(x, ov::Strides{2, 2}, ov::Strides{1, 1}, ov::Shape{0, 0},
                                 ov::Shape{0, 0}, ov::Shape{3, 3}, RoundingType::FLOOR,
                                 PadType::SAME_UPPER);
       }},
      {"average_pool_without_padding",
       [](const Port& x) {
         return add<op::AvgPool>(x, ov::Strides{2, 2}, ov::Shape{1, 1}, ov::Shape{1, 1},
                                 ov::Shape{3, 3}, true, RoundingType::FLOOR);
       }},
      {"average_pool_with_padding_at_one_side",
       [](const Port& x) {
         return add<op::AvgPool>(x, ov::Strides{2, 2}, ov::Shape{0, 0}, ov::Shape{1, 1},
                                 ov::Shape{3, 3}, true, RoundingType::FLOOR);
       }},
      {"adaptive_average_pool",
       [](const Port& x) {
         return add<op::AdaptiveAvgPool>(x, ints({4, 3}));
       }},
      {"windows_put_back",
       [](const Port& x) {
         const Port windows = add<op::Reshape>(x, ints({1, 4, 36}), false);
         return add<op::Col2Im>(windows, ints({7, 7}), ints({2, 2}));
       }},
      {"windows_put_back_into_what_was_padded",
       [](const Port& x) {
         const Port windows = add<op::Reshape>(x, ints({1, 16, 9}), false);
         return add<op::Col2Im>(windows, ints({5, 6}), ints({2, 2}), ov::Strides{2, 2},
                                ov::Strides{1, 1}, ov::Shape{1, 0}, ov::Shape{0, 0});
       }},
      {"pad",
       [](const Port& x) {
         return add<op::Pad>(x, ints({0, 0, 1, 2}), ints({0, 0, 0, 1}), number(0.3F),
                             ov::op::PadMode::CONSTANT);
       }},
      {"pad_reflect",
       [](const Port& x) {
         return add<op::Pad>(x, ints({0, 0, 1, 2}), ints({0, 0, 0, 1}), ov::op::PadMode::REFLECT);
       }},
      {"pad_edge",
       [](const Port& x) {
         return add<op::Pad>(x, ints({0, 0, 1, 2}), ints({0, 0, 0, 1}), ov::op::PadMode::EDGE);
       }},
  };
}

std::vector<Operation> resizes() {
  return {
      {"nearest",
       [](const Port& x) {
         return resized(x, Mode::NEAREST, Places::ASYMMETRIC, {12, 9});
       }},
      {"nearest_half_pixel",
       [](const Port& x) {
         return resized(x, Mode::NEAREST, Places::HALF_PIXEL, {9, 8}, Nearest::ROUND_PREFER_FLOOR);
       }},
      {"nearest_smaller",
       [](const Port& x) {
         return resized(x, Mode::NEAREST, Places::ASYMMETRIC, {3, 4}, Nearest::CEIL);
       }},
      {"linear",
       [](const Port& x) {
         return resized(x, Mode::LINEAR_ONNX, Places::HALF_PIXEL, {9, 12});
       }},
      {"linear_pytorch_half_pixel",
       [](const Port& x) {
         return resized(x, Mode::LINEAR_ONNX, Places::PYTORCH_HALF_PIXEL, {9, 4});
       }},
      {"linear_align_corners",
       [](const Port& x) {
         return resized(x, Mode::LINEAR_ONNX, Places::ALIGN_CORNERS, {11, 12});
       }},
      {"linear_asymmetric",
       [](const Port& x) {
         return resized(x, Mode::LINEAR_ONNX, Places::ASYMMETRIC, {9, 12});
       }},
      {"cubic",
       [](const Port& x) {
         return resized(x, Mode::CUBIC, Places::HALF_PIXEL, {9, 12});
       }},
  };
}

/// At places in and around the picture; `grid` [1, 5, 3, 2] of the picture.
Port sampled(const Port& x, const Port& grid, Sampled how, Outside outside, bool align_corners) {
  return add<op::GridSample>(x, grid, op::GridSample::Attributes(align_corners, how, outside));
}

std::vector<Operation> samples() {
  std::vector<Operation> all;
  const std::vector<std::pair<std::string, Sampled>> modes = {{"bilinear", Sampled::BILINEAR},
                                                              {"nearest", Sampled::NEAREST},
                                                              {"bicubic", Sampled::BICUBIC}};
  const std::vector<std::pair<std::string, Outside>> paddings = {
      {"zeros", Outside::ZEROS}, {"border", Outside::BORDER}, {"reflection", Outside::REFLECTION}};
  bool align = false;
  for (const auto& [mode_name, mode] : modes) {
    for (const auto& [padding_name, padding] : paddings) {
      align = !align;
      const auto name = mode_name + "_" + padding_name + (align ? "_align_corners" : "");
      all.push_back({name, [mode = mode, padding = padding, align](const Port& x) {
                       return sampled(x, numbers({1, 5, 3, 2}, 7, 0.9F), mode, padding, align);
                     }});
    }
  }
  all.push_back({"at_places_of_the_pictures_own", [](const Port& x) {
                   const Port two = add<op::Gather>(x, ints({1, 3}), whole(1));
                   const Port grid = add<op::Transpose>(add<op::Tanh>(two), ints({0, 2, 3, 1}));
                   return sampled(x, grid, Sampled::BILINEAR, Outside::ZEROS, false);
                 }});
  all.push_back(
      {"of_what_all_share", [](const Port& x) {
         const Port two = add<op::Gather>(x, ints({1, 3}), whole(1));
         const Port grid = add<op::Transpose>(add<op::Tanh>(two), ints({0, 2, 3, 1}));
         return sampled(numbers({1, 2, 4, 4}, 3), grid, Sampled::BILINEAR, Outside::BORDER, true);
       }});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Samples, OpenVinoToTorch, testing::ValuesIn(samples()), kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Elementwise, OpenVinoToTorch, testing::ValuesIn(elementwise()),
                         kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Windows, OpenVinoToTorch, testing::ValuesIn(windows()), kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Resizes, OpenVinoToTorch, testing::ValuesIn(resizes()), kNameOfOperation);

}  // namespace
}  // namespace gradcam
