#include "stages/picture/picture.h"

#include <utility>

#include "stages/picture/convert.h"
#include "stages/picture/picture_state.h"

namespace gradcam {

Picture::State::State(const PictureView& view, std::shared_ptr<const void> keeper, cv::Mat pixels)
    : planes(view), owner(std::move(keeper)), bgr(std::move(pixels)) {
  check_planes(planes);
}

Picture::Picture(const PictureView& planes, std::shared_ptr<const void> owner)
    : state_(std::make_shared<const State>(planes, std::move(owner))) {}

Picture::Picture(const cv::Mat& bgr, const ColorDescription& color) {
  PictureView view = view_of(bgr);
  view.color = color;
  state_ = std::make_shared<const State>(view, nullptr, bgr);
}

Picture::Picture(std::shared_ptr<const State> state) : state_(std::move(state)) {}

const PictureView& Picture::planes() const {
  CV_Assert(!empty());
  return state_->planes;
}

const cv::Mat& Picture::bgr() const {
  CV_Assert(!empty());
  const std::lock_guard lock(state_->mutex);
  if (!state_->bgr.empty()) return state_->bgr;
  if (format() == PixelFormat::kBgr) {
    const Plane& plane = state_->planes.planes[0];
    state_->bgr = cv::Mat(plane.height, plane.width, CV_8UC3, const_cast<std::uint8_t*>(plane.data),
                          static_cast<std::size_t>(plane.stride));
  } else {
    state_->bgr = to_bgr(state_->planes);
  }
  return state_->bgr;
}

Picture Picture::part(cv::Rect area) const { return {part_of(planes(), area), state_}; }

}  // namespace gradcam
