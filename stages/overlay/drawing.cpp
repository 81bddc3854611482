#include "stages/overlay/drawing.h"

#include <algorithm>

#include "stages/overlay/text.h"

namespace gradcam {

void Drawing::plate(cv::Rect area, const cv::Scalar& color, double opacity, int radius) {
  if (!area.empty()) marks_.push_back({area, color, opacity, radius, ""});
}

void Drawing::text(const std::string& text, cv::Point at, int line_height,
                   const cv::Scalar& color) {
  if (text.empty()) return;
  marks_.push_back({{at, cv::Size(text_width(text, line_height), line_height)}, color, 1, 0, text});
}

cv::Rect Drawing::bounds() const {
  cv::Rect around;
  for (const Mark& mark : marks_) around |= mark.area;
  return around;
}

std::vector<cv::Rect> Drawing::areas() const {
  constexpr double kMostOfBoth = 1.5;  // of the areas that are joined
  std::vector<cv::Rect> areas;
  for (const Mark& mark : marks_) {
    const auto fits = [&](const cv::Rect& area) {
      return (area | mark.area).area() <= kMostOfBoth * (area.area() + mark.area.area());
    };
    const auto area = std::find_if(areas.rbegin(), areas.rend(), fits);
    if (area == areas.rend()) {
      areas.push_back(mark.area);
    } else {
      *area |= mark.area;
    }
  }
  return areas;
}

void Drawing::paint(cv::Mat& picture, cv::Point corner) const {
  const cv::Rect shown(corner, picture.size());
  for (const Mark& mark : marks_) {
    if ((mark.area & shown).empty()) continue;
    const cv::Rect area = mark.area - corner;
    if (mark.text.empty()) {
      draw_plate(picture, area, mark.color, mark.opacity, mark.radius);
    } else {
      draw_text(picture, mark.text, area.tl(), area.height, mark.color);
    }
  }
}

}  // namespace gradcam
