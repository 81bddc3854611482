#include "config/option_table.h"

#include <gtest/gtest.h>

#include <iterator>

#include "tests/config/options_fixture.h"

namespace gradcam {
namespace {

struct Setting {
  const char* name;
  const char* value;
  bool (*is_set)(const Options&);
};

std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.name; }

const Setting kSettings[] = {
    {"limit", "12", [](const Options& o) { return o.input.limit == 12; }},
    {"start", "1:02:03.5", [](const Options& o) { return o.input.start_s == 3723.5; }},
    {"duration", "250ms", [](const Options& o) { return o.input.duration_s == 0.25; }},
    {"max-dim", "640", [](const Options& o) { return o.input.max_dim == 640; }},
    {"max-fps", "12.5", [](const Options& o) { return o.input.max_fps == 12.5; }},
    {"loop", "true", [](const Options& o) { return o.input.loop; }},
    {"background", "#ff8000",
     [](const Options& o) {
       return o.input.background == Colour{255, 128, 0};
     }},
    {"every", "3", [](const Options& o) { return o.explain.every == 3; }},
    {"budget", "33ms", [](const Options& o) { return o.explain.budget_s == 0.033; }},
    {"batch", "4", [](const Options& o) { return o.explain.batch == 4; }},
    {"show", "true", [](const Options& o) { return o.output.show == Choice::kYes; }},
    {"mosaic", "true", [](const Options& o) { return o.output.mosaic; }},
    {"mirror", "false", [](const Options& o) { return o.output.mirror == Choice::kNo; }},
    {"live", "true", [](const Options& o) { return o.run.live == Choice::kYes; }},
    {"model", "m.pt", [](const Options& o) { return o.explain.model == "m.pt"; }},
    {"input-size", "192x256",
     [](const Options& o) {
       return o.explain.input_size == std::array<int, 2>{192, 256};
     }},
    {"labels", "l.txt", [](const Options& o) { return o.explain.labels == "l.txt"; }},
    {"layer", "a.b,c",
     [](const Options& o) {
       return o.explain.layers == Words{"a.b", "c"};
     }},
    {"method", "gradcam", [](const Options& o) { return o.explain.method == "gradcam"; }},
    {"target", "tiger cat", [](const Options& o) { return o.explain.target == "tiger cat"; }},
    {"conf", "0.4", [](const Options& o) { return o.explain.confidence == 0.4; }},
    {"smooth", "aug", [](const Options& o) { return o.explain.smooth == Words{"aug"}; }},
    {"hysteresis", "0.1", [](const Options& o) { return o.explain.hysteresis == 0.1; }},
    {"region", "0,0.5,1,0.75",
     [](const Options& o) {
       return o.explain.region == std::array<double, 4>{0, 0.5, 1, 0.75};
     }},
    {"verify", "25", [](const Options& o) { return o.explain.verify == 25; }},
    {"inside-boxes", "true", [](const Options& o) { return o.explain.inside; }},
    {"reference", "r.png", [](const Options& o) { return o.explain.reference == "r.png"; }},
    {"tint", "true", [](const Options& o) { return o.overlay.tint; }},
    {"device", "cuda:1", [](const Options& o) { return o.explain.device == "cuda:1"; }},
    {"precision", "fp32", [](const Options& o) { return o.explain.precision == Precision::kFp32; }},
    {"engine", "openvino",
     [](const Options& o) { return o.explain.engine == EngineName::kOpenVino; }},
    {"threads", "3", [](const Options& o) { return o.explain.threads == 3; }},
    {"view", "side-by-side",
     [](const Options& o) { return o.overlay.view == ViewKind::kSideBySide; }},
    {"style", "notebook",
     [](const Options& o) {
       return o.overlay.style == Style::kNotebook && o.explain.style == Style::kNotebook;
     }},
    {"normalize", "running",
     [](const Options& o) { return o.explain.normalize == Normalize::kRunning; }},
    {"opacity", "0.25", [](const Options& o) { return o.overlay.opacity == 0.25; }},
    {"colormap", "magma", [](const Options& o) { return o.overlay.colormap == Colormap::kMagma; }},
    {"hud", "false", [](const Options& o) { return !o.overlay.hud; }},
    {"output", "o.mp4", [](const Options& o) { return o.output.outputs == Words{"o.mp4"}; }},
    {"overwrite", "true", [](const Options& o) { return o.output.overwrite; }},
    {"jsonl", "-", [](const Options& o) { return o.output.jsonl == "-"; }},
    {"maps", "maps", [](const Options& o) { return o.output.maps == "maps"; }},
    {"stats", "s.json", [](const Options& o) { return o.output.stats == "s.json"; }},
    {"html", "l.html", [](const Options& o) { return o.output.html == "l.html"; }},
    {"frames-in-flight", "4", [](const Options& o) { return o.run.frames_in_flight == 4; }},
    {"max-failures", "9", [](const Options& o) { return o.run.max_failures == 9; }},
    {"log-level", "debug", [](const Options& o) { return o.run.log_level == "debug"; }},
};

class EveryOption : public testing::TestWithParam<Setting> {
 protected:
  std::string name() const { return GetParam().name; }
  std::string value() const { return GetParam().value; }
};

TEST_P(EveryOption, IsOffByDefault) { EXPECT_FALSE(GetParam().is_set(*parse({"a"}))); }

TEST_P(EveryOption, IsAFlag) {
  EXPECT_TRUE(GetParam().is_set(*parse({"a", "--" + name() + "=" + value()})));
}

TEST_P(EveryOption, IsAVariable) {
  EXPECT_TRUE(GetParam().is_set(*parse({"a"}, {{variable_of(name()), value()}})));
}

TEST_P(EveryOption, IsAKeyOfTheFile) {
  const ConfigFile file(name() + ": \"" + value() + "\"\n");
  EXPECT_TRUE(GetParam().is_set(*parse({"a", "--config", file.path()})));
}

TEST_P(EveryOption, IsPrintedSoThatItReadsBack) {
  const std::string text = printed({"--print-config", "--" + name() + "=" + value()});
  const ConfigFile file(text);
  const auto options = parse({"a", "--config", file.path()});
  EXPECT_TRUE(GetParam().is_set(*options)) << text;
  EXPECT_EQ(printed({"--print-config", "--config", file.path()}), text);
}

TEST_P(EveryOption, IsInTheHelp) {
  EXPECT_NE(help_text().find("--" + name()), std::string::npos);
  EXPECT_NE(options_markdown().find("--" + name()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Options, EveryOption, testing::ValuesIn(kSettings));

TEST(OptionTable, HasNoKeyWithoutATestAbove) {
  const std::string text = to_yaml(Options{});
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(lines, std::distance(std::begin(kSettings), std::end(kSettings)) + 1);  // and input
}

struct BadText {
  const char* name;
  const char* value;
  const char* allowed;
};

std::ostream& operator<<(std::ostream& out, const BadText& text) {
  return out << text.name << '_' << plain(text.value);
}

class BadValue : public testing::TestWithParam<BadText> {};

TEST_P(BadValue, IsRefusedWithOriginValueAndWhatIsAllowed) {
  const auto [name, value, allowed] = GetParam();
  const std::string text = std::string(": '") + value + "' is not allowed; give " + allowed;
  expect_refused(
      {{"a", std::string("--") + name + "=" + value}, {}, {std::string("--") + name + text}});
  expect_refused({{"a"}, {{variable_of(name), value}}, {variable_of(name) + text}});
  const ConfigFile file(std::string("# options\n") + name + ": \"" + value + "\"\n");
  expect_refused({{"a", "--config", file.path()}, {}, {file.path() + "':2: " + name + text}});
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadValue,
    testing::Values(
        BadText{"limit", "x", "0 (all) or a whole number, 1 or more"},
        BadText{"limit", "-1", "0 (all) or a whole number, 1 or more"},
        BadText{"limit", "1.5", "0 (all) or a whole number, 1 or more"},
        BadText{"limit", "99999999999999999999", "0 (all) or a whole number, 1 or more"},
        BadText{"start", "-1", "a time such as"}, BadText{"start", "1:60", "a time such as"},
        BadText{"start", "1:2:3:4", "a time such as"}, BadText{"start", "1:-2", "a time such as"},
        BadText{"start", "s", "a time such as"}, BadText{"duration", "ms", "a time such as"},
        BadText{"duration", "inf", "a time such as"}, BadText{"duration", "nan", "a time such as"},
        BadText{"max-dim", "15", "0 (never) or a whole number, 16 to 65535"},
        BadText{"layer", "a,,b", "auto, or layer names separated by commas"},
        BadText{"layer", "a,", "auto, or layer names separated by commas"},
        BadText{"layer", "auto,a", "auto, or layer names separated by commas"},
        BadText{"method", "gradkam", "one of auto, gradcam, gradcam++"},
        BadText{"input-size", "192x", "HEIGHTxWIDTH"},
        BadText{"input-size", "0x10", "HEIGHTxWIDTH"},
        BadText{"input-size", "10x9000", "HEIGHTxWIDTH"},
        BadText{"input-size", "10,12", "HEIGHTxWIDTH"},
        BadText{"region", "0,0,1", "LEFT,TOP,RIGHT,BOTTOM"},
        BadText{"region", "0.5,0,0.5,1", "LEFT,TOP,RIGHT,BOTTOM"},
        BadText{"region", "0,0,1,1.1", "LEFT,TOP,RIGHT,BOTTOM"},
        BadText{"smooth", "much", "one of aug, eigen, temporal"},
        BadText{"device", "cuda:", "auto, cpu, cuda or cuda:N"},
        BadText{"device", "gpu", "auto, cpu, cuda or cuda:N"},
        BadText{"device", "cuda:x", "auto, cpu, cuda or cuda:N"},
        BadText{"precision", "fp64", "one of auto, fp32, bf16"},
        BadText{"engine", "onnx", "one of auto, torchscript, openvino"},
        BadText{"threads", "1025", "0 (one per core) or a whole number, 1 to 1024"},
        BadText{"view", "both", "one of overlay, heatmap, side-by-side, original"},
        BadText{"style", "Notebook", "one of gradcam, notebook"},
        BadText{"normalize", "yes", "one of auto, frame, running"},
        BadText{"opacity", "7", "a number from 0 to 1"},
        BadText{"opacity", "-0.1", "a number from 0 to 1"},
        BadText{"opacity", "nan", "a number from 0 to 1"},
        BadText{"opacity", "0.5x", "a number from 0 to 1"},
        BadText{"colormap", "rainbow", "one of jet, turbo, viridis, inferno, magma"},
        BadText{"hud", "perhaps", "true or false"},
        BadText{"overwrite", "perhaps", "true or false"},
        BadText{"live", "perhaps", "auto, true or false"},
        BadText{"every", "0", "a whole number, 1 to 100000"},
        BadText{"budget", "fast", "a time such as 12.5"},
        BadText{"batch", "65",
                "0 (as many as there are streams, at most 4) or a whole number, 1 to 64"},
        BadText{"max-fps", "-1", "a number from 0 to 1000"},
        BadText{"frames-in-flight", "1025", "0 (as the cores and --batch allow) or a whole number"},
        BadText{"max-failures", "0", "a whole number, 1 to 1000000"},
        BadText{"log-level", "loud", "one of error, warning, info, debug"}));

TEST(OptionTable, LayersComeByCommaByFlagOrAsYamlList) {
  EXPECT_EQ(parse({"a", "--layer", "x,y", "--layer", "z"})->explain.layers, (Words{"x", "y", "z"}));
  EXPECT_EQ(parse({"a", "--layer", "auto"})->explain.layers, Words{"auto"});
  const ConfigFile file("layer: [x, y]\n");
  EXPECT_EQ(parse({"a", "--config", file.path()})->explain.layers, (Words{"x", "y"}));
}

TEST(OptionTable, TimesHaveSeveralForms) {
  const std::pair<const char*, double> forms[] = {
      {"0", 0},        {"12", 12},    {"12.5", 12.5},     {"12.5s", 12.5},
      {"1500ms", 1.5}, {"2:03", 123}, {"0:00:00.5", 0.5}, {"100:00:00", 360000}};
  for (const auto& [text, seconds] : forms) {
    EXPECT_EQ(parse({"a", "--start", text})->input.start_s, seconds) << text;
  }
}

}  // namespace
}  // namespace gradcam
