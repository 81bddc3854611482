#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace gradcam {

/// What is drawn on a picture besides heat: plates and lines of text on them, in their order. It is
/// a list and no pixels, so that it can be painted on pictures of any format, and compared: what
/// stays the same from frame to frame need not be drawn again.
class Drawing {
 public:
  /// As draw_plate() and draw_text() (text.h) take them.
  void plate(cv::Rect area, const cv::Scalar& color, double opacity, int radius);
  void text(const std::string& text, cv::Point at, int line_height, const cv::Scalar& color);

  bool empty() const { return marks_.empty(); }
  /// Around all of it; may lie outside of the picture in part.
  cv::Rect bounds() const;
  /// Areas that hold all of it, and little else: of a box its four sides, say, since what it frames
  /// is empty. They may overlap.
  std::vector<cv::Rect> areas() const;
  /// `picture`: BGR u8, or BGRA u8 premultiplied; its first pixel is `corner` of the drawing. What
  /// lies outside of it is left out.
  void paint(cv::Mat& picture, cv::Point corner = {}) const;

  bool operator==(const Drawing&) const = default;

 private:
  struct Mark {
    cv::Rect area;
    cv::Scalar color;
    double opacity = 1;
    int radius = 0;
    std::string text;  ///< empty: a plate
    bool operator==(const Mark&) const = default;
  };
  std::vector<Mark> marks_;
};

}  // namespace gradcam
