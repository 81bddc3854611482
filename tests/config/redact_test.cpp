#include "config/redact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string>

namespace gradcam {
namespace {

struct Case {
  const char* text;
  const char* shown;
};

/// Parameters show in the names of ctest, which bears only plain letters.
std::ostream& operator<<(std::ostream& out, const Case& one) {
  std::string name = one.text;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return out << name;
}

class WithoutPassword : public ::testing::TestWithParam<Case> {};

TEST_P(WithoutPassword, HidesPasswordsOnly) {
  EXPECT_EQ(without_password(GetParam().text), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Redact, WithoutPassword,
    ::testing::Values(Case{"", ""}, Case{"film.mp4", "film.mp4"}, Case{"a:b@c.mp4", "a:b@c.mp4"},
                      Case{"rtsp://", "rtsp://"}, Case{"rtsp://@", "rtsp://@"},
                      Case{"rtsp://cam1/stream", "rtsp://cam1/stream"},
                      Case{"rtsp://cam1:554/a@b", "rtsp://cam1:554/a@b"},
                      Case{"rtsp://[::1]:554/a@b", "rtsp://[::1]:554/a@b"},
                      Case{"rtsp://user@cam1/s", "rtsp://user@cam1/s"},
                      Case{"rtsp://user:secret@cam1:554/s", "rtsp://user:***@cam1:554/s"},
                      Case{"rtsp://user:@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:se@cret@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:se/cret@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:se?cr#et@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:s:e@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://ada:pa'ss@cam/a", "rtsp://ada:***@cam/a"},
                      Case{"rtsp://ada:pa ss\"@cam/a", "rtsp://ada:***@cam/a"},
                      Case{"gst:rtspsrc location=rtsp://cam user-id=u user-pw=p@x",
                           "gst:rtspsrc location=rtsp://cam user-id=u user-pw=***"},
                      Case{"gst:x user-pw=\"a b\" ! y", "gst:x user-pw=\"***\" ! y"},
                      Case{"http://cam/v?user=a&password=b&x=1",
                           "http://cam/v?user=a&password=***&x=1"},
                      Case{"http://cam/v?TOKEN=abc#t", "http://cam/v?TOKEN=***#t"},
                      Case{"http://h/v?X-Amz-Signature=a&apiKey=b&page=2",
                           "http://h/v?X-Amz-Signature=***&apiKey=***&page=2"},
                      Case{"rtsp://user:12/34secret@host/s", "rtsp://user:***@host/s"},
                      Case{"rtsp://user:1234/x@10.0.0.5:554/s", "rtsp://user:***@10.0.0.5:554/s"},
                      Case{"http://cam1:8080/a@2x.png", "http://cam1:8080/a@2x.png"},
                      Case{"rtsp:/user:secret@cam1/s", "rtsp:/user:***@cam1/s"},
                      Case{"C:/films/a:b@c.mp4", "C:/films/a:b@c.mp4"},
                      Case{"gst:x\tuser-pw=a\tb=c", "gst:x\tuser-pw=***\tb=c"},
                      Case{"gst:x cookies=a=b ! y", "gst:x cookies=*** ! y"},
                      Case{"gst:x extra-headers=(structure)\"h, A=(string)\\\"b c\\\"\" ! y",
                           "gst:x extra-headers=(structure)\"***\" ! y"},
                      Case{"rtspsrc location=rtsp://u:p@a/s ! x rtsp://u:q@b/s",
                           "rtspsrc location=rtsp://u:***@a/s ! x rtsp://u:***@b/s"}));

TEST(Quoted, IsOneLineWithoutPasswords) {
  EXPECT_EQ(quoted("film.mp4"), "'film.mp4'");
  EXPECT_EQ(quoted("a\nb\tc"), "'a?b?c'");
  EXPECT_EQ(quoted("rtsp://u:p@h/s"), "'rtsp://u:***@h/s'");
}

}  // namespace
}  // namespace gradcam
