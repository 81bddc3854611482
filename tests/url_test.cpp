#include "stages/capture/url.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

struct Case {
  const char* text;
  const char* shown;
};

class WithoutPassword : public ::testing::TestWithParam<Case> {};

TEST_P(WithoutPassword, HidesPasswordsOnly) {
  EXPECT_EQ(without_password(GetParam().text), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Url, WithoutPassword,
    ::testing::Values(Case{"film.mp4", "film.mp4"}, Case{"a:b@c.mp4", "a:b@c.mp4"},
                      Case{"rtsp://cam1/stream", "rtsp://cam1/stream"},
                      Case{"rtsp://cam1:554/a@b", "rtsp://cam1:554/a@b"},
                      Case{"rtsp://[::1]:554/a@b", "rtsp://[::1]:554/a@b"},
                      Case{"rtsp://user@cam1/s", "rtsp://user@cam1/s"},
                      Case{"rtsp://user:secret@cam1:554/s", "rtsp://user:***@cam1:554/s"},
                      Case{"rtsp://user:@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:se@cret@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"rtsp://user:se/cret@cam1/s", "rtsp://user:***@cam1/s"},
                      Case{"http://cam/v?user=a&password=b&x=1",
                           "http://cam/v?user=a&password=***&x=1"},
                      Case{"http://cam/v?TOKEN=abc#t", "http://cam/v?TOKEN=***#t"},
                      Case{"rtspsrc location=rtsp://u:p@a/s ! x rtsp://u:q@b/s",
                           "rtspsrc location=rtsp://u:***@a/s ! x rtsp://u:***@b/s"}));

}  // namespace
}  // namespace gradcam
