#include "stages/explain/graph/split_graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/explain/engines/split_engine.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/graph/cut_graph.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 16;

ModelDescription described() { return tiny::input_of(kSize, kSize); }

Model model_of(const torch::jit::Module& module, const std::string& name) {
  return Model(tiny::saved(module, name), c10::Device("cpu"));
}

/// As networks end that torch.jit.trace or torch.jit.script has seen.
torch::jit::Module final_linear(const at::Tensor& weight, const at::Tensor& bias) {
  return tiny::leaf("Linear", {{"weight", weight}, {"bias", bias}},
                    "return torch.linear(x, self.weight, self.bias)");
}

/// stem -> conv, bn, in-place ReLU, + stem, in-place ReLU -> pooled linear.
torch::jit::Module residual_net() {
  return tiny::network({{"stem", tiny::seeded_conv(3, 8, 1)},
                        {"conv", tiny::seeded_conv(8, 8, 3)},
                        {"bn", tiny::batch_norm(8, 5)},
                        {"relu", tiny::relu(true)},
                        {"fc", final_linear(tiny::seeded({5, 8}, 9), tiny::seeded({5}, 10))}},
                       "  h = self.stem.forward(x)\n"
                       "  y = self.relu.forward(self.bn.forward(self.conv.forward(h))) + h\n"
                       "  return self.fc.forward(torch.mean(self.relu.forward(y), [2, 3]))\n");
}

at::Tensor pictures(int count) { return tiny::pictures(count, kSize); }

SplitEngine engine_of(const Model& model, const std::string& layer, TorchScriptForm form) {
  const auto halves = split(mark_layers(model, {layer}));
  EXPECT_TRUE(halves.has_value());
  const Normalisation normalisation(described());
  return SplitEngine(torchscript_features(*halves, form, normalisation), Head(halves->head, {}),
                     pictures(1));
}

at::Tensor gradient_of(SplitEngine& engine, const Engine::Result& result, int target) {
  const std::vector<Seed> seeds(static_cast<std::size_t>(result.output.size(0)), Seed{{target, 1}});
  return engine.gradients(result, seeds, false)[0];
}

double relative(const at::Tensor& found, const at::Tensor& expected) {
  return (found.detach() - expected.detach()).abs().max().item<double>() /
         expected.detach().abs().max().item<double>();
}

class SplitLayers : public testing::TestWithParam<const char*> {};

TEST_P(SplitLayers, AgreeWithTheWholeGraph) {
  const Model model = model_of(residual_net(), "split");
  CutGraph whole(model, {GetParam()}, tiny::input_of(kSize, kSize));
  SplitEngine engine = engine_of(model, GetParam(), TorchScriptForm::kOptimized);
  const at::Tensor pixels = pictures(1);
  for (int run = 0; run < 5; ++run) {  // more than the profiling runs
    const auto expected = whole.run(Normalisation(described()).apply(pixels));
    const auto gradient = torch::autograd::grad({expected.output[0][2]}, expected.activations)[0];
    const auto found = engine.run(pixels);
    EXPECT_LT(relative(found.output, expected.output), 1e-5);
    EXPECT_LT(relative(found.activations[0], expected.activations[0]), 1e-5);
    EXPECT_LT(relative(gradient_of(engine, found, 2), gradient), 1e-5);
  }
  EXPECT_LT(relative(engine.forward_only(pixels), engine.run(pixels).output), 1e-5);
}

// "conv" has a residual branch beside it; behind "bn" an operation writes in place.
INSTANTIATE_TEST_SUITE_P(Layers, SplitLayers, testing::Values("stem", "conv", "bn", "relu"));

struct PooledHead {
  const char* pooling;
  int inputs;     ///< of the linear layer
  bool averages;  ///< nothing but the mean over all places lies behind the layer
};

std::ostream& operator<<(std::ostream& out, const PooledHead& head) {
  return out << (head.averages ? "averages" : "needs autograd");
}

class PooledHeads : public testing::TestWithParam<PooledHead> {};

TEST_P(PooledHeads, AgreeWithAutogradWhetherItIsNeededOrNot) {
  const auto& [pooling, inputs, averages] = GetParam();
  const auto module = tiny::network(
      {{"conv", tiny::seeded_conv(3, 8, 3)},
       {"fc", final_linear(tiny::seeded({5, inputs}, 9), tiny::seeded({5}, 10))}},
      std::string("  x = self.conv.forward(x)\n  return self.fc.forward(") + pooling + ")\n");
  const Model model = model_of(module, "pooled");
  CutGraph whole(model, {"conv"}, tiny::input_of(kSize, kSize));
  const auto expected = whole.run(Normalisation(described()).apply(pictures(1)));
  const auto gradient = torch::autograd::grad({expected.output[0][3]}, expected.activations)[0];
  SplitEngine engine = engine_of(model, "conv", TorchScriptForm::kOptimized);
  const auto result = engine.run(pictures(1));
  EXPECT_LT(relative(result.output, expected.output), 1e-5);
  const at::Tensor found = gradient_of(engine, result, 3);
  EXPECT_EQ(found.sizes(), gradient.sizes());
  EXPECT_LT(relative(found, gradient), 1e-5);
  EXPECT_EQ(found.stride(2) == 0 && found.stride(3) == 0, averages);
  if (!averages) return;
  const auto both = engine.run(pictures(2));
  const at::Tensor each = engine.gradients(both, {Seed{{3, 1}}, Seed{{1, 1}}}, false)[0];
  EXPECT_LT(relative(each[0], gradient[0]), 1e-5);
  EXPECT_GT(relative(each[1], gradient[0]), 0.1);
}

INSTANTIATE_TEST_SUITE_P(
    Poolings, PooledHeads,
    testing::Values(
        PooledHead{"torch.mean(x, [2, 3])", 8, true},
        PooledHead{"torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)", 8, true},
        PooledHead{"torch.dropout(torch.mean(x, [-1, -2], True).view(x.size(0), 8), 0.2, False)", 8,
                   true},
        PooledHead{"torch.flatten(torch.adaptive_avg_pool2d(x, [2, 2]), 1)", 32, false},
        PooledHead{"torch.mean(torch.relu(x), [2, 3])", 8, false},
        PooledHead{"torch.amax(x, [2, 3])", 8, false},
        PooledHead{"torch.mean(torch.mean(x, [2]), [2])", 8, false},
        PooledHead{"torch.mean(x, [2, 3]) * 2", 8, false},
        PooledHead{"torch.mean(torch.flatten(x, 1), [1], True).repeat(1, 8)", 8, false}));

/// Features that know the output of the whole network, as those of a bundle do.
class WholeFeatures : public Features {
 public:
  WholeFeatures(std::unique_ptr<Features> features, at::Tensor output)
      : features_(std::move(features)), output_(std::move(output)) {}
  FeatureValues run(const at::Tensor& pixels) override {
    return {features_->run(pixels).head, output_.expand({pixels.size(0), 5})};
  }
  std::string name() const override { return "whole"; }

 private:
  std::unique_ptr<Features> features_;
  at::Tensor output_;
};

TEST(SplitGraph, TheOutputThatTheFeaturesGiveIsTaken) {
  const Model model = model_of(residual_net(), "output");
  const at::Tensor known = tiny::seeded({1, 5}, 33);
  for (const char* layer : {"bn", "relu"}) {
    const auto halves = split(mark_layers(model, {layer}));
    auto features =
        torchscript_features(*halves, TorchScriptForm::kOptimized, Normalisation(described()));
    SplitEngine engine(std::make_unique<WholeFeatures>(std::move(features), known),
                       Head(halves->head, {}), pictures(1));
    SplitEngine plain = engine_of(model, layer, TorchScriptForm::kOptimized);
    const auto result = engine.run(pictures(1));
    EXPECT_TRUE(result.output.equal(known));
    EXPECT_TRUE(engine.forward_only(pictures(1)).equal(known));
    const at::Tensor expected = gradient_of(plain, plain.run(pictures(1)), 2);
    EXPECT_LT(relative(gradient_of(engine, result, 2), expected), 1e-6);
  }
}

TEST(SplitGraph, HalfPrecisionStaysNear) {
  const Model model = model_of(residual_net(), "half");
  SplitEngine full = engine_of(model, "bn", TorchScriptForm::kOptimized);
  const auto expected = full.run(pictures(1));
  for (const auto form : {TorchScriptForm::kBf16, TorchScriptForm::kFp16}) {
    SplitEngine engine = engine_of(model, "bn", form);
    const auto found = engine.run(pictures(1));
    EXPECT_EQ(found.activations[0].scalar_type(), at::kFloat);
    EXPECT_LT(relative(found.activations[0], expected.activations[0]), 0.05);
    EXPECT_GT(relative(found.activations[0], expected.activations[0]), 0);  // it is another format
    EXPECT_EQ(engine.name(), name_of(form));
  }
}

TEST(SplitGraph, PicturesOfOneCallDoNotInfluenceEachOther) {
  const Model model = model_of(residual_net(), "batch");
  SplitEngine engine = engine_of(model, "bn", TorchScriptForm::kOptimized);
  const at::Tensor pixels = pictures(3);
  const auto together = engine.run(pixels);
  const at::Tensor gradients = gradient_of(engine, together, 1);
  for (int n = 0; n < 3; ++n) {
    const auto alone = engine.run(pixels.narrow(0, n, 1));
    EXPECT_LT(relative(together.output[n], alone.output[0]), 1e-5);
    EXPECT_LT(relative(gradients[n], gradient_of(engine, alone, 1)[0]), 1e-5);
  }
}

bool features_wait(const std::string& name, const std::string& body) {
  const auto module =
      tiny::network({{"a", tiny::seeded_conv(3, 4, 1)},
                     {"fc", final_linear(tiny::seeded({5, 4}, 9), tiny::seeded({5}, 10))}},
                    body + "  return self.fc.forward(torch.mean(self.a.forward(x), [2, 3]))\n");
  const auto halves = split(mark_layers(model_of(module, name), {"a"}));
  EXPECT_TRUE(halves.has_value());
  return halves && waits_for_device(*halves->features->block());
}

TEST(SplitGraph, OnlyWhatNeedsTheValuesWaitsForADevice) {
  EXPECT_FALSE(features_wait("plain", "  x = torch.relu(x * 2.0)\n"));
  EXPECT_FALSE(
      features_wait("shape", "  n = torch.tensor(x.size(2)) * 2\n  x = x + float(x.size(3))\n"));
  EXPECT_FALSE(features_wait("view", "  x = x.view(x.size(0), 3, x.size(2), -1)\n"));
  EXPECT_TRUE(features_wait("number", "  x = x / float(x.max())\n"));
  EXPECT_TRUE(features_wait("item", "  x = x * x.mean().item()\n"));
  EXPECT_TRUE(features_wait("mask", "  x = x - torch.masked_select(x, x > 0).mean()\n"));
}

/// A neck of two levels, of which the second comes of the first, and a head that takes both.
torch::jit::Module neck_net() {
  return tiny::network(
      {{"stem", tiny::seeded_conv(3, 8, 1)},
       {"fine", tiny::seeded_conv(8, 8, 3)},
       {"other", tiny::seeded_conv(8, 8, 4)},
       {"coarse", tiny::seeded_conv(8, 8, 5)},
       {"fc", final_linear(tiny::seeded({5, 24}, 9), tiny::seeded({5}, 10))}},
      "  h = torch.relu(self.stem.forward(x))\n"
      "  fine = self.fine.forward(h)\n"
      "  other = self.other.forward(h)\n"
      "  coarse = self.coarse.forward(torch.max_pool2d(torch.relu(fine), [2, 2]))\n"
      "  y = torch.cat([torch.mean(torch.relu(fine), [2, 3]),\n"
      "                 torch.mean(torch.relu(other), [2, 3]),\n"
      "                 torch.mean(torch.relu(coarse), [2, 3])], 1)\n"
      "  return self.fc.forward(y)\n");
}

TEST(SplitGraph, SeveralLayersHaveTheGradientThroughEachOther) {
  const Model model = model_of(neck_net(), "several");
  const std::vector<std::string> layers{"coarse", "fine", "other"};
  CutGraph whole(model, layers, tiny::input_of(kSize, kSize));
  const auto halves = split(mark_layers(model, layers));
  ASSERT_TRUE(halves.has_value());
  EXPECT_EQ(halves->count(/*in_head=*/false), 2);
  EXPECT_TRUE(halves->layers.at("coarse").in_head);
  std::vector<SplitGraph::Place> places;
  places.reserve(layers.size());
  for (const std::string& layer : layers) places.push_back(halves->layers.at(layer));
  const Normalisation normalisation(described());
  SplitEngine engine(torchscript_features(*halves, TorchScriptForm::kOptimized, normalisation),
                     Head(halves->head, {}, 2, 1), pictures(1), places);
  for (int run = 0; run < 5; ++run) {  // more than the profiling runs
    const auto expected = whole.run(normalisation.apply(pictures(1)));
    const auto gradients = torch::autograd::grad({expected.output[0][2]}, expected.activations);
    const auto found = engine.run(pictures(1));
    const auto own = engine.gradients(found, {Seed{{2, 1}}}, false);
    EXPECT_LT(relative(found.output, expected.output), 1e-5);
    ASSERT_EQ(own.size(), layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_LT(relative(found.activations[i], expected.activations[i]), 1e-5) << layers[i];
      EXPECT_LT(relative(own[i], gradients[i]), 1e-5) << layers[i];
    }
  }
  EXPECT_THROW(engine.tail(engine.run(pictures(1)), 0, 0), std::runtime_error);
}

TEST(SplitGraph, AListThatGrowsAcrossTheCutIsNotSplit) {
  const auto module =
      tiny::network({{"a", tiny::seeded_conv(3, 4, 1)},
                     {"b", tiny::seeded_conv(4, 4, 3)},
                     {"fc", final_linear(tiny::seeded({5, 8}, 9), tiny::seeded({5}, 10))}},
                    "  n = int(x.sum())\n"
                    "  parts = [self.a.forward(x)]\n"
                    "  if n > -1000000:\n"
                    "    parts.append(self.b.forward(parts[0]))\n"
                    "  return self.fc.forward(torch.mean(torch.cat(parts, 1), [2, 3]))\n");
  EXPECT_FALSE(split(mark_layers(model_of(module, "list"), {"a"})));
}

}  // namespace
}  // namespace gradcam
