#include "config/yaml_file.h"

#include <gtest/gtest.h>

#include "tests/config/options_fixture.h"

namespace gradcam {
namespace {

struct BadFile {
  std::string text;
  std::string part;  ///< of the message, after the file's name
};

std::ostream& operator<<(std::ostream& out, const BadFile& file) { return out << plain(file.part); }

class BadConfig : public testing::TestWithParam<BadFile> {};

TEST_P(BadConfig, IsRefusedWithFileAndLine) {
  const ConfigFile file(GetParam().text);
  expect_refused({{"a", "--config", file.path()}, {}, {file.path() + GetParam().part}});
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadConfig,
    testing::Values(
        BadFile{"view: overlay\nopacty: 1\n", "':2: unknown key 'opacty'; did you mean 'opacity'?"},
        BadFile{"max_dim: 100\n", "':1: unknown key 'max_dim'; did you mean 'max-dim'?"},
        BadFile{"config: x.yaml\n", "':1: unknown key 'config'"},
        BadFile{"limit: 1\nlimit: 2\n", "':2: key 'limit' is given twice"},
        BadFile{"view: [overlay\n", "':2: not YAML: "}, BadFile{"a: b: c\n", "':1: not YAML: "},
        BadFile{"just words\n", "':1: expected lines such as 'opacity: 0.4'"},
        BadFile{"- limit\n", "':1: expected lines such as"},
        BadFile{"[a]: 1\n", "':1: a key must be the name of an option"},
        BadFile{"limit: 1\n---\nlimit: 2\n", "':3: a second document; give one"},
        BadFile{"\nopacity:\n", "':2: opacity: has no value; give a number from 0 to 1"},
        BadFile{"view: [overlay, heatmap]\n", "':1: view: takes a single value; give one of"},
        BadFile{"view: {kind: overlay}\n", "':1: view: takes a single value; give one of"},
        BadFile{"output: [[a]]\n", "':1: output: takes a list of values"},
        BadFile{"model: ''\n", "':1: model: '' is not allowed"},
        BadFile{std::string(2 << 20, '#'), "' is larger than 1 MiB"}));

TEST(YamlFile, EmptyFilesSayNothing) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n"}) {
    const ConfigFile file(text);
    EXPECT_TRUE(parse({"a", "--config", file.path()}).has_value()) << text;
  }
}

TEST(PrintConfig, ReadsBackAllTexts) {
  const Words odd = {"~",  "null", "[ab]",        "a b",   "x: y", "#c",       "-",
                     "0",  "yes",  "it's \"so\"", "ä.mp4", "a,b",  "C:\\x",    "*.jpg",
                     "&a", "!b",   "%d",          "{a}",   "'q'",  "tab\there"};
  Options options;
  options.input.sources = odd;
  options.explain.target = "~";
  const ConfigFile file(to_yaml(options));
  const auto read = parse({"--config", file.path()});
  EXPECT_EQ(read->input.sources, odd);
  EXPECT_EQ(read->explain.target, "~");
  EXPECT_EQ(to_yaml(*read), to_yaml(options));
}

TEST(PrintConfig, NeedsNoSourceAndShowsEveryKeyMerged) {
  const std::string text =
      printed({"--print-config", "--style", "notebook"}, {{"GRADCAM_LIMIT", "3"}});
  EXPECT_NE(text.find("input: []\nlimit: 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("opacity: 0.4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("model: ~\n"), std::string::npos) << text;
}

TEST(PrintConfig, LeavesPasswordsOut) {
  const std::string text = printed({"rtsp://user:secret@cam/s", "--print-config"});
  EXPECT_NE(text.find("rtsp://user:***@cam/s"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

}  // namespace
}  // namespace gradcam
