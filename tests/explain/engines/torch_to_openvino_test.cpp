#include "stages/explain/engines/torch_to_openvino.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/jit.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "stages/explain/engines/openvino_features.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/graph/cut_graph.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;

at::Tensor pictures(int count) { return tiny::pictures(count, kSize); }

/// A network of one convolution "stem" [N, 8, 12, 12], the lines given, which make `y` of its
/// result `h` (and may use the picture `x`), and a pooled linear layer. Cut at a layer "cut" that
/// takes y.
SplitGraph halves_of_body(const std::string& name, const std::string& lines) {
  const auto net =
      tiny::network({{"stem", tiny::seeded_conv(3, 8, 1)},
                     {"relu", tiny::relu(true)},
                     {"bn", tiny::batch_norm(8, 5)},
                     {"cut", tiny::leaf("Cut", {}, "return torch.mul(x, 1.5)")},
                     {"fc", tiny::leaf("Linear", {{"weight", tiny::seeded({5, 8}, 9)}},
                                       "return torch.linear(x, self.weight)")}},
                    "  h = self.stem.forward(x)\n" + lines +
                        "  return self.fc.forward(torch.mean(self.cut.forward(y), [2, 3]))\n");
  const Model model(tiny::saved(net, "bridge_" + name), c10::Device("cpu"));
  auto halves = split(mark_layers(model, {"cut"}));
  EXPECT_TRUE(halves.has_value());
  return *halves;
}

ModelDescription described() { return tiny::input_of(kSize, kSize); }

std::unique_ptr<Features> by_openvino(const SplitGraph& halves, int batch = 1) {
  return OpenVino("").compile(
      [graph = halves.features](int count) { return to_openvino(*graph, count, 3, kSize, kSize); },
      Precision::kFp32, Normalisation(described()), 1, batch);
}

void expect_equal_values(Features& found, const SplitGraph& halves, const at::Tensor& pixels) {
  const auto torchscript =
      torchscript_features(halves, TorchScriptForm::kPlain, Normalisation(described()));
  const auto want = torchscript->run(pixels).head;
  const auto got = found.run(pixels).head;
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].sizes(), want[i].sizes()) << "value " << i;
    EXPECT_LT((got[i] - want[i]).abs().max().item<float>(), 1e-4) << "value " << i;
  }
}

std::string reason_for(const SplitGraph& halves) {
  try {
    by_openvino(halves);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

struct Body {
  std::string name;
  std::string lines;
};
std::ostream& operator<<(std::ostream& out, const Body& body) { return out << body.name; }

class TorchToOpenVino : public testing::TestWithParam<Body> {};

TEST_P(TorchToOpenVino, ComputesWhatLibTorchComputes) {
  const SplitGraph halves = halves_of_body(GetParam().name, GetParam().lines);
  const auto features = by_openvino(halves);
  expect_equal_values(*features, halves, pictures(1));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, TorchToOpenVino,
    testing::Values(
        Body{"plain", "  y = torch.relu(self.bn.forward(h))\n"},
        // In-place operations, alone, on a value that is used again, and through views.
        Body{"relu_in_place", "  y = self.relu.forward(h) + h\n"},
        Body{"add_in_place", "  y = torch.relu(h).add_(h, alpha=2)\n"},
        Body{"write_through_slice",
             "  y = h.clone()\n"
             "  y[:, 2:4].mul_(3.)\n"},
        Body{"write_through_slice_of_slice",
             "  y = h.clone()\n"
             "  y[:, 2:6][:, 1:3].fill_(0.25)\n"},
        Body{"written_twice",
             "  a = h.mul_(2.)\n"
             "  b = a.add_(1.)\n"
             "  y = h + b\n"},
        // Lists: of tensors, of sizes.
        Body{"concatenated", "  y = torch.cat([h[:, :4], torch.relu(h[:, 4:])], 1)\n"},
        Body{"sizes", "  y = torch.relu(h).reshape([h.size(0), 8, -1]).view(h.size())\n"},
        // Constants of type Optional, None, texts, and numbers in lists.
        Body{"pooled_with_none",
             "  y = torch.max_pool2d(torch.clamp(h, None, 2.), [2, 2], [2, 2])\n"},
        Body{"text", "  y = torch.gelu(h, approximate='tanh')\n"},
        Body{"interpolated",
             "  y = torch.upsample_bilinear2d(torch.avg_pool2d(h, [2, 2]), [12, 12], False)\n"},
        // Other number formats in between, and questions about sizes.
        Body{"double_precision_between", "  y = torch.relu(h.double() * 2).float()\n"}),
    [](const auto& each) { return each.param.name; });

TEST(TorchToOpenVinoValues, AllThatTheHeadTakesComesInItsOrder) {
  const auto net =
      tiny::network({{"stem", tiny::seeded_conv(3, 8, 1)}, {"cut", tiny::seeded_conv(8, 3, 3)}},
                    "  h = self.stem.forward(x)\n"
                    "  y = self.cut.forward(torch.relu(h))\n"
                    "  return torch.mean(y * x + torch.sigmoid(h)[:, :3], [2, 3])\n");
  const Model model(tiny::saved(net, "bridge_frontier"), c10::Device("cpu"));
  const auto halves = split(mark_layers(model, {"cut"}));
  ASSERT_TRUE(halves.has_value());
  const auto features = by_openvino(*halves);
  EXPECT_EQ(features->run(pictures(1)).head.size(), 3);  // y, x, sigmoid(h)
  expect_equal_values(*features, *halves, pictures(1));
}

TEST(TorchToOpenVinoValues, WholeNumbersAndAnswersComeAsSuch) {
  const auto net =
      tiny::network({{"stem", tiny::seeded_conv(3, 8, 1)}, {"cut", tiny::seeded_conv(8, 3, 3)}},
                    "  h = self.stem.forward(x)\n"
                    "  places = torch.topk(h.flatten(2), 4)[1][:, :3]\n"
                    "  mask = h[:, :3] > 0.1\n"
                    "  y = self.cut.forward(torch.relu(h))\n"
                    "  y = torch.where(mask, y, y * 2)\n"
                    "  return torch.mean(torch.gather(y.flatten(2), 2, places), [2])\n");
  const Model model(tiny::saved(net, "bridge_whole_numbers"), c10::Device("cpu"));
  const auto halves = split(mark_layers(model, {"cut"}));
  ASSERT_TRUE(halves.has_value());
  const auto features = by_openvino(*halves, 2);
  for (const int count : {1, 2}) {
    const auto values = features->run(pictures(count)).head;
    ASSERT_EQ(values.size(), 3);
    EXPECT_EQ(values[0].scalar_type(), at::kFloat);
    const auto by_torch =
        torchscript_features(*halves, TorchScriptForm::kPlain, Normalisation(described()))
            ->run(pictures(count))
            .head;
    for (std::size_t i = 1; i < 3; ++i) {
      EXPECT_EQ(values[i].scalar_type(), by_torch.at(i).scalar_type());
      EXPECT_FALSE(values[i].is_floating_point());
      EXPECT_TRUE(at::equal(values[i], by_torch[i]));
    }
  }
}

TEST(TorchToOpenVinoValues, SeveralPicturesAtOnceGiveWhatEachGivesAlone) {
  const SplitGraph halves = halves_of_body("batch", "  y = torch.relu(h)\n");
  const auto features = by_openvino(halves, 4);
  expect_equal_values(*features, halves, pictures(4));
  expect_equal_values(*features, halves, pictures(2));  // one by one
}

TEST(TorchToOpenVinoRefuses, AnOperationWithoutARuleIsNamed) {
  const std::string why =
      reason_for(halves_of_body("svd", "  y = h * torch.linalg_svdvals(h)[:, :, :1, None]\n"));
  EXPECT_NE(why.find("aten::linalg_svdvals"), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos) << why;
}

/// The cut does not divide a graph of branches; what is in front of one may hold them.
SplitGraph features_of(const std::string& lines) {
  SplitGraph halves;
  const auto unit = torch::jit::compile("def f(x):\n" + lines + "  return (y,)\n");
  halves.features = torch::jit::toGraphFunction(unit->get_function("f")).graph()->copy();
  return halves;
}

class TorchToOpenVinoFlow : public testing::TestWithParam<Body> {};

TEST_P(TorchToOpenVinoFlow, ComputesWhatLibTorchComputes) {
  const SplitGraph halves = features_of(GetParam().lines);
  const auto features = by_openvino(halves);
  expect_equal_values(*features, halves, pictures(1));
}

INSTANTIATE_TEST_SUITE_P(Bodies, TorchToOpenVinoFlow,
                         testing::Values(Body{"branch_of_a_constant",
                                              "  y = torch.relu(x)\n"
                                              "  if x.size(1) == 4:\n"
                                              "    y = torch.sin(x)\n"},
                                         Body{"branch_of_the_picture",
                                              "  y = torch.relu(x)\n"
                                              "  if bool(torch.max(x) > -1000):\n"
                                              "    y = torch.sin(x)\n"},
                                         Body{"other_branch_of_the_picture",
                                              "  y = torch.relu(x)\n"
                                              "  if bool(torch.max(x) > 1000):\n"
                                              "    y = torch.sin(x)\n"},
                                         Body{"loop",
                                              "  y = x\n"
                                              "  for i in range(3):\n"
                                              "    y = torch.sin(y + i)\n"},
                                         Body{"loop_of_the_picture",
                                              "  y = x\n"
                                              "  for i in range(int(torch.max(x) > -1000) + 1):\n"
                                              "    y = torch.sin(y + i)\n"}),
                         [](const auto& each) { return each.param.name; });

TEST(TorchToOpenVinoRefuses, BranchesOfDifferentShape) {
  const std::string why =
      reason_for(features_of("  y = x\n"
                             "  if bool(torch.mean(x) > 0):\n"
                             "    y = x[:, :, :6]\n"));
  EXPECT_NE(why.find("depends on the picture"), std::string::npos) << why;
}

TEST(TorchToOpenVinoRefuses, WhatTakesNoPicture) {
  const std::string why = reason_for(features_of("  y = torch.ones([1, 8, 12, 12])\n"));
  EXPECT_NE(why.find("nothing in front of the cut takes the picture"), std::string::npos) << why;
}

/// It would compute them without the write, or with numbers in other places.
TEST(TorchToOpenVinoRefuses, WritesThatAreReadThroughAnotherView) {
  const struct {
    const char* name;
    const char* lines;
    const char* words;
  } kCases[] = {{"write_through_view",
                 "  y = h.clone()\n"
                 "  y.view([1, 8, -1])[:, :, :5].fill_(0.25)\n",
                 "view_reverseprop"},
                {"write_through_transpose",
                 "  y = h.clone()\n"
                 "  y.transpose(2, 3)[:, :2].mul_(3.)\n",
                 "transpose_reverseprop"},
                {"read_through_view",
                 "  v = h.view([1, 8, -1])\n"
                 "  h.mul_(2.)\n"
                 "  y = v.view([1, 8, 12, 12])\n",
                 "aten::mul_ writes into a tensor of which a view is read later"},
                {"read_through_slice",
                 "  v = h[:, 2:6]\n"
                 "  h[:, 3:5].add_(2.)\n"
                 "  y = torch.cat([v, h[:, :4]], 1)\n",
                 "aten::add_ writes into a tensor of which a view is read later"}};
  for (const auto& [name, lines, words] : kCases) {
    const std::string why = reason_for(halves_of_body(name, lines));
    EXPECT_NE(why.find(words), std::string::npos) << name << ": " << why;
  }
}

TEST(TorchToOpenVinoRefuses, AShapeThatDependsOnThePicture) {
  const std::string why = reason_for(halves_of_body(
      "shape", "  y = h[:, :, torch.nonzero(torch.sum(h, [0, 1, 3]) > 0).flatten()]\n"));
  EXPECT_NE(why.find("depends on the picture"), std::string::npos) << why;
}

}  // namespace
}  // namespace gradcam
