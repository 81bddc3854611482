#include "pipeline/loading_news.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace gradcam {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(LoadingNews, SaysWhatIsLoadedOnceThatTakesLong) {
  std::promise<std::string> said;
  const LoadingNews news(
      "net.onnx", [&](const std::string& line) { said.set_value(line); }, {}, milliseconds(0));
  EXPECT_EQ(said.get_future().get(), "loading model 'net.onnx'");
}

TEST(LoadingNews, SaysNothingOfWhatIsQuick) {
  std::vector<std::string> lines;
  {
    const LoadingNews news(
        "net.pt", [&](const std::string& line) { lines.push_back(line); }, {}, hours(1));
  }
  EXPECT_TRUE(lines.empty());
}

TEST(LoadingNews, WhatTheLoadingTellsComesAtOnceAndIsEnough) {
  std::vector<std::string> lines;
  std::stop_source stop;
  {
    LoadingNews news(
        "net.pt", [&](const std::string& line) { lines.push_back(line); }, stop.get_token(),
        hours(1));
    const Waiting waiting = news.waiting();
    waiting.tell("choosing");
    EXPECT_EQ(lines, std::vector<std::string>{"choosing"});
    EXPECT_FALSE(waiting.stop.stop_requested());
    stop.request_stop();
    EXPECT_TRUE(waiting.stop.stop_requested());
  }
  EXPECT_EQ(lines.size(), 1U);
}

}  // namespace
}  // namespace gradcam
