#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "stages/capture/pictures/picture.h"
#include "stages/capture/pictures/rendering.h"
#include "stages/capture/source.h"

namespace gradcam {

/// A moving picture (animated WebP, PNG, JPEG XL) as a film: each frame once, with the time that
/// its file gives it, from options.start_s on and for options.duration_s.
class AnimationSource : public Source {
 public:
  /// Throws UserError(kSource) if there is no frame from the start on.
  AnimationSource(const std::filesystem::path& path, std::unique_ptr<Animation> animation,
                  Rendering rendering, const InputOptions& options);
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  /// No pixels at the end of the part that is wanted.
  Captured read_next();

  SourceInfo info_;
  std::unique_ptr<Animation> animation_;
  Rendering rendering_;
  std::chrono::nanoseconds start_{0};
  std::chrono::nanoseconds stop_{0};
  std::chrono::nanoseconds time_{0};  ///< of the next frame
  Captured ahead_;                    ///< read in advance by the constructor
};

}  // namespace gradcam
