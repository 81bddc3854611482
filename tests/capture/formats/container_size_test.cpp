#include "stages/capture/formats/container_size.h"

#include <gtest/gtest.h>

#include "tests/support/media_files.h"

namespace gradcam {
namespace {

using testing::write_text;

std::string text_of(const char* bytes, std::size_t count) { return std::string(bytes, count); }

struct File {
  const char* name;
  std::string whole;
};

std::ostream& operator<<(std::ostream& out, const File& file) { return out << file.name; }

class Container : public ::testing::TestWithParam<File> {};

TEST_P(Container, IsTruncatedWhenABoxReachesBeyondItsEnd) {
  const TempFolder folder;
  const auto path = folder / "film";
  write_text(path, GetParam().whole);
  EXPECT_FALSE(is_truncated(path));
  write_text(path, GetParam().whole.substr(0, GetParam().whole.size() - 1));
  EXPECT_TRUE(is_truncated(path));
}

const std::string kFtyp = text_of(
    "\0\0\0\x0C"
    "ftypisom",
    12);

INSTANTIATE_TEST_SUITE_P(
    Files, Container,
    ::testing::Values(File{"mp4", kFtyp + text_of("\0\0\0\x0A"
                                                  "mdatxx",
                                                  10)},
                      File{"mp4_64_bit", kFtyp + text_of("\0\0\0\1mdat\0\0\0\0\0\0\0\x12xx", 18)},
                      File{"mkv", text_of("\x1A\x45\xDF\xA3\x81x\x18\x53\x80\x67\x40\3abc", 15)},
                      File{"avi", text_of("RIFF\5\0\0\0AVI x", 13)}));

TEST(Container, WithoutASizeIsWhole) {
  const TempFolder folder;
  const auto path = folder / "film";
  for (const std::string& content :
       {kFtyp + text_of("\0\0\0\0mdatxx", 10),  // up to the end of the file
        text_of("\x1A\x45\xDF\xA3\x81x\x18\x53\x80\x67\xFF"
                "abc",
                14),  // written live
        std::string("some text, no film"), std::string("ab"), std::string()}) {
    write_text(path, content);
    EXPECT_FALSE(is_truncated(path));
  }
  EXPECT_FALSE(is_truncated(folder / "missing"));
}

}  // namespace
}  // namespace gradcam
