#include "stages/explain/explainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <stop_token>

#include "config/method_table.h"
#include "config/user_error.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/maps/augmentation.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/model/start_memory.h"
#include "stages/explain/tasks/task.h"
#include "stages/explain/verify.h"
#include "stages/frame/stopped.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;
constexpr int kChannels = 6;
constexpr int kClasses = 7;

/// conv -> ReLU -> global average -> linear: the network the CAM identities hold for.
torch::jit::Module pooled_net() {
  return tiny::network(
      {{"conv", tiny::seeded_conv(3, kChannels, 1)},
       {"relu", tiny::relu(true)},
       {"fc", tiny::linear(tiny::seeded({kClasses, kChannels}, 3), tiny::seeded({kClasses}, 4))}},
      "  h = self.relu.forward(self.conv.forward(x))\n"
      "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
}

ModelDescription described() {
  ModelDescription description = tiny::input_of(kSize, kSize);
  description.labels = {"a", "b", "c", "d", "e", "f", "g"};
  return description;
}

Explainer explainer(const std::string& target, Style style = Style::kGradcam) {
  const Model model(tiny::saved(pooled_net(), "pooled"), c10::Device("cpu"));
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.target = target;
  options.style = style;
  options.threads = 1;
  return Explainer(model, described(), options);
}

Blob blob() { return tiny::blob(kSize); }

TEST(Explainer, ScoresAreSortedProbabilities) {
  const Explanation explanation = explainer("auto").explain(blob());
  ASSERT_EQ(explanation.top.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_GE(explanation.top[i - 1].score, explanation.top[i].score);
  }
  EXPECT_EQ(explanation.targets.at(0).index, explanation.top[0].index);
  EXPECT_EQ(explanation.top[0].label,
            std::string(1, static_cast<char>('a' + explanation.top[0].index)));
}

TEST(Explainer, ForwardOnlyGivesTheSameScores) {
  Explainer one = explainer("auto");
  const auto scores = one.forward_only(blob());
  EXPECT_NEAR(std::accumulate(scores.begin(), scores.end(), 0.0), 1.0, 1e-5);
  for (const auto& score : one.explain(blob()).top) {
    EXPECT_NEAR(score.score, scores.at(static_cast<std::size_t>(score.index)), 1e-6);
  }
}

TEST(Explainer, PooledLinearHeadGivesTheClassicCamDividedByPlaces) {
  const Model model(tiny::saved(pooled_net(), "classic"), c10::Device("cpu"));
  CutGraph cut(model, {"relu"}, tiny::input_of(kSize, kSize));
  const auto inside = cut.run(tiny::seeded({1, 3, kSize, kSize}, 9));
  const auto gradients = torch::autograd::grad({inside.output[0][3]}, inside.activations);
  const at::Tensor a = inside.activations[0].detach()[0];
  const at::Tensor weights = tiny::seeded({kClasses, kChannels}, 3)[3];
  const at::Tensor cam = (weights.view({-1, 1, 1}) * a).sum(0);
  const double places = kSize * kSize;
  MethodInput input;
  input.activation = a;
  input.gradient = gradients[0][0];
  EXPECT_TRUE(at::allclose(map_of(find_method("gradcam"), input), cam / places, 1e-4, 1e-6));
  // HiResCAM's sum plus the bias is the logit.
  const double sum = (gradients[0][0] * a).sum().item<double>();
  const double bias = tiny::seeded({kClasses}, 4)[3].item<double>();
  EXPECT_NEAR(sum + bias, inside.output[0][3].item<double>(), 1e-4);
}

TEST(Explainer, HeatHasTheSizeItsStyleSays) {
  const HeatMap heat = explainer("auto").explain(blob()).heat;
  EXPECT_EQ(heat.height, kSize);
  EXPECT_EQ(heat.width, kSize);
  EXPECT_LE(*std::max_element(heat.values.begin(), heat.values.end()), 1.0F);
  EXPECT_GE(*std::min_element(heat.values.begin(), heat.values.end()), 0.0F);
}

TEST(Explainer, SeveralTargetsShowTheirLargestHeat) {
  const Explanation both = explainer("top:2").explain(blob());
  ASSERT_EQ(both.targets.size(), 2U);
  const auto first = explainer(std::to_string(both.targets[0].index)).explain(blob()).heat;
  const auto second = explainer(std::to_string(both.targets[1].index)).explain(blob()).heat;
  for (std::size_t i = 0; i < both.heat.values.size(); ++i) {
    EXPECT_NEAR(both.heat.values[i], std::max(first.values[i], second.values[i]), 1e-5);
  }
}

TEST(Explainer, SameInputGivesTheSameHeatAgain) {
  Explainer one = explainer("auto");
  const auto first = one.explain(blob()).heat.values;
  for (int i = 0; i < 4; ++i) {
    const auto again = one.explain(blob()).heat.values;
    for (std::size_t k = 0; k < first.size(); ++k) ASSERT_NEAR(again[k], first[k], 1e-5);
  }
}

class EveryMethod : public testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, GivesAFiniteMapThatItNames) {
  Explainer one = explainer("auto");
  const Explanation explanation = one.explain(blob(), {{.index = 3}, GetParam()});
  EXPECT_EQ(explanation.method, GetParam());
  EXPECT_EQ(explanation.targets.at(0).index, 3);
  ASSERT_EQ(explanation.heat.values.size(), static_cast<std::size_t>(kSize * kSize));
  const auto [low, high] =
      std::minmax_element(explanation.heat.values.begin(), explanation.heat.values.end());
  EXPECT_GE(*low, 0.F);
  EXPECT_LE(*high, 1.F);
  EXPECT_GT(*high, *low);
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, testing::ValuesIn(method_names()),
                         [](const auto& of) {
                           std::string name = of.param;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST(Explainer, LastLayerInFrontOfAnAverageCannotTellMethodsApart) {
  Explainer one = explainer("auto");
  const auto heat_of = [&](const std::string& method) {
    return one.explain(blob(), {{.index = 3}, method}).heat.values;
  };
  const auto expected = heat_of("gradcam");
  for (const char* method : {"hirescam", "xgradcam", "shapleycam"}) {
    const auto heat = heat_of(method);
    for (std::size_t i = 0; i < heat.size(); ++i) ASSERT_NEAR(heat[i], expected[i], 1e-4) << method;
  }
  const auto layercam = heat_of("layercam");
  const auto elementwise = heat_of("elementwise");
  for (std::size_t i = 0; i < layercam.size(); ++i) ASSERT_NEAR(layercam[i], elementwise[i], 1e-5);
}

TEST(Explainer, MethodsWithoutAClassGiveTheSameHeatForEach) {
  Explainer one = explainer("auto");
  for (const char* method : {"eigencam", "fem", "kpcacam"}) {
    EXPECT_EQ(one.explain(blob(), {{.index = 0}, method}).heat.values,
              one.explain(blob(), {{.index = 5}, method}).heat.values);
  }
}

/// Attention over the places of a convolution, in the words of `attention`.
Explanation attended(const std::string& attention) {
  auto net = tiny::network(
      {{"conv", tiny::seeded_conv(3, 4, 1)},
       {"fc", tiny::linear(tiny::seeded({5, 4}, 9), tiny::seeded({5}, 10))}},
      "  q = torch.tanh(torch.flatten(self.conv.forward(x), 2)).transpose(1, 2).unsqueeze(1)\n"
      "  y = " +
          attention +
          "\n"
          "  return self.fc.forward(torch.mean(y.squeeze(1), 1))\n");
  const Model model(tiny::saved(net, "attended"), c10::Device("cpu"));
  ExplainOptions options = tiny::options();
  options.layers = {"conv"};
  options.method = "shapleycam";
  options.target = "2";
  return Explainer(model, described(), options).explain(blob());
}

TEST(Explainer, AttentionHasASecondDerivative) {
  const Explanation fused = attended("torch.scaled_dot_product_attention(q, q, q)");
  const Explanation spelled =
      attended("torch.matmul(torch.softmax(torch.matmul(q, q.transpose(2, 3)) / 2.0, 3), q)");
  ASSERT_EQ(fused.heat.values.size(), spelled.heat.values.size());
  for (std::size_t i = 0; i < fused.heat.values.size(); ++i) {
    ASSERT_NEAR(fused.heat.values[i], spelled.heat.values[i], 1e-4);
  }
}

TEST(Explainer, WhatLibTorchThrowsIsOneLine) {
  // Of a white picture alone, channel 100 of four.
  auto net = tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                            {"fc", tiny::linear(tiny::seeded({5, 1}, 9), tiny::seeded({5}, 10))}},
                           "  i = (torch.mean(x) > 2.3).to(4).reshape([1]) * 100\n"
                           "  h = torch.index_select(self.conv.forward(x), 1, i)\n"
                           "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  ExplainOptions options = tiny::options();
  options.layers = {"conv"};
  Explainer explainer(Model(tiny::saved(net, "thrown"), c10::Device("cpu")), described(), options);
  EXPECT_NO_THROW(explainer.explain(blob()));
  Blob white = blob();
  std::fill(white.pixels.begin(), white.pixels.end(), std::uint8_t{255});
  try {
    explainer.explain(white);
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("INDICES"), std::string::npos) << error.what();
  }
}

TEST(Explainer, SeveralLayersAreFusedByEachKindOfMethod) {
  const Model model(tiny::saved(pooled_net(), "fused"), c10::Device("cpu"));
  ExplainOptions options = tiny::options();
  options.layers = {"conv", "relu"};
  for (const char* method : {"gradcam", "shapleycam", "eigencam", "ablationcam", "recipro-cam"}) {
    options.method = method;
    const Explanation fused = Explainer(model, described(), options).explain(blob());
    EXPECT_EQ(fused.layers, options.layers);
    EXPECT_GT(*std::max_element(fused.heat.values.begin(), fused.heat.values.end()), 0.9F);
  }
}

Explainer explainer_with(const ExplainOptions& options, const ModelDescription& description) {
  const Model model(tiny::saved(pooled_net(), "with"), c10::Device("cpu"));
  return Explainer(model, description, options);
}

TEST(Explainer, SmoothingByVariantsIsTheMeanOfSixHeats) {
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.target = "3";
  const ModelDescription description = described();
  Explainer plain = explainer_with(options, description);
  std::vector<HeatMap> heats;
  for (const Variant& variant : variants()) {
    heats.push_back(plain.explain(varied(blob(), variant, Normalisation(description))).heat);
  }
  const HeatMap expected = mean_of(heats);
  options.smooth = {"aug"};
  const HeatMap found = explainer_with(options, description).explain(blob()).heat;
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    ASSERT_NEAR(found.values[i], expected.values[i], 1e-5);
  }
}

TEST(Explainer, EigenSmoothingIsTheFirstComponentOfWhatMethodsAddUp) {
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.method = "hirescam";
  options.smooth = {"eigen"};
  const HeatMap found = explainer_with(options, described()).explain(blob()).heat;
  options.smooth = {};
  options.method = "eigengradcam";  // the component of gradient times activation
  const HeatMap expected = explainer_with(options, described()).explain(blob()).heat;
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    ASSERT_NEAR(found.values[i], expected.values[i], 1e-4);
  }
}

TEST(Explainer, SlowMethodsAreGivenUpWhenTheRunEnds) {
  std::stop_source stop;
  stop.request_stop();
  Question question{TargetChoice{.index = 3, .automatic = false}, ""};
  question.stop = stop.get_token();
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  for (const char* slow : {"ablationcam", "recipro-cam", "scorecam"}) {
    options.method = slow;
    Explainer explainer = explainer_with(options, described());
    EXPECT_THROW(explainer.explain(blob(), question), Stopped) << slow;
    EXPECT_NO_THROW(explainer.explain(blob())) << slow;
  }
}

TEST(Explainer, OptionsThatDoNotGoTogetherAreRefused) {
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.smooth = {"eigen"};
  options.method = "eigencam";
  EXPECT_THROW(explainer_with(options, described()), UserError);
  ModelDescription value = described();
  value.task = &find_task("regression");
  options.smooth = {};
  options.method = "finercam";
  EXPECT_THROW(explainer_with(options, value), UserError);
  options.method = "shapleycam";
  ModelDescription likeness = described();
  likeness.task = &find_task("embedding");
  EXPECT_THROW(explainer_with(options, likeness), UserError);
  options.method = "gradcam";
  ModelDescription boxed = described();
  boxed.task = &find_task("segmentation");
  boxed.resize = ResizeMode::kLetterbox;
  options.region = {0, 0.5, 1, 1};
  EXPECT_USER_ERROR(explainer_with(options, boxed), ExitCode::kUsage, "--region: is for networks");
  options.region = ExplainOptions().region;
  options.hysteresis = 0.1;
  EXPECT_THROW(explainer_with(options, value), UserError);
  options.hysteresis = 0;
  options.verify = 5;
  EXPECT_THROW(explainer_with(options, value), UserError);
}

TEST(Explainer, VerifyingGivesFiguresWithinTheirRange) {
  Explainer one = explainer("auto");
  const Explanation explanation = one.explain(blob());
  const Faithfulness faithfulness = verify(one, blob(), explanation, {});
  for (const double figure : {faithfulness.drop, faithfulness.deletion, faithfulness.insertion}) {
    EXPECT_GE(figure, 0);
    EXPECT_LE(figure, 1);
  }
  EXPECT_LT(faithfulness.randomised, 0.999);
}

TEST(Explainer, RandomisedHeadDoesNotMoveAMapThatKnowsNoClass) {
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.method = "eigencam";
  Explainer one = explainer_with(options, described());
  EXPECT_NEAR(verify(one, blob(), one.explain(blob()), {}).randomised, 1, 1e-6);
}

TEST(Explainer, UnknownMethodIsRefused) {
  EXPECT_THROW(explainer("auto").explain(blob(), {{}, "gradkam"}), UserError);
}

TEST(Explainer, BlobOfAnotherSizeIsRefused) {
  Explainer one = explainer("auto");
  const Blob small{4, 4, std::pmr::vector<std::uint8_t>(48)};
  EXPECT_THROW(one.explain(small), std::runtime_error);
}

TEST(Explainer, AutomaticLayerIsTheLastSpatialOne) {
  const Model model(tiny::saved(pooled_net(), "auto"), c10::Device("cpu"));
  ExplainOptions options = tiny::options();
  EXPECT_EQ(Explainer(model, described(), options).layers(), std::vector<std::string>{"relu"});
}

TEST(Explainer, AutomaticLayerIsThatOfAnEarlierStart) {
  const TempFolder folder;
  const StartMemory memory(folder.path().string(), "pooled");
  const Network network(Model(tiny::saved(pooled_net(), "known"), c10::Device("cpu")), memory);
  const ExplainOptions options = tiny::options();
  const std::string question = "layers of auto? " + key_of(described());
  EXPECT_EQ(Explainer(network, described(), options).layers(), std::vector<std::string>{"relu"});
  EXPECT_EQ(memory.recall(question), "relu\n");
  memory.remember(question, "conv\n");
  EXPECT_EQ(Explainer(network, described(), options).layers(), std::vector<std::string>{"conv"});
  memory.remember(question, "");  // as of a file that was cut short
  EXPECT_EQ(Explainer(network, described(), options).layers(), std::vector<std::string>{"relu"});
}

TEST(Explainer, AStopEndsItsPreparation) {
  std::stop_source stop;
  stop.request_stop();
  const Model model(tiny::saved(pooled_net(), "stopped"), c10::Device("cpu"));
  EXPECT_THROW(
      Explainer(model, described(), tiny::options(), Choosing::kMeasured, {{}, stop.get_token()}),
      Stopped);
}

}  // namespace
}  // namespace gradcam
