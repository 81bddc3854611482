#pragma once

#include <opencv2/core.hpp>
#include <string_view>

namespace gradcam {

/// How a picture lies in its file, as TIFF's and Exif's tag 274 counts: 1 = upright … 8. Of an Exif
/// block (which begins as a TIFF file does, or with "Exif"); 1 where it does not say.
int exif_orientation(std::string_view exif);

/// How a stored picture is turned before it is shown: transposed first, then flipped.
struct Turn {
  bool transposed = false;
  bool flipped_x = false;  ///< left and right change places
  bool flipped_y = false;
};
cv::Mat turned(const cv::Mat& picture, const Turn& turn);

/// The picture as it is to be looked at.
cv::Mat upright(const cv::Mat& picture, int orientation);

}  // namespace gradcam
