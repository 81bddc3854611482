#include "pipeline/default_stages.h"

#include <gtest/gtest.h>

#include "stages/explain/load_explainer.h"
#include "stages/preprocess/preprocess.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

class DefaultStages : public testing::Test {
 protected:
  DefaultStages() {
    const auto net =
        tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                       {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                      "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n");
    ExplainOptions options;
    options.model = tiny::saved(net, "default_stages", {{"gradcam.json", kDescription}});
    options.device = "cpu";
    explainer_ = load_explainer(options);
    stages_ = default_stages(*explainer_);
    stages_.explain_start();
  }

  static Frame frame(std::int64_t seq) {
    cv::Mat picture(24, 20, CV_8UC3);
    cv::randu(picture, 0, 255);
    Frame frame;
    frame.seq = seq;
    frame.image = Picture(picture);
    return frame;
  }

  static constexpr const char* kDescription = R"({"input_size":[12,10],"name":"Net"})";
  std::unique_ptr<Explainer> explainer_;
  Stages stages_;
};

TEST_F(DefaultStages, ExplainAsTheExplainerDoes) {
  const Frame shown = frame(0);
  const Prepared prepared = stages_.preprocess(shown);
  const Explanation explanation = stages_.explain({prepared}).at(0);
  const Explanation expected =
      explainer_->explain(to_network_input(shown.image.bgr(), explainer_->description()).blob);
  EXPECT_EQ(explanation.heat.values, expected.heat.values);
  EXPECT_EQ(explanation.top.at(0).score, expected.top.at(0).score);
}

TEST_F(DefaultStages, DrawTheHeatAtTheSizeOfTheFrame) {
  const Frame shown = frame(0);
  const Prepared prepared = stages_.preprocess(shown);
  const Explanation explanation = stages_.explain({prepared}).at(0);
  const Rendered rendered =
      stages_.overlay({prepared, std::make_shared<const Explanation>(explanation)});
  EXPECT_EQ(rendered.picture.size(), shown.image.size());
  EXPECT_EQ(rendered.map->size(), shown.image.size());
  EXPECT_GT(cv::norm(rendered.picture.bgr(), shown.image.bgr(), cv::NORM_INF), 0);
}

TEST_F(DefaultStages, TakeFramesOfSeveralStreamsByOneCall) {
  std::vector<Prepared> frames = {stages_.preprocess(frame(0)), stages_.preprocess(frame(1))};
  frames[1].frame.stream = 1;
  const std::vector<Explanation> together = stages_.explain(frames);
  ASSERT_EQ(together.size(), 2U);
  EXPECT_NE(together[0].heat.values, together[1].heat.values);
}

TEST_F(DefaultStages, AStageInFrontChangesWhatTheNetworkSees) {
  const Frame shown = frame(0);
  stages_.preprocess = [library = stages_.preprocess](Frame each) {
    each.image = Picture(cv::Mat(24, 20, CV_8UC3, cv::Scalar::all(90)));
    return library(each);
  };
  const Prepared prepared = stages_.preprocess(shown);
  EXPECT_EQ(prepared.blob->pixels, decltype(prepared.blob->pixels)(std::size_t{3} * 12 * 10, 90));
}

}  // namespace
}  // namespace gradcam
