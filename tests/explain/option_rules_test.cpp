#include "stages/explain/option_rules.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

/// What options say to a network of a task that they do not go with.
struct Refused {
  const char* task;
  const char* method;
  std::function<void(ExplainOptions&)> set;
  const char* message;
};

TEST(OptionRules, ARefusalNamesTheNetworksThatTheOptionIsFor) {
  const auto nothing = [](ExplainOptions&) {};
  const std::vector<Refused> all = {
      {"regression", "finercam", nothing,
       "--method finercam: is for classification and multilabel; gradcam-live methods lists "
       "others"},
      {"embedding", "shapleycam", nothing,
       "--method shapleycam: is not for detectors and embeddings; gradcam-live methods lists "
       "others"},
      {"classification", "odam", nothing,
       "--method odam: is for detectors; gradcam-live methods lists others"},
      {"detection", "gradcam", [](ExplainOptions& o) { o.smooth = {"aug"}; },
       "--smooth aug: is for tasks with one answer for a picture; give eigen or temporal"},
      {"segmentation", "gradcam", [](ExplainOptions& o) { o.smooth = {"aug"}; },
       "--smooth aug: is for tasks with one answer for a picture; give eigen or temporal"},
      {"regression", "gradcam", [](ExplainOptions& o) { o.verify = 5; },
       "--verify: is for classification and multilabel"},
      {"multilabel", "gradcam", [](ExplainOptions& o) { o.hysteresis = 0.1; },
       "--hysteresis: is for classification"},
      {"classification", "gradcam", [](ExplainOptions& o) { o.inside = true; },
       "--inside-boxes: is for detectors"},
      {"segmentation", "gradcam", [](ExplainOptions& o) { o.confidence = 0.5; },
       "--conf: is for detectors and multilabel"},
      {"detection", "gradcam",
       [](ExplainOptions& o) {
         o.region = {0, 0.5, 1, 1};
       },
       "--region: is for segmentations"}};
  for (const Refused& refused : all) {
    ExplainOptions options;
    refused.set(options);
    ModelDescription description;
    description.task = &find_task(refused.task);
    try {
      require_fitting(options, find_method(refused.method), description, "");
      ADD_FAILURE() << "accepted, instead of " << refused.message;
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_STREQ(error.what(), refused.message);
    }
  }
}

TEST(OptionRules, OptionsGoWithTheirTasks) {
  const auto accepts = [](const char* task, const std::function<void(ExplainOptions&)>& set) {
    ExplainOptions options;
    set(options);
    ModelDescription description;
    description.task = &find_task(task);
    EXPECT_NO_THROW(require_fitting(options, find_method("gradcam"), description, "")) << task;
  };
  accepts("classification", [](ExplainOptions& o) { o.hysteresis = 0.1; });
  accepts("multilabel", [](ExplainOptions& o) { o.verify = 5; });
  accepts("multilabel", [](ExplainOptions& o) { o.confidence = 0.5; });
  accepts("regression", [](ExplainOptions& o) { o.smooth = {"aug"}; });
  accepts("embedding", [](ExplainOptions& o) { o.smooth = {"aug"}; });
  accepts("segmentation", [](ExplainOptions& o) { o.region = {0, 0.5, 1, 1}; });
  accepts("detection", [](ExplainOptions& o) { o.inside = true; });
}

TEST(OptionRules, WhatABundleAloneLacksIsRefused) {
  EXPECT_USER_ERROR(require_fitting({}, find_method("scorecam"), {}, "b.bundle"), ExitCode::kUsage,
                    "--method scorecam: needs the whole network, and bundle 'b.bundle' holds no "
                    "sound model.pt");
}

}  // namespace
}  // namespace gradcam
