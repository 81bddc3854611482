#include "stages/explain/graph/local_head.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "stages/explain/engines/features.h"
#include "stages/explain/engines/split_engine.h"
#include "stages/explain/engines/torchscript_halves.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/head.h"
#include "stages/explain/model/plain_runs.h"
#include "tests/support/tiny_detector.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

using tiny::conv;
using tiny::detector;
using tiny::kDetectorBoxes;
using tiny::kDetectorNumbers;
constexpr int kSize = tiny::kDetectorSize;
using Gradients = std::vector<at::Tensor>;

ModelDescription described() { return tiny::input_of(kSize, kSize); }

std::int64_t number(std::int64_t box, std::int64_t of_box) {
  return box * kDetectorNumbers + of_box;
}

/// A network that is split at some layers, and what its features give of pictures.
struct Case {
  Case(const torch::jit::Module& module, const std::string& name, std::vector<std::string> cut_at,
       int pictures = 1)
      : model(tiny::saved(module, name), c10::Device("cpu")), layers(std::move(cut_at)) {
    auto found = split(mark_layers(model, layers));
    EXPECT_TRUE(found.has_value());
    halves = std::move(*found);
    for (int n = 0; n < pictures; ++n) {
      const auto values = features()->run(tiny::pictures(pictures, kSize).narrow(0, n, 1)).head;
      if (n == 0) first = values;
      inputs.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        inputs[i] = n == 0 ? values[i] : at::cat({inputs[i], values[i]});
      }
    }
  }

  std::unique_ptr<Features> features(bool whole = false) const {
    SplitGraph of = halves;
    if (whole) of.features = halves.whole;
    return torchscript_features(of, TorchScriptForm::kPlain, Normalisation(described()));
  }
  std::shared_ptr<const LocalHead> local() const { return LocalHead::of(halves, {}, first); }

  /// By the whole head, of one picture.
  Gradients expected(const Seed& seed, std::int64_t picture = 0) {
    if (!whole_head)
      whole_head.emplace(halves.head, OutputChoice(), halves.count(false), halves.count(true));
    const std::size_t count = halves.count(false);
    Gradients leaves;
    for (const at::Tensor& input : inputs) leaves.push_back(input.narrow(0, picture, 1).clone());
    for (std::size_t i = 0; i < count; ++i) leaves[i].requires_grad_();
    const Head::Result result = whole_head->run(leaves);
    leaves.resize(count);
    leaves.insert(leaves.end(), result.inner.begin(), result.inner.end());
    return whole_head->gradients(result, leaves, {seed}, false);
  }

  PlainRuns looked_at_once;  // compiling takes longer than all of this
  Model model;
  std::vector<std::string> layers;
  SplitGraph halves{};
  Gradients first;   ///< of the first picture
  Gradients inputs;  ///< of all
  std::optional<Head> whole_head{};
};

void expect_same(const Gradients& found, const Gradients& expected, double tolerance = 1e-5) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double most = expected[i].abs().max().item<double>();
    if (!found[i].defined()) {
      EXPECT_EQ(most, 0) << "layer " << i;
      continue;
    }
    ASSERT_EQ(found[i].sizes(), expected[i].sizes());
    EXPECT_LE((found[i] - expected[i]).abs().max().item<double>(), tolerance * most) << i;
  }
}

/// At corners, edges and in the middle of both levels.
const std::vector<std::int64_t> kPlaces = {0, 5, 23, 300, 575, 576, 581, 587, 642, 719};

TEST(LocalHead, HasTheGradientsOfTheWholeHead) {
  Case detected(detector(), "local", {"fine", "coarse"});
  const auto local = detected.local();
  ASSERT_NE(local, nullptr);
  for (const std::int64_t box : kPlaces) {
    for (const Seed& seed : {Seed{{number(box, 0), 1}}, Seed{{number(box, 3), 2}},
                             Seed{{number(box, 4), 0.5}, {number(box, 6), -1}}}) {
      SCOPED_TRACE("box " + std::to_string(box) + ", number " + std::to_string(seed[0].index));
      const auto found = local->gradients(detected.inputs, {{0, seed}});
      expect_same(found.at(0), detected.expected(seed));
      EXPECT_EQ(found[0][1].defined(), box >= 576);  // only the second level's boxes reach it
    }
  }
}

TEST(LocalHead, SeveralTogetherAreWhatEachIsAlone) {
  Case detected(detector(), "together", {"fine", "coarse"}, /*pictures=*/2);
  const auto local = detected.local();
  ASSERT_NE(local, nullptr);
  std::vector<PictureSeed> all;
  for (const std::int64_t box : kPlaces) {
    all.push_back({static_cast<std::size_t>(box % 2), {{number(box, 4), 1}, {number(box, 5), 1}}});
    all.push_back({1, {{number((box + 50) % 500, 5), 1}}});
  }
  all.push_back({0, {}});
  const auto together = local->gradients(detected.inputs, all);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    SCOPED_TRACE(i);
    expect_same(together[i],
                detected.expected(all[i].seed, static_cast<std::int64_t>(all[i].picture)));
    const auto alone = local->gradients(detected.inputs, {all[i]});
    for (std::size_t k = 0; k < 2; ++k) {
      ASSERT_EQ(together[i][k].defined(), alone[0][k].defined());
      if (alone[0][k].defined()) expect_same({together[i][k]}, {alone[0][k]});
    }
  }
  for (const at::Tensor& gradient : together.back()) EXPECT_FALSE(gradient.defined());
}

struct Tail {
  const char* what;
  const char* body;  ///< from h [1, 6, 24, 24] to what is returned
};

std::ostream& operator<<(std::ostream& out, const Tail& tail) { return out << tail.what; }

class Tails : public testing::TestWithParam<Tail> {};

TEST_P(Tails, HaveTheGradientsOfTheWholeHead) {
  const std::string body = GetParam().body;
  const auto module = tiny::network({{"stem", conv(3, 6, 3, 2, 1)},
                                     {"a", conv(6, 6, 3, 1, 3)},
                                     {"b", conv(6, 6, 3, 1, 5)},
                                     {"bn", tiny::batch_norm(6, 7)}},
                                    "  h = self.stem.forward(x)\n" + body + "\n");
  Case tail(module, "tail", {"stem"});
  const auto local = tail.local();
  ASSERT_NE(local, nullptr);
  Head head(tail.halves.head, {});
  const at::Tensor output = head.run(tail.inputs).output.detach();
  for (const double share : {0.0, 0.03, 0.31, 0.5, 0.77, 1.0}) {
    const auto index = static_cast<std::int64_t>(share * static_cast<double>(output.numel() - 1));
    SCOPED_TRACE(index);
    const Seed seed{{index, 1}};
    expect_same(local->gradients(tail.inputs, {{0, seed}}).at(0), tail.expected(seed));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Operations, Tails,
    testing::Values(
        Tail{"max pooling", "  return torch.max_pool2d(self.a.forward(h), [3, 3], [2, 2], [1, 1])"},
        Tail{"pooling that dilates",
             "  return torch.max_pool2d(h, [3, 3], [1, 1], [1, 1], [2, 2])"},
        Tail{"average pooling", "  return torch.avg_pool2d(self.a.forward(h), [2, 2])"},
        Tail{"average pooling with padding, which is whole",
             "  y = torch.avg_pool2d(h, [3, 3], [1, 1], [1, 1])\n"
             "  return torch.relu(self.a.forward(torch.relu(self.b.forward(y)))) * 3.0"},
        Tail{"enlarging",
             "  y = torch.upsample_nearest2d(self.a.forward(h), [48, 48], None)\n"
             "  return torch.silu(y)"},
        Tail{"batch norm", "  return self.bn.forward(torch.relu(self.a.forward(h)) * 2.0)"},
        Tail{"residual branch", "  return h + self.b.forward(torch.tanh(self.a.forward(h)))"},
        Tail{"chunks",
             "  one, other = torch.chunk(self.a.forward(h), 2, 1)\n"
             "  return torch.cat([other, one * other], 1)"},
        Tail{"parts of several sizes",
             "  one, two, rest = torch.split_with_sizes(self.a.forward(h), [1, 2, 3], 1)\n"
             "  return torch.cat([rest, one, two], 1)"},
        Tail{"selected channel", "  return self.a.forward(h).select(1, -2)"},
        Tail{"every second place", "  return self.a.forward(h)[:, :, 1::2, ::3]"},
        Tail{"distribution at each place",
             "  y = torch.softmax(self.a.forward(h).view(1, 2, 3, 576).transpose(2, 1), 1)\n"
             "  return torch.conv2d(y, torch.arange(3.0).view(1, 3, 1, 1)).view(1, 2, 576)"},
        Tail{"linear layer at each place",
             "  y = self.a.forward(h).flatten(2).transpose(1, 2)\n"
             "  return torch.matmul(y, torch.arange(24).view(6, 4) * 0.1)"},
        Tail{"constants of lower rank",
             "  y = self.a.forward(h).flatten(2)\n"
             "  return (y - torch.arange(576) * 0.01) * torch.arange(576).view(1, 576)"},
        Tail{"constant joined",
             "  y = self.a.forward(h).flatten(2)\n"
             "  return torch.cat([torch.ones([1, 1, 576]), y], 1)"},
        Tail{"without the dimension of pictures",
             "  return self.a.forward(h).flatten(2).squeeze(0)"},
        Tail{"in place", "  y = self.a.forward(h).mul_(2.0)\n  return torch.relu_(y)"}));

TEST(LocalHead, IsNotMadeWhereMostOfTheHeadIsComputedAllTheSame) {
  const auto module = tiny::network({{"stem", conv(3, 6, 3, 2, 1)}, {"a", conv(6, 6, 3, 1, 3)}},
                                    "  y = self.a.forward(self.stem.forward(x))\n"
                                    "  return (y - y.mean([2, 3], True)).flatten(2)\n");
  EXPECT_EQ(Case(module, "everything", {"stem"}).local(), nullptr);
}

SplitEngine engine_of(const Case& of, std::unique_ptr<Features> features, bool local) {
  std::vector<SplitGraph::Place> places;
  for (const std::string& layer : of.layers) places.push_back(of.halves.layers.at(layer));
  return {std::move(features),
          Head(of.halves.head, {}, of.halves.count(false), of.halves.count(true)),
          tiny::pictures(1, kSize), places, local ? of.local() : nullptr};
}

/// Layers in another order than that of the graph.
TEST(LocalHead, AnEngineThatHasOneGivesWhatItGaveWithout) {
  const Case detected(detector(), "engine", {"coarse", "fine"});
  SplitEngine plain = engine_of(detected, detected.features(), false);
  SplitEngine local = engine_of(detected, detected.features(), true);
  SplitEngine whole =
      engine_of(detected, std::make_unique<WholeFeatures>(detected.features(true), 1), true);
  const at::Tensor pixels = tiny::pictures(1, kSize);
  std::vector<PictureSeed> scalars;
  for (const std::int64_t box : kPlaces) scalars.push_back({0, {{number(box, 5), 1}}});
  Seed everything;
  for (std::int64_t i = 0; i < kDetectorBoxes * kDetectorNumbers; ++i) everything.push_back({i, 1});
  const auto expected = plain.run(pixels);
  const auto each = plain.gradients_of(expected, scalars);
  for (SplitEngine* engine : {&local, &whole}) {
    const auto found = engine->run(pixels);
    EXPECT_FALSE(found.end.defined());
    expect_same({found.output}, {expected.output.detach()});
    expect_same(found.activations,
                {expected.activations[0].detach(), expected.activations[1].detach()});
    const auto own = engine->gradients_of(found, scalars);
    for (std::size_t i = 0; i < scalars.size(); ++i) expect_same(own[i], each[i]);
    // The same one by one, and of a scalar that needs the whole head.
    for (const Seed& seed : {scalars[7].seed, everything}) {
      const auto again = plain.run(pixels);
      expect_same(engine->gradients(found, {seed}, false), plain.gradients(again, {seed}, false));
    }
    expect_same({engine->forward_only(pixels)}, {expected.output.detach()});
  }
}

TEST(LocalHead, RoundsHaveOneScalarOfEachPicture) {
  const std::vector<PictureSeed> scalars{
      {1, {{10, 1}}}, {0, {{11, 1}}}, {1, {{12, 1}}}, {1, {{13, 1}}}};
  const auto rounds = rounds_of(scalars, 3);
  ASSERT_EQ(rounds.size(), 3U);
  EXPECT_EQ(rounds[0].scalars, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(rounds[0].seeds.at(0).at(0).index, 11);
  EXPECT_EQ(rounds[0].seeds.at(1).at(0).index, 10);
  EXPECT_TRUE(rounds[0].seeds.at(2).empty());
  EXPECT_EQ(rounds[2].scalars, (std::vector<std::size_t>{3}));
  EXPECT_TRUE(rounds[2].seeds.at(0).empty());
}

}  // namespace
}  // namespace gradcam
