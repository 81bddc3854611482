#pragma once

#include <opencv2/core.hpp>

#include "stages/frame/frame.h"

namespace gradcam {

/// The size of a film whose first picture has this size: even, as 4:2:0 colour needs it.
cv::Size film_size(cv::Size picture);

/// The picture as it goes into a film of that size. Equal: as it is. One pixel short of it (an odd
/// size): the last row or column twice, so that nothing is cut off. Any other size (a change in
/// mid-stream): letterboxed in black.
Image fit_film(const Image& picture, cv::Size film);

}  // namespace gradcam
