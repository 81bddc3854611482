#pragma once

#include <memory>
#include <opencv2/core.hpp>

#include "stages/picture/planes.h"

namespace gradcam {

/// A picture as it was decoded: its planes, how they code colours, and who keeps their memory. A
/// handle that is cheap to copy; whoever has one may keep it, and nobody writes its pixels any
/// more. All functions: any thread, also several at once.
class Picture {
 public:
  /// Empty: no planes, size 0.
  Picture() = default;
  /// `owner` keeps the memory of the planes (a decoder's buffer, say) as long as there are pictures
  /// of it. Throws std::invalid_argument as check_planes() does.
  Picture(const PictureView& planes, std::shared_ptr<const void> owner);
  /// BGR u8 HxWx3, whose pixels nobody may write any more. `color`: how it is to be coded where it
  /// becomes a film; nothing said: as GStreamer chooses by its size.
  explicit Picture(const cv::Mat& bgr, const ColorDescription& color = {});

  bool empty() const { return state_ == nullptr; }
  /// What follows is of pictures that are not empty.
  const PictureView& planes() const;
  PixelFormat format() const { return planes().format; }
  int width() const { return planes().width; }
  int height() const { return planes().height; }
  cv::Size size() const { return planes().size(); }
  const ColorDescription& color() const { return planes().color; }

  /// BGR u8 HxWx3 by to_bgr(), for whoever works with OpenCV. Converted when somebody asks first,
  /// then kept as long as the picture; of a picture in BGR its own pixels. Not to be written to.
  const cv::Mat& bgr() const;

  /// A part of the picture in the same memory; part_of() says where it may begin.
  Picture part(cv::Rect area) const;

 private:
  struct State;
  friend class PictureBuffer;
  explicit Picture(std::shared_ptr<const State> state);

  std::shared_ptr<const State> state_;
};

}  // namespace gradcam
