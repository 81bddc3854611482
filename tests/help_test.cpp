#include <gtest/gtest.h>

#include <sstream>

#include "tests/options_fixture.h"

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

TEST(Help, NeedsNoValidConfiguration) {
  EXPECT_EQ(printed({"--help", "--opacity", "7"}, {{"GRADCAM_NONSENSE", "1"}}), help_text());
  EXPECT_EQ(printed({"--version"}), "gradcam-live " GRADCAM_VERSION "\n");
}

}  // namespace
}  // namespace gradcam
