#include "stages/explain/model/labels.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

class Labels : public testing::Test {
 protected:
  TempFolder folder_;
};

TEST_F(Labels, ComeAsLinesListOrClassIndex) {
  const std::vector<std::string> expected = {"tench", "cock"};
  EXPECT_EQ(read_labels(folder_.file("a.txt", "tench\r\ncock\n\n")), expected);
  EXPECT_EQ(read_labels(folder_.file("b.json", R"(["tench","cock"])")), expected);
  EXPECT_EQ(read_labels(folder_.file("c.json", R"({"1":["n2","cock"],"0":["n1","tench"]})")),
            expected);
}

TEST_F(Labels, MayBeginWithAMarkOrABracket) {
  EXPECT_EQ(read_labels(folder_.file("a.txt", "\xEF\xBB\xBFtench\ncock\n"))[0], "tench");
  EXPECT_EQ(read_labels(folder_.file("b.json", "\xEF\xBB\xBF[\"tench\"]"))[0], "tench");
  EXPECT_EQ(read_labels(folder_.file("c.txt", "[0] tench\n[1] cock\n"))[1], "[1] cock");
}

TEST_F(Labels, UnreadableOnesAreRefused) {
  EXPECT_USER_ERROR(read_labels((folder_ / "none.txt").string()), ExitCode::kUsage,
                    "does not exist");
  EXPECT_USER_ERROR(read_labels(folder_.path().string()), ExitCode::kUsage, "is a folder");
  EXPECT_USER_ERROR(read_labels(folder_.file("binary", std::string("PK\3\4\0\1", 6))),
                    ExitCode::kUsage, "one label per line");
  EXPECT_THROW(read_labels(folder_.file("empty.txt", "\n\n")), UserError);
  EXPECT_USER_ERROR(read_labels(folder_.file("empty.json", "[]")), ExitCode::kUsage,
                    "holds no label");
  EXPECT_THROW(read_labels(folder_.file("gap.json", R"({"0":"a","2":"b"})")), UserError);
  EXPECT_USER_ERROR(read_labels((folder_ / "none.txt").string(), ExitCode::kModel),
                    ExitCode::kModel, "does not exist");
}

}  // namespace
}  // namespace gradcam
