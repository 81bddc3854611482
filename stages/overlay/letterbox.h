#pragma once

#include <opencv2/core.hpp>

#include "stages/picture/picture.h"

namespace gradcam {

/// Where a picture of one size lies in an area of another: as large as fits, aspect kept, centred.
cv::Rect letterbox_area(cv::Size picture, cv::Size area);

/// Fills `area` with the picture, scaled as letterbox_area() says, and black around it. Both BGR
/// u8; `area` may be a part of a larger picture.
void draw_letterboxed(const cv::Mat& picture, cv::Mat& area);
/// The same of a picture in any format, of which only the pixels of `area` are converted.
void draw_letterboxed(const Picture& picture, cv::Mat& area);

}  // namespace gradcam
