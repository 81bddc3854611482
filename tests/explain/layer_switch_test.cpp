#include "stages/explain/layer_switch.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "stages/explain/option_rules.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;

/// Two convolutions, each with a spatial output, and a head.
LayerSwitch two_layers(int threads = 1) {
  const auto net =
      tiny::network({{"first", tiny::seeded_conv(3, 4, 1)},
                     {"second", tiny::seeded_conv(4, 4, 5)},
                     {"fc", tiny::linear(tiny::seeded({3, 4}, 3), tiny::seeded({3}, 4))}},
                    "  h = self.second.forward(torch.relu(self.first.forward(x)))\n"
                    "  return self.fc.forward(torch.mean(torch.relu(h), [2, 3]))\n");
  ModelDescription description;
  description.input_height = kSize;
  description.input_width = kSize;
  ExplainOptions options = tiny::options();  // threads are LibTorch's: some tests look at them
  options.layers = {"second"};
  options.threads = threads;
  return {Model(tiny::saved(net, "two_layers"), c10::Device("cpu")), description, options};
}

Blob blob() {
  Blob blob{kSize, kSize, {}};
  for (int i = 0; i < kSize * kSize * 3; ++i) {
    blob.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  }
  return blob;
}

Explanation explain(LayerSwitch& layers, const TargetChoice& target, const std::string& layer) {
  const Blob picture = blob();
  layers.turn_to(layer);
  return layers.explain({&picture}, {target, ""}).at(0);
}

TEST(LayerSwitch, MethodsAreTheQuickOnesThatGoWithTheTask) {
  const auto methods = two_layers().methods();
  const auto has = [&](const char* name) {
    return std::find(methods.begin(), methods.end(), name) != methods.end();
  };
  EXPECT_EQ(methods.front(), "gradcam");
  EXPECT_TRUE(has("finercam"));
  EXPECT_FALSE(has("scorecam"));  // many runs
  const auto of_boxes = quick_methods({}, find_task("detection"));
  EXPECT_EQ(std::count(of_boxes.begin(), of_boxes.end(), "finercam"), 0);
  EXPECT_EQ(std::count(of_boxes.begin(), of_boxes.end(), "shapleycam"), 0);
  EXPECT_EQ(std::count(of_boxes.begin(), of_boxes.end(), "hirescam"), 1);
}

TEST(LayerSwitch, ThreadsAreThoseOfTheThreadThatTakesThem) {
  LayerSwitch layers = two_layers(3);
  std::string switched;
  int beside = 0;
  std::thread([&] {  // as a paused frame is explained again, at another layer
    at::set_num_threads(1);
    explain(layers, {}, "first");
    layers.wait_until_prepared();
    switched = explain(layers, {}, "first").layers.at(0);
    beside = at::get_num_threads();
  })
      .join();
  EXPECT_EQ(switched, "first");
  EXPECT_EQ(beside, 1);
  const int before = at::get_num_threads();
  at::set_num_threads(1);  // as a bundle with a small head leaves it
  layers.turn_to("first");
  layers.current().take_threads();
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

TEST(LayerSwitch, ExplainsTheLayerOfTheOptionsUntilAnotherIsReady) {
  LayerSwitch layers = two_layers();
  EXPECT_EQ(explain(layers, {}, "").layers, std::vector<std::string>{"second"});
  EXPECT_EQ(explain(layers, {}, "first").layers, std::vector<std::string>{"second"});
  layers.wait_until_prepared();
  const Explanation now = explain(layers, {}, "first");
  // The same as an explainer that was made for this layer.
  ExplainOptions options;
  options.layers = {"first"};
  EXPECT_EQ(now.layers, options.layers);
  EXPECT_EQ(explain(layers, {}, "").layers, std::vector<std::string>{"second"});
  EXPECT_EQ(explain(layers, {}, "first").layers, options.layers);  // kept
}

TEST(LayerSwitch, LayersThatCanBeChosenAreInOrderOfTheirCall) {
  LayerSwitch layers = two_layers();
  layers.layers();
  layers.wait_until_prepared();
  EXPECT_EQ(layers.layers(), (std::vector<std::string>{"first", "second"}));
}

TEST(LayerSwitch, LayerThatCannotBeCutIsToldOnceAndTheOldOneGoesOn) {
  LayerSwitch layers = two_layers();
  EXPECT_EQ(explain(layers, {}, "frist").layers, std::vector<std::string>{"second"});
  layers.wait_until_prepared();
  EXPECT_EQ(explain(layers, {}, "frist").layers, std::vector<std::string>{"second"});
  const std::optional<std::string> problem = layers.take_problem();
  ASSERT_TRUE(problem.has_value());
  EXPECT_NE(problem->find("frist"), std::string::npos);
  EXPECT_NE(problem->find("first"), std::string::npos) << "near names help: " << *problem;
  EXPECT_TRUE(layers.refuses("frist"));
  EXPECT_FALSE(layers.refuses("first"));
  explain(layers, {}, "frist");
  EXPECT_FALSE(layers.take_problem());
}

TEST(LayerSwitch, TargetIsThatOfTheCall) {
  LayerSwitch layers = two_layers();
  const Explanation best = explain(layers, {}, "");
  const Explanation second = explain(layers, {.rank = 2}, "");
  EXPECT_EQ(second.targets.at(0).index, best.top.at(1).index);
  EXPECT_EQ(explain(layers, {.index = 2}, "").targets.at(0).index, 2);
}

}  // namespace
}  // namespace gradcam
