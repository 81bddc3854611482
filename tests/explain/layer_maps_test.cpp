#include "stages/explain/layer_maps.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "config/user_error.h"
#include "stages/explain/tasks/task.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;
constexpr int kClasses = 5;

/// A branch around an in-place ReLU behind a batch norm, one that the output does not use, and a
/// layer whose places are not those of the picture.
torch::jit::Module residual_net() {
  auto block =
      tiny::network({{"conv", tiny::seeded_conv(6, 6, 3)},
                     {"bn", tiny::batch_norm(6, 5)},
                     {"relu", tiny::relu(true)}},
                    "  return self.relu.forward(self.bn.forward(self.conv.forward(x))) + x\n");
  return tiny::network(
      {{"stem", tiny::seeded_conv(3, 6, 1)},
       {"stem_relu", tiny::relu(true)},
       {"block", block},
       {"aside", tiny::seeded_conv(6, 2, 7)},
       {"skewed", tiny::leaf("Skewed", {}, "return torch.reshape(x, [1, 6, 36, 4])")},
       {"fc", tiny::linear(tiny::seeded({kClasses, 6}, 9), tiny::seeded({kClasses}, 10))}},
      "  h = self.block.forward(self.stem_relu.forward(self.stem.forward(x)))\n"
      "  a = self.aside.forward(h)\n"
      "  return self.fc.forward(torch.mean(self.skewed.forward(h), [2, 3])), a\n");
}

struct Subject {
  Subject(const torch::jit::Module& net, const std::string& name, const ExplainOptions& asked)
      : network(Model(tiny::saved(net, name), c10::Device("cpu"))),
        options(asked),
        explainer(network, tiny::input_of(kSize, kSize), asked) {}

  LayerMaps maps() { return map_layers(network, explainer, options, tiny::blob(kSize)); }

  Network network;
  ExplainOptions options;
  Explainer explainer;
};

ExplainOptions asked(const std::string& layer, const std::string& method = "auto",
                     const std::string& target = "auto") {
  ExplainOptions options = tiny::options();
  options.precision = Precision::kFp32;
  options.threads = 1;
  options.method = method;
  options.target = target;
  options.layers = {layer};
  return options;
}

const LayerMap& of_layer(const LayerMaps& maps, const std::string& name) {
  return *std::ranges::find_if(maps.layers,
                               [&](const LayerMap& map) { return map.layer.name == name; });
}

/// Largest difference of two heats of one size.
double difference(const HeatMap& a, const HeatMap& b) {
  EXPECT_EQ(a.values.size(), b.values.size());
  double most = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a.values[i]) - b.values.at(i)));
  }
  return most;
}

TEST(LayerMaps, EachIsTheOneThatAnExplanationOfItsLayerGives) {
  Subject best(residual_net(), "best", asked("block"));
  Subject two(residual_net(), "two", asked("block", "gradcam", "top:2"));
  const std::pair<Subject*, const char*> questions[] = {
      {&best, "gradcam"}, {&best, "eigencam"}, {&two, "layercam"}, {&two, "finercam"}};
  for (const char* layer : {"stem", "block.bn", "block"}) {
    Explainer alone(best.network, tiny::input_of(kSize, kSize), asked(layer), Choosing::kUntimed);
    for (const auto& [subject, method] : questions) {
      subject->options.method = method;
      const LayerMaps maps = subject->maps();
      EXPECT_EQ(maps.method, method);
      const LayerMap& map = of_layer(maps, layer);
      ASSERT_EQ(map.maps.size(), subject == &two ? 2U : 1U) << layer << " " << method;
      const Explanation explanation =
          alone.explain(tiny::blob(kSize), {subject->explainer.target(), method});
      EXPECT_LT(difference(heat_of(map, kSize, kSize), explanation.heat), 1e-4)
          << layer << " " << method;
    }
  }
}

TEST(LayerMaps, AreOfAllLayersWithPlaces) {
  Subject subject(residual_net(), "all", asked("block"));
  std::set<std::string> names{"stem", "stem_relu", "block", "block.conv", "block.bn", "block.relu"};
  for (const char* method : {"gradcam", "eigencam"}) {
    subject.options.method = method;
    std::set<std::string> found;
    for (const LayerMap& map : subject.maps().layers) {
      if (map.obstacle.empty()) found.insert(map.layer.name);
    }
    EXPECT_EQ(found, names) << method;
    names.insert("aside");  // no gradient reaches it
  }
}

TEST(LayerMaps, TellsPlacesAndWhyThereIsNoMap) {
  Subject subject(residual_net(), "why", asked("block"));
  const LayerMaps maps = subject.maps();
  EXPECT_EQ(maps.targets.size(), 1U);
  const LayerMap& stem = of_layer(maps, "stem");
  EXPECT_EQ((std::array{stem.channels, stem.height, stem.width}), (std::array{6, kSize, kSize}));
  EXPECT_EQ(of_layer(maps, "fc").obstacle, "its output is not spatial");
  EXPECT_EQ(of_layer(maps, "skewed").obstacle,
            "its places are not in the proportions of the picture");
  EXPECT_EQ(of_layer(maps, "aside").obstacle, "no gradient reaches it from the output");
}

TEST(LayerMaps, EndInFrontOfAnOperationWithoutDerivative) {
  const auto net =
      tiny::network({{"front", tiny::seeded_conv(3, 6, 1)},
                     {"behind", tiny::seeded_conv(6, 6, 3)},
                     {"fc", tiny::linear(tiny::seeded({kClasses, 6}, 9), at::zeros({kClasses}))}},
                    "  h = self.front.forward(x)\n"
                    "  h = self.behind.forward(torch.special_zeta(torch.abs(h) + 2.0, 2.0))\n"
                    "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  Subject subject(net, "broken", asked("behind"));
  const LayerMaps maps = subject.maps();
  EXPECT_EQ(of_layer(maps, "behind").obstacle, "");
  EXPECT_NE(of_layer(maps, "front").obstacle.find("zeta"), std::string::npos)
      << of_layer(maps, "front").obstacle;
}

TEST(LayerMaps, OfADetectorThatFindsNothingAreOfItsBestBox) {
  // One box of a tenth of a score at most, [1, 5 + C]: cx, cy, w, h, objectness, class scores.
  const auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 7, 1)}},
                    "  h = torch.mean(self.conv.forward(x), [2, 3])\n"
                    "  box = torch.cat([h[:, :4] * 0.0 + 6.0, torch.sigmoid(h[:, 4:]) * 0.3], 1)\n"
                    "  return torch.reshape(box, [1, 1, 7])\n");
  ModelDescription description = tiny::input_of(kSize, kSize);
  description.task = &find_task("detection");
  description.activation = ScoreActivation::kNone;
  description.boxes.format = BoxFormat::kYolox;
  const Network network(Model(tiny::saved(net, "boxes"), c10::Device("cpu")));
  const Explainer explainer(network, description, asked("conv"));
  const LayerMaps maps = map_layers(network, explainer, asked("conv"), tiny::blob(kSize));
  ASSERT_EQ(maps.targets.size(), 1U);
  EXPECT_LT(maps.targets[0].score, description.threshold);
  EXPECT_EQ(of_layer(maps, "conv").maps.size(), 1U);
}

TEST(LayerMaps, RefuseAMethodOfManyRuns) {
  Subject subject(residual_net(), "slow", asked("block"));
  subject.options.method = "scorecam";
  EXPECT_USER_ERROR(subject.maps(), ExitCode::kUsage, "--method scorecam: takes more than one run");
}

}  // namespace
}  // namespace gradcam
