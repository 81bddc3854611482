#pragma once

#include <memory>
#include <opencv2/core.hpp>

namespace gradcam {

/// A picture, BGR u8 HxWx3. Whoever has one may keep it: nobody writes its pixels any more.
using Image = std::shared_ptr<const cv::Mat>;

}  // namespace gradcam
