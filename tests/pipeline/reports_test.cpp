#include "pipeline/reports.h"

#include <gtest/gtest.h>

#include "stages/explain/load_explainer.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

std::string tiny_model(const std::string& name, const std::string& description) {
  const auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                    "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n");
  return tiny::saved(net, name, {{"gradcam.json", description}});
}

Options about(const std::string& subject) {
  Options options;
  options.subject = subject;
  return options;
}

template <class Print>
std::string stdout_of(Print print) {
  ::testing::internal::CaptureStdout();
  print();
  return ::testing::internal::GetCapturedStdout();
}

template <class Log>
std::string stderr_of(Log log) {
  ::testing::internal::CaptureStderr();
  log();
  return ::testing::internal::GetCapturedStderr();
}

StreamSummary stream(const std::string& name) {
  StreamSummary stream;
  stream.name = name;
  stream.captured = 12;
  stream.shown = 12;
  stream.frames_per_second = 24.96;
  stream.latency.total.p50_ms = 41.4;
  return stream;
}

TEST(PrintTop, HasALineOfIndexLabelAndPerCentForEachClass) {
  Explanation explanation;
  explanation.top = {{282, "tiger cat", 0.41F}, {7, "", 0.0525F}};
  EXPECT_EQ(stdout_of([&] { print_top(explanation); }),
            "  282  tiger cat                         41.00 %\n"
            "    7  -                                  5.25 %\n");
}

TEST(PrintTop, OfNoBoxSaysSo) {
  EXPECT_EQ(stderr_of([] { print_top(Explanation()); }),
            "info: found nothing that scores as high as --conf wants\n");
}

TEST(PrintLayers, SaysWhereACutIsPossible) {
  const std::string path = tiny_model("layers", R"({"input_size":[12,10]})");
  EXPECT_EQ(stdout_of([&] { print_layers(about(path)); }),
            "layer                                    type                     output             "
            "cut\n"
            "conv                                     Conv2d                   1x4x12x10          "
            "yes\n"
            "fc                                       Linear                   1x2                "
            "no: its output is not spatial\n");
}

TEST(PrintInfo, OfAModelIsWhatItsDescriptionSays) {
  const std::string path =
      tiny_model("described", R"({"input_size":[12,10],"name":"Net","labels":["cat","dog"]})");
  const std::string text = stdout_of([&] { print_info(about(path)); });
  const std::string described = "model        " + path +
                                "\n"
                                "kind         TorchScript\n"
                                "name         Net\n"
                                "description  found\n"
                                "input        12x10 (height x width)\n"
                                "labels       2\n"
                                "layers       2 (gradcam-live layers lists them)\n"
                                "layer        conv\n"
                                "pictures     {\"input_size\":[12,10],\"resize\":\"stretch\","
                                "\"antialias\":true,\"color\":\"rgb\",\"scale\":255.0,"
                                "\"mean\":[0.485,0.456,0.406],\"std\":[0.229,0.224,0.225]}\n"
                                "device       cpu\n"
                                "engine       ";
  EXPECT_EQ(text.substr(0, described.size()), described);
  // Which of these is the fastest here is for the machine to say; one is.
  EXPECT_NE(text.find("\n  torchscript fp32           "), std::string::npos) << text;
  EXPECT_NE(text.find("\n  torchscript fp32 optimized "), std::string::npos) << text;
  EXPECT_EQ(text.find(", chosen\n"), text.rfind(", chosen\n"));
  EXPECT_NE(text.find(", chosen\n"), std::string::npos) << text;
}

TEST(PrintInfo, OfAModelWithoutDescriptionSaysThatDefaultsAreAssumed) {
  const std::string text = stdout_of([&] { print_info(about(tiny_model("bare", ""))); });
  EXPECT_NE(text.find("description  none: the defaults are assumed\n"), std::string::npos) << text;
  EXPECT_NE(text.find("name         bare\n"), std::string::npos) << text;
}

TEST(PrintInfo, OfASourceIsItsKindSizeAndRate) {
  const std::string text = stdout_of([&] { print_info(about("test")); });
  EXPECT_EQ(text.rfind("source     test\n", 0), 0U) << text;
  EXPECT_NE(text.find("size       640x480\nrate       30.000 frames/s\n"), std::string::npos)
      << text;
}

TEST(LogModel, NamesModelLayerClassesAndDevice) {
  ExplainOptions options;
  options.model = tiny_model("logged", R"({"input_size":[12,10],"name":"Net"})");
  options.device = "cpu";
  const auto explainer = load_explainer(options);
  const std::string text = stderr_of([&] { log_model(*explainer); });
  EXPECT_EQ(text.rfind("info: model Net, layer conv, 2 classes, ", 0), 0U) << text;
  EXPECT_NE(text.find(" on cpu (measured "), std::string::npos) << text;
}

TEST(LogModel, WarnsOfLabelsThatDoNotFit) {
  ExplainOptions options;
  options.model = tiny_model("mislabelled", R"({"input_size":[12,10],"labels":["a","b","c"]})");
  options.device = "cpu";
  const auto explainer = load_explainer(options);
  const std::string text = stderr_of([&] { log_model(*explainer); });
  EXPECT_NE(text.find("warning: there are 3 labels for 2 classes"), std::string::npos) << text;
}

TEST(LogModel, SaysWhatIsAssumedWithoutADescription) {
  ExplainOptions options;
  options.model = tiny_model("assumed", "");
  options.device = "cpu";
  const auto explainer = load_explainer(options);
  const std::string text = stderr_of([&] { log_model(*explainer); });
  EXPECT_EQ(text.substr(text.find('\n') + 1),
            "warning: the model has no description; assumed: 224x224 stretched, RGB, /255, "
            "ImageNet mean and std, classification with softmax\n");
}

TEST(LogModel, SaysWhichOfSeveralOutputsIsExplained) {
  ExplainOptions options;
  options.device = "cpu";
  options.model = tiny::saved(tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)}},
                                            "  y = torch.mean(self.conv.forward(x), [2, 3])\n"
                                            "  return y, y[:, 1:]\n"),
                              "several");
  const auto explainer = load_explainer(options);
  const std::string text = stderr_of([&] { log_model(*explainer); });
  EXPECT_NE(text.find("; of its outputs output 0 (1x4), output 1 (1x3) the first is explained"),
            std::string::npos)
      << text;
}

TEST(ReportSummary, CountsTheFramesOfEachStream) {
  RunSummary summary;
  summary.streams = {stream("a.mp4"), stream("b.mp4")};
  summary.streams[1].captured = 17;
  summary.streams[1].failed = 2;
  summary.streams[1].dropped_output = 3;
  EXPECT_EQ(stderr_of([&] { report_summary(summary, false); }),
            "info: a.mp4: 12 frames in, 12 shown; 25.0 frames/s, 41 ms from capture to output\n"
            "info: b.mp4: 17 frames in, 12 shown, 2 failed, 3 dropped; 25.0 frames/s, 41 ms from "
            "capture to output\n");
}

TEST(ReportSummary, NamesNoRateWithoutAFrame) {
  RunSummary summary;
  summary.streams.emplace_back();
  summary.streams[0].name = "a.mp4";
  EXPECT_EQ(stderr_of([&] { report_summary(summary, false); }),
            "info: a.mp4: 0 frames in, 0 shown\n");
}

TEST(ReportSummary, BriefLeavesOutWhatWentWell) {
  RunSummary summary;
  summary.streams = {stream("a.png"), stream("b.png")};
  summary.streams[1].failed = 1;
  summary.streams[1].first_failure = "frame 0: explain: no luck";
  EXPECT_EQ(stderr_of([&] { report_summary(summary, true); }),
            "info: b.png: 12 frames in, 12 shown, 1 failed; 25.0 frames/s, 41 ms from capture to "
            "output\nerror: b.png: 1 of 12 frames failed, first frame 0: explain: no luck\n");
}

TEST(ReportSummary, LeavesWhatEndedTheRunToTheLastLine) {
  RunSummary summary;
  summary.streams = {stream("a.mp4"), stream("b.mp4")};
  summary.streams[0].output_error = "full";
  summary.streams[1].output_error = "gone";
  summary.error = std::make_exception_ptr(UserError(ExitCode::kOutput, "full"));
  EXPECT_EQ(stderr_of([&] { report_summary(summary, true); }), "error: b.mp4: gone\n");
}

TEST(ReportSummary, TellsEveryProblemAndAStop) {
  RunSummary summary;
  summary.streams = {stream("a.mp4")};
  summary.streams[0].source_error = "broke";
  summary.streams[0].cut_short = "short";
  summary.streams[0].output_error = "full";
  summary.stopped = true;
  EXPECT_EQ(stderr_of([&] { report_summary(summary, true); }),
            "error: a.mp4: broke\nerror: a.mp4: short\nerror: a.mp4: full\n"
            "info: stopped; what was written is complete\n");
}

}  // namespace
}  // namespace gradcam
