#include "config/command_line.h"

#include <gtest/gtest.h>

#include "tests/config/options_fixture.h"

namespace gradcam {
namespace {

TEST(CommandLine, SourcesAndFlagsMix) {
  const auto options = parse({"-o", "x.mp4", "film.mp4", "-y", "other.mp4", "-i", "third.mp4"});
  EXPECT_EQ(options->command, Command::kRun);
  EXPECT_EQ(options->input.sources, (Words{"film.mp4", "other.mp4", "third.mp4"}));
  EXPECT_EQ(options->output.outputs, Words{"x.mp4"});
  EXPECT_EQ(parse({"film.mp4", "-o", "x.mp4"})->input.sources, Words{"film.mp4"});
  EXPECT_EQ(parse({"run", "film.mp4"})->input.sources, Words{"film.mp4"});
  EXPECT_EQ(parse({"--input=a", "--source", "b"})->input.sources, (Words{"a", "b"}));
}

TEST(CommandLine, TextsArriveAsTheyAre) {
  EXPECT_EQ(parse({"[ab]", "-i", "[c,d]", "x,y"})->input.sources, (Words{"[ab]", "x,y", "[c,d]"}));
  EXPECT_EQ(parse({"--", "-odd.mp4"})->input.sources, Words{"-odd.mp4"});
  EXPECT_EQ(parse({"a", "-oout.mp4"})->output.outputs, Words{"out.mp4"});
  EXPECT_EQ(parse({"a", "-yo", "out.mp4"})->output.outputs, Words{"out.mp4"});
  EXPECT_EQ(parse({"a", "--target", "-1"})->explain.target, "-1");
}

TEST(CommandLine, TheLastSingleValueCounts) {
  EXPECT_EQ(parse({"a", "--limit", "1", "--limit", "2"})->input.limit, 2);
}

TEST(CommandLine, CommandsAreTheFirstWord) {
  const auto layers = parse({"--threads", "2", "layers", "m.pt"});
  EXPECT_EQ(layers->command, Command::kLayers);
  EXPECT_EQ(layers->subject, "m.pt");
  const auto info = parse({"info", "film.mp4"});
  EXPECT_EQ(info->command, Command::kInfo);
  EXPECT_EQ(info->subject, "film.mp4");
  const auto bench = parse({"bench", "--limit", "5"});
  EXPECT_EQ(bench->command, Command::kBench);
  EXPECT_TRUE(bench->input.sources.empty());
  EXPECT_EQ(parse({"bench", "film.mp4"})->input.sources, Words{"film.mp4"});
}

TEST(CommandLine, SubjectMayComeByFlag) {
  EXPECT_EQ(parse({"layers", "-m", "m.pt"})->subject, "m.pt");
  EXPECT_EQ(parse({"info", "-i", "film.mp4", "-m", "m.pt"})->subject, "film.mp4");
  EXPECT_EQ(parse({"layers"}, {{"GRADCAM_MODEL", "m.pt"}})->subject, "m.pt");
}

TEST(CommandLine, ThePageOfLayersTakesAModelAndASource) {
  const auto page = parse({"layers", "m.pt", "cat.jpg", "--html", "l.html", "-y", "--opacity=1"});
  EXPECT_EQ(page->subject, "m.pt");
  EXPECT_EQ(page->input.sources, Words{"cat.jpg"});
  EXPECT_EQ(parse({"layers", "m.pt", "--html=l", "-i", "a.jpg"})->input.sources, Words{"a.jpg"});
  EXPECT_TRUE(parse({"layers", "m.pt", "--html=l"})->input.sources.empty());
}

TEST(CommandLine, SourcesNamedLikeACommandGoWithAFlag) {
  const auto options = parse({"-i", "bench"});
  EXPECT_EQ(options->command, Command::kRun);
  EXPECT_EQ(options->input.sources, Words{"bench"});
  EXPECT_EQ(parse({"run", "layers"})->input.sources, Words{"layers"});
}

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, NamesWhatIsWrong) { expect_refused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Options, Refused,
    testing::Values(
        Refusal{
            {},
            {},
            {"no source: give a camera (0), film, picture, folder, glob, URL, gst:LAUNCH or test"}},
        Refusal{{"-o", "x.mp4"}, {}, {"no source"}}, Refusal{{"run"}, {}, {"no source"}},
        Refusal{{"a", "--style", "notebook", "--normalize", "running"},
                {},
                {"--normalize 'running' goes with --style gradcam", "give frame"}},
        Refusal{{"a", "--opactiy", "1"}, {}, {"unknown option '--opactiy'", "'--opacity'?"}},
        Refusal{{"a", "--opactiy=1"}, {}, {"unknown option '--opactiy'; did you mean '--opacity'"}},
        Refusal{
            {"a", "--zebra"}, {}, {"unknown option '--zebra' (gradcam-live --help lists them)"}},
        Refusal{{"a", "-q"}, {}, {"unknown option '-q'"}},
        Refusal{{"a", "-5"}, {}, {"unknown option '-5'"}},
        Refusal{{"a", "--serve"}, {}, {"unknown option '--serve'"}},
        Refusal{{"a", "--output"}, {}, {"--output needs a value; give a file (.mp4"}},
        Refusal{{"a", "-o"}, {}, {"--output needs a value"}},
        Refusal{{"a", "-yo"}, {}, {"--output needs a value"}},
        Refusal{{"a", "-o", "-y"}, {}, {"--output needs a value before '-y'"}},
        Refusal{{"a", "-o", "--limit=3"}, {}, {"--output needs a value before '--limit=3'"}},
        Refusal{{"a", "-o", "--", "b"}, {}, {"--output needs a value before '--'"}},
        Refusal{{"a", "-max-dim", "5"}, {}, {"unknown option '-max-dim'", "mean '--max-dim'?"}},
        Refusal{{"--labels=", "a"}, {}, {"--labels needs a value; give a file with labels"}},
        Refusal{{"a", "--labels", ""}, {}, {"--labels: '' is not allowed; give a file"}},
        Refusal{{""}, {}, {"SOURCE: '' is not allowed; give a camera, film"}},
        Refusal{{"a", "--help=x"}, {}, {"--help takes no value; leave out 'x'"}},
        Refusal{{"a", "--opacity", "7\n8"}, {}, {"--opacity: '7?8'"}},
        Refusal{{"layers"}, {}, {"'layers' needs a MODEL; give a TorchScript file"}},
        Refusal{{"info"}, {}, {"'info' needs a MODEL, SOURCE or cameras; give a TorchScript file"}},
        Refusal{{"layers", "a.pt", "b.pt"}, {}, {"'layers' takes one MODEL, but 'b.pt'"}},
        Refusal{{"info", "a", "b"}, {}, {"'info' takes one MODEL, SOURCE or cameras, but 'b'"}},
        Refusal{{"bench", "a", "b"}, {}, {"'bench' takes one SOURCE, but 'b'"}},
        Refusal{{"layers", "a.pt", "-o", "x.mp4"}, {}, {"--output has no effect on 'layers'"}},
        Refusal{{"layers", "a.pt", "--opacity=1"}, {}, {"effect on 'layers' without --html FILE"}},
        Refusal{{"layers", "a.pt", "--html=l", "--hud"}, {}, {"--hud has no effect on 'layers'"}},
        Refusal{{"layers", "a.pt", "b", "c", "--html=l"}, {}, {"MODEL and one SOURCE, but 'c'"}},
        Refusal{{"info", "a.pt", "--html=l"}, {}, {"--html has no effect on 'info'"}},
        Refusal{{"a", "-o", "x.mp4", "-o", "./x.mp4"}, {}, {"output './x.mp4' is given twice"}},
        Refusal{{"a", "--jsonl", "x", "--stats", "x"}, {}, {"output 'x' is given twice"}},
        Refusal{{"a"},
                {{"GRADCAM_OPACTIY", "1"}},
                {"unknown variable 'GRADCAM_OPACTIY'", "did you mean 'GRADCAM_OPACITY'?"}},
        Refusal{{"a", "--config", "missing.yaml"}, {}, {"--config: 'missing.yaml' does not exist"}},
        Refusal{{"a", "--config", "/"}, {}, {"--config: '/' is not a file; give a YAML file"}},
        Refusal{{"a", "--config"}, {}, {"--config needs a value; give a YAML file"}},
        Refusal{
            {"a"}, {{"GRADCAM_CONFIG", "no.yaml"}}, {"GRADCAM_CONFIG: 'no.yaml' does not exist"}}));

}  // namespace
}  // namespace gradcam
