#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/config/options_fixture.h"

namespace gradcam {
namespace {

TEST(Help, FitsInto100ColumnsAndHidesNothingButTheMarkdownSwitch) {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_EQ(help_text().find("markdown"), std::string::npos);
  EXPECT_EQ(printed({"--help"}), help_text());
  EXPECT_EQ(printed({"layers", "-h"}), help_text());
  EXPECT_EQ(printed({"--help-markdown"}), options_markdown());
}

TEST(Help, SaysWhatIsOnByDefault) {
  const std::string help = help_text();
  for (const char* line :
       {"best classes on the picture (on by\n                                  default)\n",
        "default: for cameras\n", "a camera (0, /dev/video0)"}) {
    EXPECT_NE(help.find(line), std::string::npos) << line;
  }
}

TEST(Help, NeedsNoValidConfiguration) {
  EXPECT_EQ(printed({"--help", "--opacity", "7"}, {{"GRADCAM_NONSENSE", "1"}}), help_text());
  EXPECT_EQ(printed({"--version"}), "gradcam-live " GRADCAM_VERSION "\n");
}

TEST(Readme, ShowsTheTableOfOptions) {
  std::ifstream readme(GRADCAM_README);
  std::string table;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    inside = line.rfind(inside ? "|" : "| Option |", 0) == 0;
    if (inside) table += line + "\n";
  }
  EXPECT_EQ(table, options_markdown())
      << "README.md's table of options is not that of the program. Replace it by what "
         "'gradcam-live --help-markdown' prints.";
}

}  // namespace
}  // namespace gradcam
