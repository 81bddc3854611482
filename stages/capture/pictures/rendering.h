#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/colour.h"
#include "stages/capture/pictures/picture.h"

namespace gradcam {

/// Makes frames (BGR u8 HxWx3) of the pictures of one source, all in the same way:
/// - 16 bits are taken for the smallest of 10, 12, 14 and 16 that holds the largest number so far;
/// - float numbers are from 0 to 1, or else from the least to the largest so far;
/// - alpha is dropped, as Pillow's convert("RGB") does it and so as networks are trained, or the
///   picture is laid on a background.
/// What a viewer would show otherwise is told once. One thread.
class Rendering {
 public:
  using Tell = std::function<void(const std::string&)>;

  /// `tell` may be empty.
  explicit Rendering(std::optional<Colour> background = {}, Tell tell = {});
  cv::Mat render(const StoredPicture& picture, const std::string& name);

 private:
  cv::Mat to_bytes(const cv::Mat& colours, const std::string& name);
  cv::Mat from_16_bits(const cv::Mat& colours, const std::string& name);
  cv::Mat from_float(const cv::Mat& colours, const std::string& name);
  void tell_hidden(const cv::Mat& alpha, const std::string& name);

  std::optional<Colour> background_;
  Tell tell_;
  int bits_ = 0;
  double least_ = 0;
  double largest_ = 1;
  bool own_range_ = false;
  bool told_hidden_ = false;
};

}  // namespace gradcam
