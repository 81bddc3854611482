#include "stages/overlay/notice.h"

#include "stages/overlay/text.h"

namespace gradcam {

void draw_notice(cv::Mat& picture, const std::string& text) {
  const int line = line_height_for(picture.size()) * 5 / 4;
  const int pad = line / 2;
  const std::string shown = fitted(to_ascii(text), line, picture.cols - 4 * pad);
  if (shown.empty()) return;
  const cv::Size plate(text_width(shown, line) + 2 * pad, line + pad);
  // Above the line along the bottom that tells of a failed frame.
  const cv::Point at((picture.cols - plate.width) / 2, picture.rows - plate.height - 2 * line);
  draw_plate(picture, {at, plate}, cv::Scalar(16, 12, 10), 0.8, pad);
  draw_text(picture, shown, at + cv::Point(pad, pad / 2), line, cv::Scalar::all(255));
}

}  // namespace gradcam
