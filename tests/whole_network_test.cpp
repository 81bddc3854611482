#include "stages/explain/whole_network.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/tiny_models.h"

namespace gradcam {
namespace {

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

ModelDescription described() {
  ModelDescription description;
  description.input_height = kSize;
  description.input_width = kSize;
  return description;
}

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
