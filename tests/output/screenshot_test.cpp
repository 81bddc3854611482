#include "stages/output/screenshot.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

const cv::Mat kPicture(4, 6, CV_8UC3, cv::Scalar(10, 20, 30));

TEST(Screenshot, IsThePicturePixelByPixel) {
  const TempFolder folder;
  const auto path = save_screenshot(folder.path(), "drive.mp4", 12, kPicture);
  EXPECT_EQ(path.filename(), "gradcam_drive.mp4_12.png");
  const cv::Mat back = cv::imread(path.string());
  ASSERT_EQ(back.size(), kPicture.size());
  EXPECT_EQ(back.at<cv::Vec3b>(3, 5), cv::Vec3b(10, 20, 30));
}

TEST(Screenshot, NeverOverwrites) {
  const TempFolder folder;
  for (const char* name : {"gradcam_a_0.png", "gradcam_a_0-2.png", "gradcam_a_0-3.png"}) {
    EXPECT_EQ(save_screenshot(folder.path(), "a", 0, kPicture).filename(), name);
  }
}

TEST(Screenshot, NamesAreSafe) {
  const TempFolder folder;
  EXPECT_EQ(save_screenshot(folder.path(), "rtsp://cam1:554/a b?c=../d", 3, kPicture).filename(),
            "gradcam_rtsp___cam1_554_a_b_c_.._d_3.png");
  EXPECT_EQ(save_screenshot(folder.path(), "\xC3\xBC", 3, kPicture).filename(), "gradcam____3.png");
  EXPECT_EQ(save_screenshot(folder.path(), std::string(300, 'x'), 3, kPicture).filename(),
            "gradcam_" + std::string(80, 'x') + "_3.png");
}

TEST(Screenshot, AFolderThatIsGoneIsTold) {
  const TempFolder folder;
  EXPECT_USER_ERROR(save_screenshot(folder / "gone", "a", 0, kPicture), ExitCode::kOutput,
                    "gradcam_a_0.png");
}

}  // namespace
}  // namespace gradcam
