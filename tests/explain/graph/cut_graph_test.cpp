#include "stages/explain/graph/cut_graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "config/user_error.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;
constexpr int kChannels = 6;
constexpr int kClasses = 5;

/// stem -> block (conv, bn, in-place ReLU, residual) -> ReLU -> mean -> fc, and the same in ATen.
struct ResidualNet {
  at::Tensor stem_w = tiny::seeded({kChannels, 3, 3, 3}, 1) * 0.3;
  at::Tensor stem_b = tiny::seeded({kChannels}, 2) * 0.1;
  at::Tensor conv_w = tiny::seeded({kChannels, kChannels, 3, 3}, 3) * 0.3;
  at::Tensor conv_b = tiny::seeded({kChannels}, 4) * 0.1;
  at::Tensor gamma = tiny::seeded({kChannels}, 5).abs() + 0.5;
  at::Tensor beta = tiny::seeded({kChannels}, 6);
  at::Tensor mean = tiny::seeded({kChannels}, 7);
  at::Tensor var = tiny::seeded({kChannels}, 8).abs() + 0.5;
  at::Tensor fc_w = tiny::seeded({kClasses, kChannels}, 9);
  at::Tensor fc_b = tiny::seeded({kClasses}, 10);

  torch::jit::Module script() const {
    auto block =
        tiny::network({{"conv", tiny::conv3x3(conv_w, conv_b)},
                       {"bn", tiny::batch_norm(kChannels, 5)},
                       {"relu", tiny::relu(true)}},
                      "  return self.relu.forward(self.bn.forward(self.conv.forward(x))) + x\n");
    return tiny::network({{"stem", tiny::conv3x3(stem_w, stem_b)},
                          {"block", block},
                          {"relu", tiny::relu(true)},
                          {"fc", tiny::linear(fc_w, fc_b)}},
                         "  h = self.block.forward(self.stem.forward(x))\n"
                         "  return self.fc.forward(torch.mean(self.relu.forward(h), [2, 3]))\n");
  }

  /// Runs in plain ATen; what `tap(name, value)` returns takes the place of the layer's output.
  template <typename Tap>
  at::Tensor run(const at::Tensor& x, Tap tap) const {
    const at::Tensor h = tap("stem", at::conv2d(x, stem_w, stem_b, 1, 1));
    const at::Tensor c = tap("block.conv", at::conv2d(h, conv_w, conv_b, 1, 1));
    const at::Tensor n =
        tap("block.bn", at::batch_norm(c, gamma, beta, mean, var, false, 0.1, 1e-5, false));
    const at::Tensor b = tap("block", n.relu() + h);
    return at::matmul(b.relu().mean({2, 3}), fc_w.t()) + fc_b;
  }
};

/// Activation and total gradient of each named layer, by full autograd from the first one on.
std::vector<std::pair<at::Tensor, at::Tensor>> reference(const ResidualNet& net,
                                                         const std::vector<std::string>& layers,
                                                         const at::Tensor& x, int target) {
  std::map<std::string, at::Tensor> taken;
  const at::AutoGradMode with_grad(true);
  const at::Tensor input = x.detach().clone().requires_grad_();
  const at::Tensor output = net.run(input, [&](const std::string& name, const at::Tensor& value) {
    if (std::find(layers.begin(), layers.end(), name) != layers.end()) taken[name] = value;
    return value;
  });
  std::vector<at::Tensor> activations;
  activations.reserve(layers.size());
  for (const auto& layer : layers) activations.push_back(taken.at(layer));
  const auto gradients = torch::autograd::grad({output[0][target]}, activations);
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs;
  for (std::size_t i = 0; i < layers.size(); ++i) pairs.emplace_back(activations[i], gradients[i]);
  return pairs;
}

Model model_of(const torch::jit::Module& module, const std::string& name) {
  return Model(tiny::saved(module, name), c10::Device("cpu"));
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

class CutLayers : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(CutLayers, EqualFullAutograd) {
  const ResidualNet net;
  CutGraph engine(model_of(net.script(), "residual"), GetParam(), tiny::input_of(kSize, kSize));
  const at::Tensor x = tiny::seeded({1, 3, kSize, kSize}, 77);
  // More than the profiling runs, so that the optimised executor is compared too.
  for (int run = 0; run < 5; ++run) {
    const auto result = engine.run(x);
    const auto gradients = torch::autograd::grad({result.output[0][2]}, result.activations);
    const auto expected = reference(net, GetParam(), x, 2);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LT(largest_difference(result.activations[i], expected[i].first), 2e-5);
      EXPECT_LT(largest_difference(gradients[i], expected[i].second), 2e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layers, CutLayers,
    testing::Values(std::vector<std::string>{"stem"}, std::vector<std::string>{"block.conv"},
                    std::vector<std::string>{"block.bn"},  // an in-place ReLU follows
                    std::vector<std::string>{"block"},     // residual sum, in-place ReLU follows
                    std::vector<std::string>{"stem", "block.bn"},
                    std::vector<std::string>{"block", "stem", "block.conv"}));

TEST(CutGraph, GradientsOfSeveralTargetsComeFromOneForward) {
  const ResidualNet net;
  CutGraph engine(model_of(net.script(), "targets"), {"block.bn"}, tiny::input_of(kSize, kSize));
  const at::Tensor x = tiny::seeded({1, 3, kSize, kSize}, 5);
  const auto result = engine.run(x);
  for (int target = 0; target < kClasses; ++target) {
    const auto gradient = torch::autograd::grad({result.output[0][target]}, result.activations, {},
                                                /*retain_graph=*/true)[0];
    EXPECT_LT(largest_difference(gradient, reference(net, {"block.bn"}, x, target)[0].second),
              2e-6);
  }
}

TEST(CutGraph, ForwardOnlyEqualsTheCutNetworkAndRecordsNothing) {
  const ResidualNet net;
  CutGraph engine(model_of(net.script(), "forward"), {"block"}, tiny::input_of(kSize, kSize));
  const at::Tensor x = tiny::seeded({1, 3, kSize, kSize}, 6);
  const at::Tensor plain = engine.forward_only(x);
  EXPECT_FALSE(plain.requires_grad());
  EXPECT_LT(largest_difference(plain, engine.run(x).output), 1e-5);
  EXPECT_EQ(engine.output_shape(), std::vector<std::int64_t>{kClasses});
}

TEST(CutGraph, NothingInFrontOfTheCutRecordsAGradient) {
  const ResidualNet net;
  CutGraph engine(model_of(net.script(), "front"), {"block"}, tiny::input_of(kSize, kSize));
  const auto result = engine.run(tiny::seeded({1, 3, kSize, kSize}, 6));
  EXPECT_TRUE(result.activations[0].is_leaf());
  EXPECT_TRUE(result.activations[0].requires_grad());
}

/// Captum's own test: conv 1->2 of ones, bias (-50, -75), ReLU, linear 8->4, ReLU on arange(16).
torch::jit::Module captum_toy() {
  const at::Tensor weight = at::ones({2, 1, 3, 3});
  const at::Tensor row = at::tensor({1.F, 1.F, 1.F, 1.F, 1.F, -1.F, -1.F, -1.F});
  return tiny::network(
      {{"conv1", tiny::conv3x3(weight, at::tensor({-50.F, -75.F}), 0)},
       {"relu1", tiny::relu(false)},
       {"linear1", tiny::linear(row.expand({4, 8}).contiguous(), at::zeros({4}))},
       {"relu2", tiny::relu(false)}},
      "  return "
      "self.relu2.forward(self.linear1.forward(self.relu1.forward(self.conv1.forward(x))))\n");
}

at::Tensor toy_grad_cam(const std::string& layer, float shift) {
  CutGraph engine(model_of(captum_toy(), "captum_" + layer), {layer}, tiny::input_of(4, 4, 1));
  const auto result = engine.run(at::arange(16).to(at::kFloat).view({1, 1, 4, 4}) + shift);
  const auto gradient = torch::autograd::grad({result.output[0][0]}, result.activations)[0];
  const at::Tensor weights = gradient[0].mean({1, 2});
  return (weights.view({-1, 1, 1}) * result.activations[0].detach()[0]).sum(0);
}

TEST(CutGraph, GivesCaptumsToyAnswers) {
  const auto expect = [](const at::Tensor& map, const std::vector<float>& values) {
    EXPECT_LT(largest_difference(map, at::tensor(values).view({2, 2})), 1e-4);
  };
  expect(toy_grad_cam("conv1", 0), {11.25F, 13.5F, 20.25F, 22.5F});
  expect(toy_grad_cam("relu1", 0), {0.F, 4.F, 28.F, 32.5F});
  expect(toy_grad_cam("conv1", 1), {14.5F, 19.F, 32.5F, 37.F});
}

TEST(CutGraph, AClosedReluGivesAZeroGradient) {
  // The input is so small that relu2 closes: the logit is 0 and nothing moves it.
  const at::Tensor map = toy_grad_cam("conv1", -100);
  EXPECT_EQ(map.abs().max().item<double>(), 0.0);
}

TEST(CutGraph, ALayerCalledTwiceIsCutAtItsLastCall) {
  const at::Tensor w = tiny::seeded({3, 3, 3, 3}, 1) * 0.3;
  const at::Tensor b = tiny::seeded({3}, 2);
  const auto module =
      tiny::network({{"conv", tiny::conv3x3(w, b)},
                     {"fc", tiny::linear(tiny::seeded({4, 3}, 3), tiny::seeded({4}, 4))}},
                    "  h = self.conv.forward(torch.relu(self.conv.forward(x)))\n"
                    "  return self.fc.forward(torch.mean(torch.tanh(h), [2, 3]))\n");
  CutGraph engine(model_of(module, "twice"), {"conv"}, tiny::input_of(kSize, kSize));
  const at::Tensor x = tiny::seeded({1, 3, kSize, kSize}, 5);
  const at::Tensor expected = at::conv2d(at::conv2d(x, w, b, 1, 1).relu(), w, b, 1, 1);
  EXPECT_LT(largest_difference(engine.run(x).activations[0], expected), 1e-5);
}

TEST(CutGraph, TakesTheElementOfATupleThatIsAskedFor) {
  const ResidualNet net;
  const auto module = tiny::network(
      {{"net", net.script()}}, "  y = self.net.forward(x)\n  return (torch.zeros([1, 2]), y)\n");
  CutGraph engine(model_of(module, "tuple"), {"net.block"},
                  tiny::input_of(kSize, kSize, 3, OutputChoice{1, ""}));
  EXPECT_EQ(engine.output_shape(), std::vector<std::int64_t>{kClasses});
}

TEST(CutGraph, AKeyOfATupleAndAPlaceInADictAreRefused) {
  const ResidualNet net;
  const auto tuple = tiny::network(
      {{"net", net.script()}}, "  y = self.net.forward(x)\n  return (torch.zeros([1, 2]), y)\n");
  EXPECT_USER_ERROR(CutGraph(model_of(tuple, "tuple"), {"net.block"},
                             tiny::input_of(kSize, kSize, 3, OutputChoice{std::nullopt, "logits"})),
                    ExitCode::kModel, "a tuple of 2");
  const auto dict =
      tiny::network({{"net", net.script()}}, "  return {\"logits\": self.net.forward(x)}\n");
  EXPECT_USER_ERROR(CutGraph(model_of(dict, "dict"), {"net.block"},
                             tiny::input_of(kSize, kSize, 3, OutputChoice{0, ""})),
                    ExitCode::kModel, "a dict of logits");
}

TEST(CutGraph, ALayerOfOnePlaceIsRefused) {
  const auto module =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"pool", tiny::leaf("AvgPool", {}, "return torch.mean(x, [2, 3], True)")},
                     {"fc", tiny::linear(tiny::seeded({4, 4}, 3), tiny::seeded({4}, 4))}},
                    "  h = self.pool.forward(self.conv.forward(x))\n"
                    "  return self.fc.forward(torch.flatten(h, 1))\n");
  EXPECT_USER_ERROR(CutGraph(model_of(module, "pool"), {"pool"}, tiny::input_of(kSize, kSize)),
                    ExitCode::kUsage, "layer pool: gives one place only");
}

TEST(CutGraph, JoinsTheElementsOfATupleThatAreAskedFor) {
  const ResidualNet net;
  const auto module =
      tiny::network({{"net", net.script()}},
                    "  y = self.net.forward(x)\n  return (y, torch.zeros([1, 2]), y * 2)\n");
  OutputChoice both;
  both.parts = {OutputChoice{2, ""}, OutputChoice{0, ""}};
  CutGraph engine(model_of(module, "parts"), {"net.block"}, tiny::input_of(kSize, kSize, 3, both));
  EXPECT_EQ(engine.output_shape(), std::vector<std::int64_t>{2L * kClasses});
  const at::Tensor x = tiny::seeded({1, 3, kSize, kSize}, 5);
  const at::Tensor y =
      net.run(x, [](const std::string&, const at::Tensor& value) { return value; });
  EXPECT_LT(largest_difference(engine.run(x).output, at::cat({y * 2, y}, -1)), 1e-5);
}

std::string refusal(const torch::jit::Module& module, const std::string& layer, ExitCode code) {
  try {
    CutGraph engine(model_of(module, "refused"), {layer}, tiny::input_of(kSize, kSize));
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "layer " << layer << " was accepted";
  return "";
}

TEST(CutGraph, UnknownLayerListsNearNames) {
  const std::string text = refusal(ResidualNet().script(), "block.bm", ExitCode::kUsage);
  EXPECT_NE(text.find("layer block.bm"), std::string::npos);
  EXPECT_NE(text.find("near names: block.bn"), std::string::npos);
}

TEST(CutGraph, LayerWithoutPlacesIsRefused) {
  EXPECT_NE(refusal(ResidualNet().script(), "fc", ExitCode::kUsage).find("[1, C, h, w]"),
            std::string::npos);
}

TEST(CutGraph, LayerOfAnotherBranchHasNoGradientButRuns) {
  const auto module =
      tiny::network({{"side", tiny::seeded_conv(3, 2, 1)}, {"net", ResidualNet().script()}},
                    "  s = self.side.forward(x)\n"
                    "  if bool(s.sum() > 1e30):\n"
                    "    print(s)\n"
                    "  return self.net.forward(x)\n");
  CutGraph engine(model_of(module, "side"), {"side"}, tiny::input_of(kSize, kSize));
  EXPECT_NE(engine.gradient_obstacle().find("layer side: no gradient reaches"), std::string::npos);
  const CutResult result = engine.run(tiny::seeded({1, 3, kSize, kSize}, 5));
  EXPECT_EQ(result.activations.at(0).size(1), 2);
  EXPECT_FALSE(result.output.requires_grad());
}

TEST(CutGraph, LayerInABranchIsRefusedAsSuch) {
  const auto module =
      tiny::network({{"a", tiny::seeded_conv(3, 2, 1)}, {"b", tiny::seeded_conv(3, 2, 2)}},
                    "  if bool(x.mean() > 0.5):\n"
                    "    y = self.a.forward(x)\n"
                    "  else:\n"
                    "    y = self.b.forward(x)\n"
                    "  return torch.mean(y, [2, 3])\n");
  EXPECT_NE(refusal(module, "a", ExitCode::kUsage).find("layer a: lies inside a branch"),
            std::string::npos);
}

TEST(CutGraph, NetworkThatDrawsRandomNumbersIsRefusedByTheirName) {
  const auto module = tiny::network(
      {{"conv", tiny::seeded_conv(3, 2, 1)}},
      "  y = self.conv.forward(x)\n  return torch.mean(y + torch.rand_like(y), [2, 3])\n");
  EXPECT_NE(refusal(module, "conv", ExitCode::kModel).find("by aten::rand_like"),
            std::string::npos);
}

TEST(CutGraph, RandomNumbersThatDoNotReachTheOutputAreLeftAlone) {
  const auto module = tiny::network({{"conv", tiny::seeded_conv(3, 2, 1)}},
                                    "  y = self.conv.forward(x)\n"
                                    "  return torch.mean(y + torch.rand_like(y) * 0.0, [2, 3])\n");
  EXPECT_NO_THROW(CutGraph(model_of(module, "unused"), {"conv"}, tiny::input_of(kSize, kSize)));
}

TEST(CutGraph, OutputThatIsNoFloatsOfOnePictureIsRefused) {
  const auto net = [](const std::string& result) {
    return tiny::network({{"conv", tiny::seeded_conv(3, 2, 1)}}, "  return " + result + "\n");
  };
  EXPECT_NE(refusal(net("torch.argmax(self.conv.forward(x), 1)"), "conv", ExitCode::kModel)
                .find("1x12x12"),
            std::string::npos);
  EXPECT_NE(refusal(net("torch.mean(self.conv.forward(x))"), "conv", ExitCode::kModel)
                .find("wanted are floats"),
            std::string::npos);
}

TEST(CutGraph, OutputMayBeAMapOrATensorOfADict) {
  const auto net = [](const std::string& result) {
    return tiny::network({{"conv", tiny::seeded_conv(3, 2, 1)}}, "  return " + result + "\n");
  };
  const std::vector<std::int64_t> shape{2, kSize, kSize};
  CutGraph map(model_of(net("self.conv.forward(x) * 2"), "map"), {"conv"},
               tiny::input_of(kSize, kSize));
  EXPECT_EQ(map.output_shape(), shape);
  CutGraph dict(model_of(net("{'aux': x, 'out': self.conv.forward(x) * 2}"), "dict"), {"conv"},
                tiny::input_of(kSize, kSize, 3, OutputChoice{{}, "out"}));
  EXPECT_EQ(dict.output_shape(), shape);
  EXPECT_NE(refusal(net("{'aux': x, 'out': self.conv.forward(x) * 2}"), "conv", ExitCode::kModel)
                .find("a dict of aux, out"),
            std::string::npos);
}

TEST(CutGraph, NetworkThatCannotTakeTheInputIsRefused) {
  const auto module = tiny::network({{"conv", tiny::seeded_conv(4, 2, 1)}},
                                    "  return torch.mean(self.conv.forward(x), [2, 3])\n");
  EXPECT_NE(refusal(module, "conv", ExitCode::kModel).find("cannot run on an input of 1x3x12x12"),
            std::string::npos);
}

TEST(CutGraph, GradientsStopWhereTheNetworkDetaches) {
  // Rounded with the gradient of what is rounded, and a gate that is held fixed.
  const auto module =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                    "  a = self.conv.forward(x)\n"
                    "  r = a + (torch.round(a) - a).detach()\n"
                    "  y = r * torch.sigmoid(r).detach()\n"
                    "  return self.fc.forward(torch.mean(y, [2, 3]))\n");
  CutGraph cut(model_of(module, "detached"), {"conv"}, tiny::input_of(kSize, kSize));
  for (int run = 0; run < 3; ++run) {  // more than the profiling runs
    const auto result = cut.run(tiny::seeded({1, 3, kSize, kSize}, 5));
    const at::Tensor found = torch::autograd::grad({result.output[0][1]}, result.activations)[0];
    const at::Tensor rounded = at::round(result.activations[0].detach());
    const at::Tensor row = tiny::seeded({2, 4}, 3)[1].reshape({1, 4, 1, 1});
    const at::Tensor expected = at::sigmoid(rounded) * row / (kSize * kSize);
    EXPECT_LT((found - expected).abs().max().item<float>(), 1e-6);
  }
}

TEST(CutGraph, ALinearLayerMayHaveAVectorOfWeights) {
  // As D-FINE reads a place off its shares; enough around it for TorchScript to differentiate.
  const at::Tensor weights = tiny::seeded({kSize}, 3);
  const auto shares = tiny::leaf("Shares", {{"weight", weights}},
                                 "h = torch.softmax(torch.tanh(torch.sigmoid(x)) * 2., 3)\n"
                                 "  y = torch.linear(h, self.weight * 2.)\n"
                                 "  return torch.tanh(torch.sigmoid(y) * 3.) * y");
  const auto module = tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)}, {"shares", shares}},
                                    "  y = self.shares.forward(self.conv.forward(x))\n"
                                    "  return torch.mean(y, [2])\n");
  CutGraph cut(model_of(module, "vector"), {"conv"}, tiny::input_of(kSize, kSize));
  for (int run = 0; run < 4; ++run) {  // more than the profiling runs
    const auto result = cut.run(tiny::seeded({1, 3, kSize, kSize}, 5));
    const at::Tensor found = torch::autograd::grad({result.output[0][1]}, result.activations)[0];
    const at::Tensor x = result.activations[0].detach().requires_grad_();
    const at::Tensor y = at::matmul(at::softmax(x.sigmoid().tanh() * 2, 3), weights * 2);
    const at::Tensor output = ((y.sigmoid() * 3).tanh() * y).mean(at::IntArrayRef{2});
    const at::Tensor expected = torch::autograd::grad({output[0][1]}, {x})[0];
    EXPECT_LT((found - expected).abs().max().item<float>(), 1e-6) << run;
  }
}

}  // namespace
}  // namespace gradcam
