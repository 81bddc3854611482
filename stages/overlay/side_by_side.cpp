#include "stages/overlay/side_by_side.h"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>

#include "stages/overlay/colormap.h"
#include "stages/overlay/text.h"

namespace gradcam {
namespace {

const cv::Scalar kBackground(26, 24, 23);
const cv::Scalar kTitle(255, 255, 255);
const cv::Scalar kCaption(185, 178, 172);

/// Where everything goes. `line` is the height of small text.
struct Layout {
  cv::Size size;
  int line;
  int title_line;
  cv::Rect original;
  cv::Rect result;
  cv::Rect bar;
};

int even(int length) { return length + length % 2; }

Layout layout_for(cv::Size picture) {
  Layout layout;
  layout.line = line_height_for(picture);
  layout.title_line = layout.line * 4 / 3;
  const int gap = std::max(2, layout.line / 3);
  // Both pictures begin on even pixels, where samples of chroma do.
  const int top = even(layout.title_line * 5 / 3);
  layout.original = {{0, top}, picture};
  layout.result = {{even(picture.width + gap), top}, picture};
  const int inset = std::min(layout.line * 2 / 3, picture.height / 4);
  layout.bar = {layout.result.br().x + layout.line * 2 / 3, top + inset, layout.line,
                std::max(1, picture.height - 2 * inset)};
  layout.size = {even(layout.bar.br().x + layout.line * 11 / 4), even(top + picture.height)};
  return layout;
}

Drawing color_bar(const Layout& layout, Colormap colormap) {
  Drawing drawing;
  const ColorTable& table = color_table(colormap);
  const cv::Rect bar = layout.bar;
  const auto step_of = [&](int y) {
    return bar.height == 1 ? 255 : 255 - 255 * y / (bar.height - 1);
  };
  for (int y = 0, end = 0; y < bar.height; y = end) {
    while (end < bar.height && step_of(end) == step_of(y)) ++end;
    const cv::Vec3b color = table[static_cast<std::size_t>(step_of(y))];
    drawing.plate({bar.x, bar.y + y, bar.width, end - y}, cv::Scalar(color), 1, 0);
  }
  struct Tick {
    const char* text;
    int y;
  };
  const std::array<Tick, 3> ticks = {
      {{"1.0", bar.y}, {"0.5", bar.y + bar.height / 2}, {"0.0", bar.br().y - 1}}};
  for (const Tick& tick : ticks) {
    drawing.text(tick.text, {bar.br().x + layout.line / 3, tick.y - layout.line / 2}, layout.line,
                 kCaption);
  }
  return drawing;
}

}  // namespace

SideBySide side_by_side(cv::Size picture, const std::string& title, Colormap colormap) {
  const Layout layout = layout_for(picture);
  const int inset = layout.line / 2;
  const int title_y = (layout.original.y - layout.title_line) / 2;
  SideBySide result{layout.size, layout.original, layout.result, kBackground, {}};
  result.around.resize(2);
  result.around[0].text("original", {layout.original.x + inset, title_y}, layout.title_line,
                        kCaption);
  result.around[1].text(title, {layout.result.x + inset, title_y}, layout.title_line, kTitle);
  result.around.push_back(color_bar(layout, colormap));
  return result;
}

cv::Size side_by_side_size(cv::Size picture) { return layout_for(picture).size; }

int title_width(cv::Size picture) { return picture.width - layout_for(picture).line; }

int title_line_height(cv::Size picture) { return layout_for(picture).title_line; }

cv::Mat side_by_side(const cv::Mat& original, const cv::Mat& result, const std::string& title,
                     Colormap colormap) {
  const SideBySide layout = side_by_side(original.size(), title, colormap);
  cv::Mat picture(layout.size, CV_8UC3, layout.background);
  original.copyTo(picture(layout.original));
  result.copyTo(picture(layout.result));
  for (const Drawing& drawing : layout.around) drawing.paint(picture);
  return picture;
}

}  // namespace gradcam
