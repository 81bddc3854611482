#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <stdexcept>

#include "config/method_table.h"
#include "config/user_error.h"
#include "stages/explain/explainer.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/verify.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

/// The explainer on networks as people save them.
namespace gradcam {
namespace {

constexpr int kSize = 12;
constexpr int kChannels = 6;
constexpr int kClasses = 7;

ModelDescription described() { return tiny::input_of(kSize, kSize); }

Blob blob() { return tiny::blob(kSize); }

TEST(SavedNetworks, PicturesThatChangeEachOtherAreExplainedAlone) {
  const auto net = [](const std::string& norm) {
    return tiny::network(
        {{"conv", tiny::seeded_conv(3, kChannels, 1)},
         {"fc", tiny::linear(tiny::seeded({kClasses, kChannels}, 3), tiny::seeded({kClasses}, 4))}},
        "  h = torch.relu(" + norm + ")\n  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  };
  const auto batch_of = [&](const std::string& norm, const std::string& name) {
    ExplainOptions options = tiny::options();
    options.layers = {"conv"};
    options.batch = 4;
    options.threads = 1;
    options.precision = Precision::kFp32;
    const Model model(tiny::saved(net(norm), name), c10::Device("cpu"));
    return Explainer(model, described(), options).batch();
  };
  EXPECT_EQ(batch_of("self.conv.forward(x)", "apart"), 4);
  EXPECT_EQ(batch_of("torch.batch_norm(self.conv.forward(x), None, None, None, None, True, 0.1, "
                     "1e-5, True)",
                     "mixing"),
            1);
  // Right for two pictures and no more.
  EXPECT_EQ(batch_of("self.conv.forward(x) * (2.0 if x.size(0) > 2 else 1.0)", "two"), 2);
}

TEST(SavedNetworks, OneChannelIsGivenTheLumaOfThePicture) {
  const auto net = tiny::network(
      {{"conv", tiny::seeded_conv(1, kChannels, 1)},
       {"fc", tiny::linear(tiny::seeded({kClasses, kChannels}, 3), tiny::seeded({kClasses}, 4))}},
      "  h = torch.relu(self.conv.forward(x))\n  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  const std::string path = tiny::saved(net, "gray");
  ModelDescription description = described();
  description.color = ColorOrder::kGray;
  description.mean = {0.25, 0.5, 0.75};  // whose mean counts
  description.std = {0.5, 0.5, 0.5};
  Blob gray{kSize, kSize, {}, 1};
  for (int i = 0; i < kSize * kSize; ++i) {
    gray.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  }
  for (const std::string& method : method_names()) {
    if (find_method(method).needs.box) continue;  // of detectors
    ExplainOptions options = tiny::options();
    options.layers = {"conv"};
    options.threads = 1;
    options.method = method;
    options.smooth = {"aug"};
    Explainer one(Model(path, c10::Device("cpu")), description, options);
    const Explanation explanation = one.explain(gray);
    const at::Tensor pixels = at::from_blob(gray.pixels.data(), {1, 1, kSize, kSize}, at::kByte);
    torch::jit::Module module = torch::jit::load(path);
    const at::Tensor scores =
        module.forward({(pixels / 255.0 - 0.5) / 0.5}).toTensor().softmax(1)[0];
    for (const ClassScore& score : explanation.top) {
      EXPECT_NEAR(score.score, scores[score.index].item<float>(), 1e-4) << method;
    }
  }
  ExplainOptions options = tiny::options();
  options.layers = {"conv"};
  Explainer one(Model(path, c10::Device("cpu")), description, options);
  EXPECT_THROW(one.explain(blob()), std::runtime_error);
  const Question question{one.target(), ""};
  EXPECT_GE(verify(one, gray, one.explain(gray), question).deletion, 0);
}

TEST(SavedNetworks, MethodsWithoutAGradientRunWhereNoneLeadsBack) {
  const auto net = tiny::network(
      {{"conv", tiny::seeded_conv(3, kChannels, 1)},
       {"fc", tiny::linear(tiny::seeded({kClasses, kChannels}, 3), tiny::seeded({kClasses}, 4))}},
      "  h = (self.conv.forward(x) > 0.1).to(6)\n"
      "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  for (const std::string& method : method_names()) {
    if (find_method(method).needs.box) continue;  // of detectors
    ExplainOptions options = tiny::options();
    options.layers = {"conv"};
    options.threads = 1;
    options.method = method;
    const Model model(tiny::saved(net, "stepped"), c10::Device("cpu"));
    if (find_method(method).differentiates()) {
      EXPECT_USER_ERROR(Explainer(model, described(), options), ExitCode::kUsage,
                        "no gradient reaches it");
      EXPECT_USER_ERROR(Explainer(model, described(), options), ExitCode::kUsage,
                        "methods without a gradient: eigencam, fem, kpcacam, ablationcam, "
                        "recipro-cam, scorecam");
      continue;
    }
    Explainer one(model, described(), options);
    one.run_in();
    const HeatMap heat = one.explain(blob()).heat;
    EXPECT_GT(*std::max_element(heat.values.begin(), heat.values.end()), 0.5F) << method;
  }
}

TEST(SavedNetworks, MapsWithChannelsLastAreReadAsSuch) {
  constexpr int kFew = 5;  // fewer than the map has rows
  const auto net = [](bool last) {
    return tiny::network(
        {{"conv", tiny::leaf("Conv2d",
                             {{"weight", tiny::seeded({kFew, 3, 3, 3}, 1)},
                              {"bias", tiny::seeded({kFew}, 2)}},
                             std::string("return torch.conv2d(x, self.weight, self.bias, [2, 2], "
                                         "[1, 1])") +
                                 (last ? ".permute([0, 2, 3, 1])" : ""))},
         {"fc", tiny::linear(tiny::seeded({kClasses, kFew}, 3), tiny::seeded({kClasses}, 4))}},
        std::string("  h = torch.relu(self.conv.forward(x))\n  return "
                    "self.fc.forward(torch.mean(h, ") +
            (last ? "[1, 2]" : "[2, 3]") + "))\n");
  };
  for (const std::string& method : method_names()) {
    if (find_method(method).needs.box) continue;  // of detectors
    const auto heat_of = [&](bool last) {
      ExplainOptions options = tiny::options();
      options.threads = 1;
      options.method = method;
      const Model model(tiny::saved(net(last), last ? "last" : "first"), c10::Device("cpu"));
      return Explainer(model, described(), options).explain(blob()).heat.values;
    };
    const auto expected = heat_of(false);
    const auto found = heat_of(true);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], 1e-3) << method;
    }
  }
}

}  // namespace
}  // namespace gradcam
