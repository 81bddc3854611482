#include "stages/output/jsonl_sink.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using std::chrono::microseconds;
using testing::grey;
using testing::read_text;

Rendered explained_frame() {
  Rendered rendered = testing::rendered(12, std::chrono::milliseconds(480), grey(0, {4, 4}));
  Explanation explanation;
  explanation.top = {{282, "tiger cat", 0.41F}, {281, "", 0.25F}};
  explanation.targets = {{282, "tiger cat", 0.41F}};
  explanation.method = "gradcam";
  explanation.layers = {"layer4"};
  explanation.frame_seq = 12;
  rendered.explained.explanation = std::make_shared<const Explanation>(explanation);
  rendered.figures = CamFigures{0.125, 0.625, cv::Point2d(10.5, 20.25), cv::Point(30, 40)};
  rendered.explained.prepared.frame.ms = {1.5, 0.25, 30, 2, 0};
  return rendered;
}

TEST(JsonLine, HoldsEverythingOfAnExplainedFrame) {
  const Rendered rendered = explained_frame();
  const Clock::time_point now = rendered.frame().captured_at + microseconds(40500);
  EXPECT_EQ(json_line("cam1", rendered, now, true),
            R"({"stream":"cam1","frame":12,"pts_ms":480.0,)"
            R"("top":[{"class":282,"label":"tiger cat","score":0.41},{"class":281,"score":0.25}],)"
            R"("targets":[{"class":282,"label":"tiger cat","score":0.41}],)"
            R"("method":"gradcam","layer":["layer4"],"map_of":12,)"
            R"("cam":{"peak":[30,40],"centroid":[10.5,20.25],"coverage":0.125,"entropy":0.625},)"
            R"("latency_ms":{"capture":1.5,"preprocess":0.25,"explain":30.0,"overlay":2.0,)"
            R"("total":40.5},"dropped_before":0})");
}

TEST(JsonLine, AMapWithoutHeatHasNoPeakAndNoCentroid) {
  Rendered rendered = explained_frame();
  rendered.figures = CamFigures{};
  const auto line =
      nlohmann::json::parse(json_line("a", rendered, rendered.frame().captured_at, true));
  EXPECT_EQ(line["cam"].dump(), R"({"coverage":0.0,"entropy":0.0})");
}

TEST(JsonLine, CoordinatesAreThoseOfThePictureAsCaptured) {
  Rendered rendered = testing::rendered(0, std::chrono::nanoseconds(0), grey(0, {4, 2}));
  rendered.explained.prepared.frame.source_size = {8, 6};  // twice as wide, three times as high
  rendered.figures = CamFigures{0.125, 0.625, cv::Point2d(1.0, 0.5), cv::Point(3, 1)};
  const auto cam =
      nlohmann::json::parse(json_line("a", rendered, rendered.frame().captured_at, true))["cam"];
  EXPECT_EQ(cam["centroid"], nlohmann::json({2.5, 2.5}));  // (1 + .5) * 2 - .5, (.5 + .5) * 3 - .5
  EXPECT_EQ(cam["peak"], nlohmann::json({7, 4}));          // the pixels under 3.5 * 2 and 1.5 * 3
  EXPECT_EQ(cam["coverage"], 0.125);
  EXPECT_EQ(cam["entropy"], 0.625);
}

TEST(JsonLine, BoxesAreInPixelsOfThePictureAsCaptured) {
  Rendered rendered = explained_frame();
  rendered.explained.prepared.frame.source_size = {8, 12};  // of 4x4
  rendered.objects = {{{0.5F, 1, 2, 3}, 2, "car", 0.75F, 4, true}, {{0, 0, 1, 1}, 7, "", 0.5F}};
  const auto line =
      nlohmann::json::parse(json_line("a", rendered, rendered.frame().captured_at, true));
  EXPECT_EQ(line["boxes"].dump(),
            R"([{"class":2,"id":4,"label":"car","score":0.75,"xyxy":[1.0,3.0,4.0,9.0]},)"
            R"({"class":7,"score":0.5,"xyxy":[0.0,0.0,2.0,3.0]}])");
}

TEST(JsonLine, WhatBelongsToTheMapIsToldOnce) {
  Rendered rendered = explained_frame();
  Explanation explanation = *rendered.explained.explanation;
  explanation.flicker = 0.125;
  explanation.faithfulness = Faithfulness{0.5, true, 0.25, 0.75, 0.1};
  rendered.explained.explanation = std::make_shared<const Explanation>(explanation);
  const auto line = [&](bool new_map) {
    return nlohmann::json::parse(json_line("a", rendered, rendered.frame().captured_at, new_map));
  };
  EXPECT_EQ(line(true)["cam"]["flicker"], 0.125);
  EXPECT_EQ(line(true)["trust"].dump(),
            R"({"deletion":0.25,"drop":0.5,"increase":true,"insertion":0.75,"randomised":0.1})");
  EXPECT_FALSE(line(false).contains("trust"));
  EXPECT_FALSE(line(false)["cam"].contains("flicker"));
}

TEST(JsonlSink, TheFirstLineOfAMapTellsOfIt) {
  // Of live sources each frame may show the map of one before.
  const TempFolder folder;
  const std::string path = (folder.path() / "out.jsonl").string();
  Rendered rendered = explained_frame();
  Explanation explanation = *rendered.explained.explanation;
  explanation.flicker = 0.125;
  explanation.frame_seq = 3;
  rendered.explained.explanation = std::make_shared<const Explanation>(explanation);
  JsonlSink sink(path, false, "a");
  for (const int frame : {5, 6}) {
    rendered.explained.prepared.frame.seq = frame;
    sink.write(rendered);
  }
  sink.finish();
  std::ifstream in(path);
  std::string first;
  std::string second;
  std::getline(in, first);
  std::getline(in, second);
  EXPECT_NE(first.find("flicker"), std::string::npos) << first;
  EXPECT_EQ(second.find("flicker"), std::string::npos) << second;
}

TEST(JsonLine, FailedFrameHasItsErrorAndNoMap) {
  Rendered rendered = testing::rendered(3, std::chrono::nanoseconds(0), grey(0, {4, 4}));
  rendered.explained.prepared.frame.fail("explain: out of memory");
  rendered.explained.prepared.frame.dropped_before = 2;
  EXPECT_EQ(json_line("a", rendered, rendered.frame().captured_at, true),
            R"({"stream":"a","frame":3,"pts_ms":0.0,"error":"explain: out of memory",)"
            R"("latency_ms":{"total":0.0},"dropped_before":2})");
}

TEST(JsonLine, BytesThatAreNoTextDoNotEndTheRun) {
  Rendered rendered = testing::rendered(0, std::chrono::nanoseconds(0), grey(0, {4, 4}));
  rendered.explained.prepared.frame.fail("label \xff\n\"quoted\"");
  const std::string line = json_line("a", rendered, rendered.frame().captured_at, true);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line)["stream"], "a");
}

TEST(StreamName, IsTheFileNameAndUniqueAmongSeveral) {
  SourceInfo source;
  source.name = "/films/drive.mp4";
  EXPECT_EQ(stream_name(source, 0, 1), "drive.mp4");
  EXPECT_EQ(stream_name(source, 1, 2), "1:drive.mp4");
  source.name = "/films/pictures/";
  EXPECT_EQ(stream_name(source, 0, 1), "pictures");
  source.name = "rtsp://cam1/stream";
  EXPECT_EQ(stream_name(source, 0, 1), "rtsp://cam1/stream");
}

TEST(JsonlSink, EachLineIsThereAsSoonAsItIsWritten) {
  const TempFolder folder;
  JsonlSink sink((folder / "a.jsonl").string(), false, "s");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.jsonl"));
  for (int lines = 1; lines <= 3; ++lines) {
    sink.write(testing::rendered(lines, std::chrono::nanoseconds(0), grey(0, {4, 4})));
    const std::string text = read_text(folder / "a.jsonl");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), lines);
    EXPECT_EQ(text.back(), '\n');
  }
  sink.finish();
}

TEST(JsonlSink, DashIsStandardOutput) {
  ::testing::internal::CaptureStdout();
  {
    JsonlSink sink("-", false, "s");
    sink.write(testing::rendered(5, std::chrono::nanoseconds(0), grey(0, {4, 4})));
    sink.finish();
  }
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(nlohmann::json::parse(text)["frame"], 5);
}

TEST(JsonlSink, FullDiskIsAnError) {
  const TempFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "a.jsonl");
  JsonlSink sink((folder / "a.jsonl").string(), true, "s");
  EXPECT_USER_ERROR(sink.write(testing::rendered(0, std::chrono::nanoseconds(0), grey(0, {4, 4}))),
                    ExitCode::kOutput, "a.jsonl");
}

}  // namespace
}  // namespace gradcam
