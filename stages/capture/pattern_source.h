#pragma once

#include "stages/capture/source.h"

namespace gradcam {

/// The source `test`: colour bars that move to the left, a ball that moves to the right and the
/// frame's number, 640x480 at 25 frames per second of stream time, without end. The same number
/// always gives the same pixels.
class PatternSource : public Source {
 public:
  PatternSource();
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  SourceInfo info_;
  cv::Mat bars_;  ///< twice as wide as the picture
  std::int64_t seq_ = 0;
};

}  // namespace gradcam
