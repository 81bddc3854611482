#include "stages/explain/found_activation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/method_table.h"
#include "stages/explain/explainer.h"
#include "stages/explain/tasks/task.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;
constexpr int kChannels = 6;
constexpr int kClasses = 7;

ModelDescription described() { return tiny::input_of(kSize, kSize); }

Blob blob() { return tiny::blob(kSize); }

/// conv -> ReLU -> mean -> linear with `outputs` rows, and what `end` makes of y.
Model ending_in(const std::string& end, int outputs, const std::string& name) {
  return {tiny::saved(tiny::network({{"conv", tiny::seeded_conv(3, kChannels, 1)},
                                     {"relu", tiny::relu(true)},
                                     {"fc", tiny::linear(tiny::seeded({outputs, kChannels}, 3) * 4,
                                                         tiny::seeded({outputs}, 4) - 0.5)}},
                                    "  h = self.relu.forward(self.conv.forward(x))\n"
                                    "  y = self.fc.forward(torch.mean(h, [2, 3]))\n"
                                    "  return " +
                                        end + "\n"),
                      name),
          c10::Device("cpu")};
}

Explainer reading(const Model& model, ModelDescription description, const std::string& target) {
  ExplainOptions options = tiny::options();
  options.layers = {"relu"};
  options.target = target;
  options.threads = 1;
  return Explainer(model, std::move(description), options);
}

/// An ending of the network, and the task that its description names.
struct Ending {
  const char* end;
  const char* task;
  const char* said;  ///< part of the note; empty = none
};

TEST(FoundActivation, SharesAreNotMadeSharesTwice) {
  const std::vector<Ending> endings = {
      {"torch.softmax(y, 1)", "classification", "ends in a softmax"},
      {"torch.softmax(y, 1).clone()", "classification", "ends in a softmax"},
      {"torch.exp(y) / torch.sum(torch.exp(y), 1, True)", "classification", "sum up to 1"},
      {"torch.log_softmax(y, 1)", "classification", ""},
      {"torch.sigmoid(y)", "multilabel", "ends in a sigmoid"},
      {"torch.sigmoid(y)", "classification", "ends in a sigmoid"},
      {"1 / (1 + torch.exp(-y))", "multilabel", "lie in 0..1"},
      {"torch.log_softmax(y, 1)", "multilabel", "log_softmax"}};
  const auto plain = [&](const char* task, ScoreActivation activation) {
    ModelDescription description = described();
    description.task = &find_task(task);
    description.activation = activation;
    return reading(ending_in("y", kClasses, "plain"), description, "auto").forward_only(blob());
  };
  for (const auto& [end, task, said] : endings) {
    ModelDescription description = described();
    description.task = &find_task(task);
    description.activation = description.task->activation;
    const bool sigmoid = std::string(end).find("log") == std::string::npos &&
                         (std::string(end).find("sigmoid") != std::string::npos ||
                          std::string(end).find("1 /") == 0);
    const auto expected =
        plain(task, sigmoid ? ScoreActivation::kSigmoid : ScoreActivation::kSoftmax);
    Explainer explainer = reading(ending_in(end, kClasses, "ending"), description, "auto");
    const auto scores = explainer.forward_only(blob());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      EXPECT_NEAR(scores[i], expected.at(i), 1e-5) << end << " as " << task;
    }
    EXPECT_EQ(explainer.note().empty(), std::string(said).empty()) << explainer.note();
    EXPECT_NE(explainer.note().find(said), std::string::npos) << explainer.note();
  }
}

TEST(FoundActivation, RawScoresStayRawEvenWhereTheyLookLikeShares) {
  ModelDescription description = described();
  description.task = &find_task("multilabel");
  description.activation = ScoreActivation::kSigmoid;
  // A linear layer whose scores happen to lie in 0..1.
  Explainer explainer =
      reading(ending_in("y * 0.001 + 0.5", kClasses, "near"), description, "auto");
  EXPECT_EQ(explainer.note(), "");
  for (const float score : explainer.forward_only(blob())) EXPECT_NEAR(score, 0.62, 0.01);
}

TEST(FoundActivation, WhatADescriptionSaysCountsMoreThanWhatIsFound) {
  ModelDescription description = described();
  description.activation_given = true;
  Explainer explainer =
      reading(ending_in("torch.softmax(y, 1)", kClasses, "given"), description, "auto");
  EXPECT_EQ(explainer.note(), "");
  for (const float score : explainer.forward_only(blob())) EXPECT_LT(score, 0.32);  // e / (e + 6)
}

TEST(FoundActivation, OneNumberHasTwoClassesAndAMapForEachByEveryMethod) {
  for (const char* end : {"y", "y.squeeze(1)", "torch.sigmoid(y)"}) {
    ModelDescription description = described();
    description.labels = {"red"};
    const Model model = ending_in(end, 1, "one");
    Explainer one = reading(model, description, "auto");
    EXPECT_EQ(one.classes(), 2) << end;
    const float share = one.forward_only(blob()).at(0);
    const Explanation found = one.explain(blob());
    ASSERT_EQ(found.top.size(), 2U);
    EXPECT_NEAR(found.top[0].score + found.top[1].score, 1, 1e-6);
    EXPECT_EQ(found.targets.at(0).index, share >= 0.5F ? 0 : 1);
    EXPECT_EQ(found.targets[0].label, share >= 0.5F ? "red" : "not red");
    EXPECT_EQ(reading(model, description, "not red").target().index, 1);
    // The gradient of the one is the negative of the other's: what is left of both by a ReLU.
    const auto heat_of = [&](int index, const std::string& method) {
      return one.explain(blob(), {{.index = index, .automatic = false}, method}).heat.values;
    };
    for (const char* method : {"gradcam", "hirescam", "layercam", "finercam"}) {
      EXPECT_NE(heat_of(0, method), heat_of(1, method)) << method;
    }
    for (const std::string& method : method_names()) {
      const auto heat = heat_of(1, method);
      EXPECT_TRUE(std::ranges::all_of(heat, [](float v) { return v >= 0 && v <= 1; })) << method;
    }
  }
}

}  // namespace
}  // namespace gradcam
