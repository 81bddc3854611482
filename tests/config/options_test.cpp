#include "config/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/config/options_fixture.h"

namespace gradcam {
namespace {

TEST(ParseOptions, FlagsWinOverEnvironmentOverFileOverDefault) {
  const ConfigFile file("opacity: 0.1\nmax-dim: 100\nview: heatmap\n");
  const Environment environment = {{"GRADCAM_OPACITY", "0.2"}, {"GRADCAM_MAX_DIM", "200"}};
  const auto options = parse({"a.mp4", "--opacity", "0.3", "--config", file.path()}, environment);
  EXPECT_EQ(options->overlay.opacity, 0.3);
  EXPECT_EQ(options->input.max_dim, 200);
  EXPECT_EQ(options->overlay.view, ViewKind::kHeatmap);
  EXPECT_EQ(options->overlay.colormap, Colormap::kJet);
}

TEST(ParseOptions, ListsReplaceThoseOfWeakerSources) {
  const ConfigFile file("input: [a.mp4, b.mp4]\noutput: [c.mp4, d.mp4]\n");
  const auto options = parse({"--config", file.path(), "-o", "e.mp4", "-o", "null"});
  EXPECT_EQ(options->input.sources, (Words{"a.mp4", "b.mp4"}));
  EXPECT_EQ(options->output.outputs, (Words{"e.mp4", "null"}));
}

TEST(ParseOptions, SwitchesCanBeTurnedBack) {
  const ConfigFile file("hud: off\noverwrite: yes\n");
  EXPECT_FALSE(parse({"a", "--config", file.path()})->overlay.hud);
  EXPECT_TRUE(parse({"a", "--config", file.path(), "--hud"})->overlay.hud);
  EXPECT_TRUE(parse({"a", "--config", file.path()})->output.overwrite);
  EXPECT_FALSE(parse({"a", "--config", file.path(), "--overwrite=false"})->output.overwrite);
  EXPECT_FALSE(parse({"a", "--no-hud"})->overlay.hud);
  EXPECT_TRUE(parse({"a", "--no-hud", "--hud"})->overlay.hud);
  EXPECT_TRUE(parse({"a", "-y", "-y", "--overwrite"})->output.overwrite);
}

TEST(ParseOptions, ConfigFileMayBeNamedByTheEnvironment) {
  const ConfigFile file("limit: 7\n");
  EXPECT_EQ(parse({"a"}, {{"GRADCAM_CONFIG", file.path()}})->input.limit, 7);
}

TEST(ParseOptions, EmptyVariablesAndForeignOnesAreIgnored) {
  const auto options =
      parse({"a"}, {{"GRADCAM_MODEL", ""}, {"GRADCAM_PRESET", "ci"}, {"HOME", "/"}});
  EXPECT_EQ(options->explain.model, "");
}

TEST(ParseOptions, NotebookStyleHasItsOwnDefaults) {
  const auto notebook = parse({"a", "--style", "notebook"});
  EXPECT_EQ(notebook->overlay.opacity, 0.4);
  EXPECT_EQ(notebook->input.max_dim, 1024);
  const auto set =
      parse({"a", "--style", "notebook", "--max-dim", "0"}, {{"GRADCAM_OPACITY", "0.5"}});
  EXPECT_EQ(set->overlay.opacity, 0.5);
  EXPECT_EQ(set->input.max_dim, 0);
  EXPECT_EQ(parse({"a"})->overlay.opacity, 0.5);
  EXPECT_EQ(parse({"a"})->input.max_dim, 0);
}

TEST(ParseOptions, WeakerSourcesAreCheckedToo) {
  expect_refused({{"a", "--opacity", "0.5"}, {{"GRADCAM_OPACITY", "7"}}, {"GRADCAM_OPACITY: '7'"}});
}

TEST(ParseOptions, TwoNullOutputsAndJsonOnStandardOutputAreAllowed) {
  EXPECT_TRUE(parse({"a", "-o", "null", "-o", "null", "--jsonl", "-"}).has_value());
}

TEST(Messages, LeavePasswordsOut) {
  expect_refused({{"bench", "a", "rtsp://u:secret@cam/s"}, {}, {"'rtsp://u:***@cam/s'"}});
  expect_refused({{"a", "--device", "rtsp://u:secret@cam/s"}, {}, {"'rtsp://u:***@cam/s'"}});
}

TEST(ParseOptions, BudgetFindsItsOwnN) {
  EXPECT_USER_ERROR(parse({"a", "--every", "2", "--budget", "33ms"}), ExitCode::kUsage,
                    "--every and --budget");
}

TEST(ParseOptions, NamesOfOneLetterAreNoFlags) {
  const auto options = parse({"m", "--target", "h", "--labels", "o", "y"});
  EXPECT_EQ(options->input.sources, (Words{"m", "y"}));
  EXPECT_EQ(options->explain.target, "h");
}

TEST(ParseOptions, TheWordNullInYamlIsAnOutput) {
  for (const char* text : {"output: null\n", "output: [null]\n", "output: 'null'\n"}) {
    const ConfigFile file(text);
    EXPECT_EQ(parse({"a", "--config", file.path()})->output.outputs, Words{"null"}) << text;
  }
}

TEST(ParseOptions, OneFileUnderTwoNamesIsGivenTwice) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_USER_ERROR(parse({"a", "-o", "x.mp4", "-o", here + "/x.mp4"}), ExitCode::kUsage,
                    "is given twice");
}

TEST(Presets, AnnotateIsValid) {
  const auto options = parse({"a.mp4", "--config", GRADCAM_PRESETS "/annotate.yaml"});
  EXPECT_EQ(options->overlay.view, ViewKind::kOverlay);
}

TEST(Presets, WebcamIsValid) {
  const auto options = parse({"0", "--config", GRADCAM_PRESETS "/webcam.yaml"});
  EXPECT_EQ(options->output.show, Choice::kYes);
  EXPECT_EQ(options->run.live, Choice::kYes);
}

TEST(ProcessEnvironment, IsReadByTheShortForm) {
  const char* const argv[] = {"gradcam-live", "a"};
  setenv("GRADCAM_LIMIT", "42", 1);
  const auto options = parse_options(2, argv);
  unsetenv("GRADCAM_LIMIT");
  EXPECT_EQ(options->input.limit, 42);
}

}  // namespace
}  // namespace gradcam
