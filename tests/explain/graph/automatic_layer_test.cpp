#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "stages/explain/graph/layers.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSize = 16;     ///< of the picture
constexpr int kChannels = 6;  ///< of a token
constexpr int kClasses = 3;

using Parts = std::vector<std::pair<std::string, torch::jit::Module>>;

/// Tokens that look at each other, and a residual branch.
torch::jit::Module block(std::uint64_t seed) {
  return tiny::leaf("Block", {{"w", tiny::seeded({kChannels, kChannels}, seed)}},
                    "return x + torch.matmul(torch.softmax(torch.matmul(x, x.transpose(1, 2)) * "
                    "0.001, -1), torch.matmul(x, self.w))");
}

torch::jit::Module class_token(int count, std::uint64_t seed) {
  return tiny::leaf("ClassToken", {{"token", tiny::seeded({1, count, kChannels}, seed)}},
                    "return torch.cat([self.token, x], 1)");
}

/// A transformer's parts: 4x4 places, of which each becomes a token.
Parts parts(int class_tokens = 1) {
  const auto patches = tiny::leaf("Conv2d", {{"weight", tiny::seeded({kChannels, 3, 4, 4}, 1)}},
                                  "return torch.conv2d(x, self.weight, None, [4, 4])");
  return {{"patches", patches},
          {"flat", tiny::leaf("Flatten", {}, "return torch.flatten(x, 2)")},
          {"token", class_token(class_tokens, 2)},
          {"one", block(3)},
          {"two", block(4)},
          {"norm", tiny::leaf("LayerNorm", {}, "return torch.layer_norm(x, [6])")},
          {"head", tiny::linear(tiny::seeded({kClasses, kChannels}, 5), at::zeros(kClasses))}};
}

const std::string kTokens =
    "  t = self.token.forward(self.flat.forward(self.patches.forward(x)).transpose(1, 2))\n";
const std::string kBlocks =
    kTokens + "  t = self.norm.forward(self.two.forward(self.one.forward(t)))\n";

Model model_of(const Parts& parts, const std::string& forward) {
  return Model(tiny::saved(tiny::network(parts, forward), "transformer"), c10::Device("cpu"));
}

std::string layer_of(const Parts& parts, const std::string& forward) {
  return automatic_layer(model_of(parts, forward), tiny::input_of(kSize, kSize));
}

TEST(AutomaticLayer, LiesInFrontOfTheLastBlockWhereTheClassTokenAloneIsRead) {
  EXPECT_EQ(layer_of(parts(), kBlocks + "  return self.head.forward(t.select(1, 0))\n"), "one");
  // Registers, which are no places either.
  EXPECT_EQ(layer_of(parts(5), kBlocks + "  return self.head.forward(t.select(1, 0))\n"), "one");
}

TEST(AutomaticLayer, IsTheLastOfTheTokensWhereAllAreRead) {
  EXPECT_EQ(layer_of(parts(), kBlocks + "  return self.head.forward(t.mean(1))\n"), "norm");
}

TEST(AutomaticLayer, WithoutAGradientLiesInFrontOfTheLastAttention) {
  EXPECT_EQ(layer_of(parts(), kBlocks + "  return self.head.forward(t.mean(1).detach())\n"), "one");
}

TEST(AutomaticLayer, OfTwoStreamsSideBySideIsTheLastInOneOfThem) {
  Parts all = parts();
  all.emplace_back("other_token", class_token(1, 6));
  all.emplace_back("other_one", block(7));
  all.emplace_back("other_two", block(8));
  EXPECT_EQ(layer_of(all,
                     "  m = self.flat.forward(self.patches.forward(x)).transpose(1, 2)\n"
                     "  a = self.one.forward(self.token.forward(m))\n"
                     "  b = self.other_one.forward(self.other_token.forward(m))\n"
                     "  t = self.norm.forward(self.two.forward(a) + self.other_two.forward(b))\n"
                     "  return self.head.forward(t.select(1, 0))\n"),
            "other_one");
}

TEST(AutomaticLayer, AMapBehindTheTokensIsTaken) {
  Parts all = parts();
  all.emplace_back("map", tiny::seeded_conv(kChannels, kChannels, 9));
  EXPECT_EQ(
      layer_of(all, kBlocks + "  m = t.narrow(1, 1, 16).transpose(1, 2).reshape(1, 6, 4, 4)\n"
                              "  return self.head.forward(self.map.forward(m).mean([2, 3]))\n"),
      "map");
}

TEST(AutomaticLayer, TokensThatComeBeforeThePictureAreRefusedWithAWayOut) {
  Parts all = parts();
  const std::string body =
      "y = x.transpose(0, 1)\n"
      "  return x + torch.matmul(torch.softmax(torch.matmul(y, y.transpose(1, 2)), -1), "
      "y).transpose(0, 1)";
  for (const char* name : {"first", "second"}) {
    all.emplace_back(name, tiny::leaf("Block", {}, body));
  }
  EXPECT_USER_ERROR(layer_of(all, kTokens + "  t = self.first.forward(t.transpose(0, 1))\n"
                                            "  t = self.second.forward(t)\n"
                                            "  return self.head.forward(t.select(0, 0))\n"),
                    ExitCode::kModel, "layer first gives tokens as [T, 1, C]");
}

TEST(AutomaticLayer, TokensAreListedAsWhatAMapCanBeMadeOf) {
  const Model model = model_of(parts(), kBlocks + "  return self.head.forward(t.select(1, 0))\n");
  const auto layers = list_layers(model, tiny::input_of(kSize, kSize));
  const auto layer = [&](const std::string& name) {
    return *std::ranges::find(layers, name, &Layer::name);
  };
  EXPECT_TRUE(layer("one").tokens);
  EXPECT_TRUE(layer("one").spatial());
  EXPECT_FALSE(layer("patches").tokens);
  EXPECT_FALSE(layer("flat").tokens);  // [1, channels, places]
  EXPECT_FALSE(layer("head").spatial());
}

}  // namespace
}  // namespace gradcam
