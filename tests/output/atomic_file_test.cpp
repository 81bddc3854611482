#include "stages/output/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "stages/output/output_path.h"
#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::write_text;

TEST(WriteFile, ReplacesAFileAndLeavesNothingBeside) {
  const TempFolder folder;
  write_text(folder / "a", "old and longer");
  write_file(folder / "a", std::string_view("new"));
  EXPECT_EQ(read_text(folder / "a"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(WriteFile, ALinkStaysOne) {
  const TempFolder folder;
  write_text(folder / "target", "old");
  fs::create_symlink(folder / "target", folder / "link");
  write_file(folder / "link", std::string_view("new"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "target"), "new");
}

TEST(WriteFile, ADeviceIsWrittenToAndStaysOne) {
  const TempFolder folder;
  fs::create_symlink("/dev/null", folder / "null");
  write_file(folder / "null", std::string_view("gone"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_symlink(folder / "null"));
  EXPECT_USER_ERROR(write_file("/dev/full", std::string_view("no room")), ExitCode::kOutput,
                    "/dev/full");
}

TEST(RequireNewFile, RefusesAPipeThatNobodyMayRead) {
  const TempFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_USER_ERROR(require_new_file(folder / "pipe", true), ExitCode::kOutput, "no regular file");
}

}  // namespace
}  // namespace gradcam
