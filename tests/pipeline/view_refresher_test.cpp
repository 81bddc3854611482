#include "pipeline/view_refresher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace gradcam {
namespace {

Rendered view(int stream, std::int64_t seq) {
  Rendered view;
  Prepared& prepared = view.explained.prepared;
  prepared.frame.stream = stream;
  prepared.frame.seq = seq;
  prepared.frame.image = Picture(cv::Mat(2, 2, CV_8UC3));
  prepared.blob = std::make_shared<const Blob>();
  return view;
}

Rendered draw(const Explained& explained) {
  Rendered rendered;
  rendered.explained = explained;
  rendered.picture = explained.frame().image;
  return rendered;
}

Explanation with_layer(const std::string& layer) {
  Explanation explanation;
  explanation.layers = {layer};
  return explanation;
}

TEST(ViewRefresher, AnswersWithTheSameFrameExplainedAnew) {
  std::promise<Rendered> answered;
  ViewRefresher again({[](const Prepared&) { return with_layer("new"); }, draw,
                       [&](const Rendered& result) { answered.set_value(result); },
                       [](const Explanation&) { return true; }});
  again.ask(view(1, 7));
  const Rendered result = answered.get_future().get();
  EXPECT_EQ(result.frame().stream, 1);
  EXPECT_EQ(result.frame().seq, 7);
  EXPECT_EQ(result.explained.explanation->layers[0], "new");
  EXPECT_EQ(result.explained.explanation->frame_seq, 7);
}

TEST(ViewRefresher, AsksAgainUntilTheAnswerIsFinal) {
  std::atomic<int> calls = 0;
  std::promise<void> ready;
  ViewRefresher again({[&](const Prepared&) { return with_layer(++calls < 3 ? "old" : "new"); },
                       draw,
                       [&](const Rendered& result) {
                         if (result.explained.explanation->layers[0] == "new") ready.set_value();
                       },
                       [](const Explanation& e) { return e.layers[0] == "new"; }});
  again.ask(view(0, 1));
  ready.get_future().wait();
  EXPECT_EQ(calls, 3);
}

TEST(ViewRefresher, AFailureIsAnAnswerToo) {
  std::promise<std::string> answered;
  ViewRefresher again({[](const Prepared&) -> Explanation { throw std::runtime_error("no luck"); },
                       draw,
                       [&](const Rendered& result) { answered.set_value(result.frame().error); },
                       [](const Explanation&) { return true; }});
  again.ask(view(0, 1));
  EXPECT_EQ(answered.get_future().get(), "explain: no luck");
}

TEST(ViewRefresher, FramesThatFailedAreLeftAlone) {
  std::promise<std::int64_t> answered;
  ViewRefresher again({[](const Prepared&) { return with_layer("new"); }, draw,
                       [&](const Rendered& result) { answered.set_value(result.frame().seq); },
                       [](const Explanation&) { return true; }});
  Rendered failed = view(0, 1);
  failed.explained.prepared.blob = nullptr;
  again.ask(failed);
  again.ask(view(0, 2));
  EXPECT_EQ(answered.get_future().get(), 2);
}

TEST(ViewRefresher, AFrameWhoseExplanationFailedGetsAnotherTry) {
  std::promise<std::string> answered;
  ViewRefresher again({[](const Prepared&) { return with_layer("new"); }, draw,
                       [&](const Rendered& result) { answered.set_value(result.frame().error); },
                       [](const Explanation&) { return true; }});
  Rendered failed = view(0, 1);
  failed.explained.prepared.frame.fail("explain: no luck");
  again.ask(failed);
  EXPECT_EQ(answered.get_future().get(), "");
}

TEST(ViewRefresher, EndsInTheMiddleOfAWishThatIsNeverMet) {
  std::promise<void> asked;
  std::atomic<bool> told = false;
  {
    ViewRefresher again({[](const Prepared&) { return with_layer("old"); }, draw,
                         [&](const Rendered&) {
                           if (!told.exchange(true)) asked.set_value();
                         },
                         [](const Explanation&) { return false; }});
    again.ask(view(0, 1));
    asked.get_future().wait();
  }
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace gradcam
