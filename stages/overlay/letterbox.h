#pragma once

#include <opencv2/core.hpp>

namespace gradcam {

/// Where a picture of one size lies in an area of another: as large as fits, aspect kept, centred.
cv::Rect letterbox_area(cv::Size picture, cv::Size area);

/// Fills `area` with the picture, scaled as letterbox_area() says, and black around it. Both BGR
/// u8; `area` may be a part of a larger picture.
void draw_letterboxed(const cv::Mat& picture, cv::Mat& area);

}  // namespace gradcam
