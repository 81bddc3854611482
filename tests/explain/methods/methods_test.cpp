#include "stages/explain/methods/methods.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <string>
#include <vector>

#include "config/method_table.h"
#include "config/user_error.h"
#include "stages/explain/methods/component_methods.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

using Values = std::vector<float>;

at::Tensor tensor(const Values& values, at::IntArrayRef shape) {
  return at::tensor(values).view(shape);
}

/// Two channels of 2x2, the second with a negative value; gradients of both signs.
MethodInput signed_input() {
  MethodInput input;
  input.activation = tensor({1, 2, 3, 4, -2, 2, 4, 8}, {2, 2, 2});
  input.gradient = tensor({0, 2, 1, 1, -2, 0, 0, 0}, {2, 2, 2});
  input.curvature = tensor({2, 0, 0, 0, 0, 4, 0, 0}, {2, 2, 2});
  return input;
}

Values map_of(const std::string& method, const MethodInput& input) {
  const at::Tensor map = gradcam::map_of(find_method(method), input).to(at::kFloat).contiguous();
  return {map.const_data_ptr<float>(), map.const_data_ptr<float>() + map.numel()};
}

void expect_near(const Values& found, const Values& expected, double tolerance = 1e-5) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], tolerance) << i;
  }
}

struct Case {
  std::string method;
  Values map;
};

class HandComputed : public testing::TestWithParam<Case> {};

TEST_P(HandComputed, MapOfSignedActivations) {
  expect_near(map_of(GetParam().method, signed_input()), GetParam().map);
}

INSTANTIATE_TEST_SUITE_P(
    Methods, HandComputed,
    testing::Values(Case{"gradcam", {2, 1, 1, 0}},      // weights 1 and -1/2
                    Case{"finercam", {2, 1, 1, 0}},     // the same of another S
                    Case{"hirescam", {4, 4, 3, 4}},     //
                    Case{"elementwise", {4, 4, 3, 4}},  // -2 times -2 counts
                    Case{"layercam", {0, 4, 3, 4}},     // a negative gradient does not
                    // 11/10 and 4/12
                    Case{"xgradcam", {0.433333F, 2.866667F, 4.633333F, 7.066667F}},
                    // 2 * 1/22 + 2 * 1/12, and 0 where no gradient is positive
                    Case{"gradcam++", {0.257576F, 0.515152F, 0.772727F, 1.030303F}},
                    // divided by 1/22 + 2/12: 17/14
                    Case{"gradcam++-paper", {1.214286F, 2.428571F, 3.642857F, 4.857143F}},
                    // means of (-1, 2, 1, 1) and (-2, -2, 0, 0)
                    Case{"shapleycam", {2.75F, -0.5F, -1.75F, -5}}),
    [](const auto& of) {
      std::string name = of.param.method;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

/// exp(-1/2) : 1 : exp(-1/2), which add up to 1.
constexpr float kBeside = 0.274069F;
constexpr float kOwn = 0.451863F;

TEST(Methods, OdamSmoothsTheGradientBeforeItCounts) {
  MethodInput input;
  input.activation = at::ones({1, 3, 4});
  input.activation[0][0][0] = -1;
  input.activation[0][0][2] = 2;
  input.gradient = at::zeros({1, 3, 4});
  input.gradient[0][1][1] = 1;
  constexpr float kCorner = kBeside * kBeside;
  constexpr float kEdge = kBeside * kOwn;
  expect_near(map_of("odam", input), {0, kEdge, 2 * kCorner, 0,      // cut off below 0
                                      kEdge, kOwn * kOwn, kEdge, 0,  //
                                      kCorner, kEdge, kCorner, 0});
  // Beyond the edges there is nothing.
  input.activation = at::ones({2, 1, 2});
  input.gradient = tensor({1, 0, 0, 3}, {2, 1, 2});
  expect_near(map_of("odam", input), {kOwn * (kOwn + 3 * kBeside), kOwn * (kBeside + 3 * kOwn)});
}

TEST(Methods, GradcamOfAGradientThatIsTheSameEverywhereNeedsNoMean) {
  MethodInput input = signed_input();
  input.gradient = at::tensor({1.F, -0.5F}).view({2, 1, 1}).expand({2, 2, 2});
  expect_near(map_of("gradcam", input), {2, 1, 1, 0});
}

TEST(Methods, ClosedGradientGivesAMapOfZerosAndNoNan) {
  MethodInput input = signed_input();
  input.gradient = at::zeros({2, 2, 2});
  input.curvature = at::zeros({2, 2, 2});
  for (const char* method : {"gradcam", "gradcam++", "gradcam++-paper", "hirescam", "elementwise",
                             "xgradcam", "layercam", "shapleycam", "odam", "eigengradcam"}) {
    expect_near(map_of(method, input), {0, 0, 0, 0});
  }
}

TEST(Methods, EigencamIsTheFirstComponentOfCentredPlaces) {
  // (-1, -1, -1, 3) and -2 times that: v1 = (1, -2) / sqrt(5); the largest value comes out
  // positive.
  MethodInput input;
  input.activation = tensor({0, 0, 0, 4, 0, 0, 0, -8}, {2, 2, 2});
  const float unit = std::sqrt(5.F);
  expect_near(map_of("eigencam", input), {-unit, -unit, -unit, 3 * unit});
  input.activation = -input.activation;
  expect_near(map_of("eigencam", input), {-unit, -unit, -unit, 3 * unit});
}

TEST(Methods, EigengradcamIsThatOfGradientTimesActivation) {
  MethodInput input;
  input.activation = tensor({0, 0, 0, 4, 0, 0, 0, -4}, {2, 2, 2});
  input.gradient = tensor({1, 1, 1, 1, 2, 2, 2, 2}, {2, 2, 2});
  const float unit = std::sqrt(5.F);
  expect_near(map_of("eigengradcam", input), {-unit, -unit, -unit, 3 * unit});
}

/// By the whole decomposition.
at::Tensor component_by_svd(const at::Tensor& values) {
  const at::Tensor places = values.to(at::kDouble).flatten(1).t();
  const at::Tensor centred = places - places.mean(0, true);
  const at::Tensor v = std::get<2>(at::linalg_svd(centred, /*full_matrices=*/false))[0];
  const at::Tensor projection = at::mv(centred, v);
  const bool flip = -projection.min().item<double>() > projection.max().item<double>();
  return (flip ? -projection : projection).view({values.size(1), values.size(2)});
}

TEST(Methods, FirstComponentEqualsTheSingularValueDecomposition) {
  using Shape = std::vector<std::int64_t>;
  for (const auto& shape : {Shape{3, 4, 5}, Shape{96, 11, 13}, Shape{200, 9, 10}}) {
    const at::Tensor values = tiny::seeded(shape, 5);
    const at::Tensor found = first_component(values);
    const at::Tensor expected = component_by_svd(values).to(at::kFloat);
    EXPECT_LT((found - expected).abs().max().item<double>(), 1e-3) << shape[0];
  }
}

TEST(Methods, KpcacamOfManyPlacesEqualsTheWholeDecomposition) {
  MethodInput input;
  input.activation = tiny::seeded({5, 12, 11}, 6);
  const at::Tensor places = input.activation.to(at::kDouble).flatten(1).t();
  const at::Tensor x = places - places.mean(0, true);
  const at::Tensor kernel = (at::matmul(x, x.t()) / 5 + 1).tanh();
  const at::Tensor centre = at::eye(132, at::kDouble) - 1.0 / 132;
  const auto [values, vectors] = at::linalg_eigh(at::matmul(at::matmul(centre, kernel), centre));
  at::Tensor expected = vectors.select(1, 131) * values[131].sqrt();
  if ((-expected.min() > expected.max()).item<bool>()) expected = -expected;
  const at::Tensor found = find_method("kpcacam").map(input).flatten().to(at::kDouble);
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-5);
}

TEST(Methods, KpcacamOfTwoPlaces) {
  // Centred (-1, 1), kernel tanh(2) and tanh(0); after centring the eigenvalue is tanh(2).
  MethodInput input;
  input.activation = tensor({0, 2}, {1, 1, 2});
  const Values map = map_of("kpcacam", input);
  const float size = std::sqrt(std::tanh(2.F) / 2);
  EXPECT_NEAR(std::abs(map[0]), size, 1e-5);
  EXPECT_NEAR(map[1], -map[0], 1e-5);
}

TEST(Methods, FemWeighsChannelsByPlacesThatStandOut) {
  // Fifteen zeros and 16: mean 1, deviation sqrt(15); one place of sixteen is above. A channel that
  // is the same everywhere has none.
  MethodInput input;
  at::Tensor activation = at::zeros({2, 4, 4});
  activation[0][3][3] = 16;
  activation[1].fill_(7);
  input.activation = activation;
  Values expected(16, 0);
  expected[15] = 1;
  expect_near(map_of("fem", input), expected);
}

/// A linear tail: S = sign * (2 * sum of channel 0 + sum of channel 1).
MethodInput with_linear_tail(const at::Tensor& activation, float sign) {
  MethodInput input;
  input.activation = activation;
  input.score_behind = [sign](const at::Tensor& a) {
    const at::Tensor sums = a.sum({2, 3});
    return sign * (2 * sums.select(1, 0) + sums.select(1, 1));
  };
  input.score = input.score_behind(activation.unsqueeze(0))[0].item<double>();
  return input;
}

TEST(Methods, AblationcamWeightsAreTheSharesOfTheScoreThatAreLost) {
  const at::Tensor activation = tensor({0, 1, 2, 3, 1, 1, 1, 1}, {2, 2, 2});
  // S = 16; without channel 0 4, without channel 1 12.
  expect_near(map_of("ablationcam", with_linear_tail(activation, 1)), {0.25F, 1, 1.75F, 2.5F});
}

TEST(Methods, AblationcamOfANegativeScoreDoesNotTurnTheMapAround) {
  const at::Tensor activation = tensor({0, 1, 2, 3, 1, 1, 1, 1}, {2, 2, 2});
  // S = -16: -12 and -4 are lost, so the channels speak against it.
  expect_near(map_of("ablationcam", with_linear_tail(activation, -1)), {-4, -16, -28, -40});
}

TEST(Methods, AblationcamGoesFarBelowTheSmallestValueWhereThatIsNotZero) {
  // As pytorch-grad-cam: a channel becomes 1 - 1e7.
  const at::Tensor activation = tensor({1, 1, 1, 1, 1, 1, 1, 1}, {2, 2, 2});
  // S = 12; without channel 0: 8 * (1 - 1e7) + 4.
  const Values map = map_of("ablationcam", with_linear_tail(activation, 1));
  for (const float value : map) EXPECT_NEAR(value, 12e7 / 12, 10);
}

TEST(Methods, RecipcamIsTheScoreOfEachPlaceAlone) {
  const at::Tensor activation = tensor({0, 1, 2, 3, 1, 1, 1, 1}, {2, 2, 2});
  expect_near(map_of("recipro-cam", with_linear_tail(activation, 1)), {1, 3, 5, 7});
}

TEST(Methods, ScorecamWeightsAreTheSoftmaxOfMaskedScores) {
  MethodInput input;
  input.activation = tensor({0, 1, 2, 3, 1, 1, 1, 1}, {2, 2, 2});
  input.input_height = 2;
  input.input_width = 2;
  const at::Tensor places = tensor({1, 1, 1, 3}, {2, 2});
  input.score_masked = [&](const at::Tensor& masks) { return (masks * places).sum({1, 2}); };
  // Masks (0, 1/3, 2/3, 1) and 0: scores 4 and 0.
  const float w = std::exp(4.F) / (std::exp(4.F) + 1);
  expect_near(map_of("scorecam", input), {1 - w, w + 1 - w, 2 * w + 1 - w, 3 * w + 1 - w});
}

TEST(Methods, FullgradAddsEachChannelScaledAndEnlarged) {
  MethodInput input;
  input.input_height = 2;
  input.input_width = 2;
  input.full_gradients = [] {
    return FullGradients{tensor({0, 1, 2, -4}, {1, 2, 2}),
                         {tensor({3}, {1, 1, 1}), tensor({-1, 3}, {1, 1, 2})}};
  };
  // (0, 1, 2, 4) / 4, a channel without contrast, and (1, 3) to (0, 1).
  expect_near(map_of("fullgrad", input), {0, 1.25F, 0.5F, 2});
}

TEST(Methods, UnknownNameListsThoseThereAre) {
  try {
    find_method("gradkam");
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("--method gradkam: allowed: gradcam, gradcam++, ", 0), 0U) << text;
  }
}

TEST(Methods, EachHasOneWayToItsMap) {
  for (const MethodEntry& entry : kMethodTable) {
    const Method& method = find_method(std::string(entry.name));
    EXPECT_NE(method.weights == nullptr, method.map == nullptr) << entry.name;
    EXPECT_EQ(method.needs.network, entry.cost == MethodCost::kStill) << entry.name;
  }
}

}  // namespace
}  // namespace gradcam
