#include "stages/capture/cameras.h"

#include <gtest/gtest.h>

#include "config/user_error.h"

namespace gradcam {
namespace {

std::string chosen(const std::vector<CameraMode>& modes) {
  const auto mode = choose_mode(modes);
  if (!mode) return "none";
  return mode->format + " " + std::to_string(mode->width) + "x" + std::to_string(mode->height) +
         "@" + std::to_string(static_cast<int>(mode->frames_per_second));
}

TEST(ChooseMode, AboveVgaOnlyMjpgUpTo720p) {
  EXPECT_EQ(chosen({{"YUYV", 1280, 720, 10},
                    {"MJPG", 1920, 1080, 30},
                    {"MJPG", 1280, 720, 30},
                    {"YUYV", 640, 480, 30}}),
            "MJPG 1280x720@30");
}

TEST(ChooseMode, RawIsPreferredUpToVga) {
  EXPECT_EQ(chosen({{"MJPG", 640, 480, 30}, {"YUYV", 640, 480, 30}, {"YUYV", 320, 240, 30}}),
            "YUYV 640x480@30");
  EXPECT_EQ(chosen({{"MJPG", 640, 480, 30}, {"YUYV", 640, 480, 15}}), "MJPG 640x480@30");
}

TEST(ChooseMode, NothingThatFitsIsLeftToTheCamera) {
  EXPECT_EQ(chosen({}), "none");
  EXPECT_EQ(chosen({{"YUYV", 1920, 1080, 5}}), "none");
}

TEST(CameraDevice, NumbersAreVideoDevices) {
  EXPECT_EQ(camera_device("2"), "/dev/video2");
  EXPECT_EQ(camera_device("/dev/video7"), "/dev/video7");
}

TEST(FindCamera, RefusalListsWhatIsThere) {
  const std::vector<Camera> cameras = {{"/dev/video0", "Front", {}}, {"/dev/video2", "Back", {}}};
  EXPECT_EQ(find_camera("/dev/video2", cameras).name, "Back");
  try {
    find_camera("/dev/video1", cameras);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kSource);
    EXPECT_STREQ(error.what(),
                 "source '/dev/video1': no such camera; there are /dev/video0 (Front), "
                 "/dev/video2 (Back)");
  }
  EXPECT_THROW(find_camera("/dev/video0", {}), UserError);
}

}  // namespace
}  // namespace gradcam
