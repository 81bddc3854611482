#include "config/output_table.h"

#include <gtest/gtest.h>

#include "config/options.h"

namespace gradcam {
namespace {

std::string kind_of(const std::string& text) {
  const OutputEntry* const kind = find_output(text);
  return kind == nullptr ? "" : std::string(kind->name);
}

TEST(OutputTable, EachTextIsOfOneKind) {
  const struct {
    const char* text;
    const char* kind;
  } cases[] = {{"a.mp4", "film"},
               {"no/Film.MKV", "film"},
               {"a_%d.mp4", "film"},
               {"a.png", "picture"},
               {"a.jpg", "picture"},
               {"A.JPEG", "picture"},
               {"out_%05d.png", "series"},
               {"50%_%d.png", "series"},
               {"50%/100%%_%012d.jpeg", "series"},
               {"50%.png", "picture"},
               {"%100d.png", "picture"},
               {"100%d/a.jpeg", "picture"},
               {"%s_%.3d_%-5d_%ld_%5i_%.jpg", "picture"},
               {"null", "null"},
               {"a.avi", ""},
               {"a", ""},
               {"", ""},
               {".mp4", ""},
               {"null.x", ""},
               {"mp4", ""}};
  for (const auto& c : cases) {
    EXPECT_EQ(kind_of(c.text), c.kind) << c.text;
    int kinds = 0;
    for (const OutputEntry& kind : kOutputTable) kinds += kind.recognises(c.text) ? 1 : 0;
    EXPECT_LE(kinds, 1) << c.text;
  }
}

TEST(OutputTable, RecognisesTheFormsItShows) {
  for (const OutputEntry& kind : kOutputTable) {
    const std::string forms(kind.forms);
    const std::string first = forms.substr(0, forms.find(' '));
    EXPECT_TRUE(kind.recognises(kind.phrase.empty() ? "a" + first : first)) << kind.name;
  }
}

TEST(OutputTable, SaysWhatIsAllowed) {
  EXPECT_EQ(output_kinds(), "film (.mp4 .mkv), picture (.png .jpg), series (out_%05d.png) or null");
  EXPECT_EQ(allowed_outputs(),
            "a file (.mp4 .mkv .png .jpg), a series such as out_%05d.png, or null");
  EXPECT_EQ(known_outputs(), ".mp4, .mkv, .png, .jpg, a series such as out_%05d.png, and null");
  EXPECT_EQ(output_forms(), ".mp4, .mkv, .png, .jpg, out_%05d.png, null");
}

TEST(AskedOutputs, NamesAllThatIsWritten) {
  OutputOptions options;
  EXPECT_TRUE(asked_outputs(options).empty());
  options.outputs = {"a.mp4", "null"};
  options.jsonl = "a.jsonl";
  EXPECT_FALSE(uses_standard_output(options));
  options.jsonl = "-";
  options.maps = "maps";
  options.stats = "stats.json";
  options.html = "layers.html";
  EXPECT_TRUE(uses_standard_output(options));
  std::vector<OutputPlace> places;
  for (const AskedOutput& output : asked_outputs(options)) places.push_back(output.place);
  EXPECT_EQ(places,
            (std::vector{OutputPlace::kFile, OutputPlace::kNowhere, OutputPlace::kStandardOutput,
                         OutputPlace::kFolder, OutputPlace::kRunFile, OutputPlace::kRunFile}));
}

}  // namespace
}  // namespace gradcam
