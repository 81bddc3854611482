#include "stages/explain/engines/whole_network.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

namespace jit = torch::jit;

constexpr int kSize = 12;
constexpr int kClasses = 5;

/// Biases everywhere, batch norms in front of in-place ReLUs, a branch around them.
Model residual_net() {
  auto block =
      tiny::network({{"conv", tiny::seeded_conv(6, 6, 3)},
                     {"bn", tiny::batch_norm(6, 5)},
                     {"relu", tiny::relu(true)}},
                    "  return self.relu.forward(self.bn.forward(self.conv.forward(x))) + x\n");
  auto net = tiny::network(
      {{"stem", tiny::seeded_conv(3, 6, 1)},
       {"stem_relu", tiny::relu(true)},
       {"block", block},
       {"fc", tiny::linear(tiny::seeded({kClasses, 6}, 9), tiny::seeded({kClasses}, 10))}},
      "  h = self.block.forward(self.stem_relu.forward(self.stem.forward(x)))\n"
      "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  return Model(tiny::saved(net, "full"), c10::Device("cpu"));
}

ModelDescription described() { return tiny::input_of(kSize, kSize); }

TEST(WholeNetwork, FullGradientsAddUpToTheScore) {
  // Srinivas and Fleuret, equation 3: S = sum of x dS/dx + sum of b dS/db. The last layer's bias is
  // no part of what FullGrad draws.
  WholeNetwork network(residual_net(), described());
  const at::Tensor input = tiny::seeded({1, 3, kSize, kSize}, 21);
  const at::Tensor output = network.outputs(input);
  for (std::int64_t target = 0; target < kClasses; ++target) {
    const FullGradients parts = network.full_gradients(input, {{target, 1}});
    ASSERT_EQ(parts.biases.size(), 3U);  // two convolutions and a batch norm
    double sum = parts.input.sum().item<double>();
    for (const at::Tensor& bias : parts.biases) sum += bias.sum().item<double>();
    sum += tiny::seeded({kClasses}, 10)[target].item<double>();
    EXPECT_NEAR(sum, output[0][target].item<double>(), 1e-4);
  }
}

TEST(WholeNetwork, FullGradientsOfANormWithoutBiasAndOfOneOfARow) {
  const auto plain_norm = [](int channels, std::uint64_t seed) {
    return tiny::leaf("BatchNorm",
                      {{"mean", tiny::seeded({channels}, seed)},
                       {"var", tiny::seeded({channels}, seed + 1).abs() + 0.5}},
                      "return torch.batch_norm(x, None, None, self.mean, self.var, False, 0.1, "
                      "1e-5, True)");
  };
  auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 6, 1)},
                     {"bn", plain_norm(6, 3)},
                     {"row", tiny::batch_norm(6, 5)},
                     {"fc", tiny::linear(tiny::seeded({kClasses, 6}, 9), at::zeros({kClasses}))}},
                    "  h = torch.relu(self.bn.forward(self.conv.forward(x)))\n"
                    "  return self.fc.forward(self.row.forward(torch.mean(h, [2, 3])))\n");
  WholeNetwork network(Model(tiny::saved(net, "norms"), c10::Device("cpu")), described());
  const at::Tensor input = tiny::seeded({1, 3, kSize, kSize}, 21);
  const FullGradients parts = network.full_gradients(input, {{2, 1}});
  ASSERT_EQ(parts.biases.size(), 2U);
  double sum = parts.input.sum().item<double>();
  for (const at::Tensor& bias : parts.biases) sum += bias.sum().item<double>();
  // What the norm of the row adds: it has no places.
  const auto part = [](const char* name, const jit::Module& of) {
    return of.attr(name).toTensor().detach();
  };
  const jit::Module row = tiny::batch_norm(6, 5);
  const at::Tensor slope = part("weight", row) / (part("var", row) + 1e-5).sqrt();
  const at::Tensor added = part("bias", row) - part("mean", row) * slope;
  sum += (tiny::seeded({kClasses, 6}, 9)[2] * added).sum().item<double>();
  EXPECT_NEAR(sum, network.outputs(input)[0][2].item<double>(), 1e-4);
}

TEST(WholeNetwork, GuidedGradientByHand) {
  // S = 2 relu(a) - 3 relu(b) at each place, with a = red + green, b = green - blue, all weights of
  // one pixel. Plain backpropagation: red 2 [a > 0], green 2 [a > 0] - 3 [b > 0], blue 3 [b > 0].
  // The second ReLU lets -3 not back, so that b contributes nothing.
  at::Tensor mix = at::zeros({2, 3, 3, 3});
  mix.select(3, 1).select(2, 1).copy_(at::tensor({1.F, 1.F, 0.F, 0.F, 1.F, -1.F}).view({2, 3}));
  auto net =
      tiny::network({{"mix", tiny::conv3x3(mix, at::zeros({2}))},
                     {"relu", tiny::relu(true)},
                     {"fc", tiny::linear(at::tensor({2.F, -3.F}).view({1, 2}), at::zeros({1}))}},
                    "  h = self.relu.forward(self.mix.forward(x))\n"
                    "  return self.fc.forward(torch.sum(h, [2, 3]))\n");
  WholeNetwork network(Model(tiny::saved(net, "guided"), c10::Device("cpu")), described());
  at::Tensor input = at::zeros({1, 3, kSize, kSize});
  input[0][0][0][0] = 1;   // a > 0
  input[0][1][0][1] = -1;  // neither
  input[0][1][0][2] = 1;   // both
  input[0][2][0][3] = -1;  // b > 0 alone
  for (int run = 0; run < 3; ++run) {
    const at::Tensor found = network.guided_gradient(input, {{0, 1}});
    ASSERT_EQ(found.sizes(), (std::vector<std::int64_t>{3, kSize, kSize}));
    const auto at = [&](int channel, int column) {
      return found[channel][0][column].item<float>();
    };
    EXPECT_EQ((std::array{at(0, 0), at(1, 0), at(2, 0)}), (std::array{2.F, 2.F, 0.F}));
    EXPECT_EQ((std::array{at(0, 1), at(1, 1), at(2, 1)}), (std::array{0.F, 0.F, 0.F}));
    EXPECT_EQ((std::array{at(0, 2), at(1, 2), at(2, 2)}), (std::array{2.F, 2.F, 0.F}));
    EXPECT_EQ((std::array{at(0, 3), at(1, 3), at(2, 3)}), (std::array{0.F, 0.F, 0.F}));
  }
}

TEST(WholeNetwork, GuidedGradientTakesRelu6AndSaysWhereThereIsNone) {
  const auto with = [](const std::string& activation) {
    auto net = tiny::network(
        {{"mix", tiny::seeded_conv(3, 4, 3)},
         {"fc", tiny::linear(tiny::seeded({2, 4}, 9), at::zeros({2}))}},
        "  h = " + activation + "\n  return self.fc.forward(torch.mean(h, [2, 3]))\n");
    return WholeNetwork(Model(tiny::saved(net, "activation"), c10::Device("cpu")), described());
  };
  const at::Tensor input = tiny::seeded({1, 3, kSize, kSize}, 23);
  for (const char* clipped :
       {"torch.relu6(self.mix.forward(x))", "torch.clamp(self.mix.forward(x), 0, 6)",
        "torch.hardtanh_(self.mix.forward(x), 0., 6.)"}) {
    WholeNetwork network = with(clipped);
    EXPECT_NO_THROW(network.require_relu()) << clipped;
    WholeNetwork plain = with("torch.relu(self.mix.forward(x))");
    EXPECT_TRUE(at::allclose(network.guided_gradient(input, {{1, 1}}),
                             plain.guided_gradient(input, {{1, 1}}), 1e-5, 1e-6))
        << clipped;
  }
  WholeNetwork smooth = with("torch.sigmoid(self.mix.forward(x))");
  EXPECT_USER_ERROR(smooth.require_relu(), ExitCode::kUsage, "has none; give another --view");
}

TEST(WholeNetwork, PicturesInABatchDoNotInfluenceEachOther) {
  WholeNetwork network(residual_net(), described());
  const at::Tensor inputs = tiny::seeded({3, 3, kSize, kSize}, 22);
  const at::Tensor together = network.outputs(inputs);
  for (std::int64_t n = 0; n < 3; ++n) {
    EXPECT_TRUE(at::allclose(together[n], network.outputs(inputs.narrow(0, n, 1))[0], 1e-4, 1e-5));
  }
}

TEST(WholeNetwork, InputIsNormalisedAsTheDescriptionSays) {
  const WholeNetwork network(residual_net(), described());
  const at::Tensor input =
      network.input_of(at::full({1, kSize, kSize, 3}, 255, at::TensorOptions(at::kByte)));
  EXPECT_EQ(input.sizes(), (std::vector<std::int64_t>{1, 3, kSize, kSize}));
  EXPECT_NEAR(input[0][0][0][0].item<double>(), (1 - 0.485) / 0.229, 1e-5);
}

}  // namespace
}  // namespace gradcam
