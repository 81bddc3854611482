#pragma once

#include <string>

#include "stages/capture/source.h"

namespace gradcam {

/// What the source `test` gives: `test`, `test:1280x720`, `test:@60`, `test:320x240@15`.
struct PatternFormat {
  int width = 640;
  int height = 480;
  int frames_per_second = 30;
};

/// Throws UserError(kSource) for anything else, and for sizes beyond 16..7680 or rates beyond
/// 1..1000.
PatternFormat parse_pattern(const std::string& text);

/// The source `test`: colour bars that move to the left, a ball that moves to the right and the
/// frame's number, without end. The same number always gives the same pixels.
class PatternSource : public Source {
 public:
  explicit PatternSource(const PatternFormat& format = {}, const std::string& name = "test");
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  SourceInfo info_;
  cv::Mat bars_;  ///< twice as wide as the picture
  std::int64_t seq_ = 0;
};

}  // namespace gradcam
