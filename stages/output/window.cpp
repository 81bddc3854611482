#include "stages/output/window.h"

#include <algorithm>
#include <opencv2/highgui.hpp>

#include "stages/overlay/letterbox.h"

namespace gradcam {
namespace {

const cv::Size kRoomOnScreen(1280, 960);

/// Of the area inside the window's frame; empty while it is minimised.
cv::Size size_of(const std::string& title) { return cv::getWindowImageRect(title).size(); }

bool is_open(const std::string& title) {
  return cv::getWindowProperty(title, cv::WND_PROP_VISIBLE) > 0;
}

void open(const std::string& title, cv::Size size) {
  // GUI_NORMAL: no tool bar. FREERATIO, and the picture letterboxed by ourselves: with KEEPRATIO Qt
  // leaves light grey bars, and it scales by leaving out rows, which makes text unreadable.
  cv::namedWindow(title, cv::WINDOW_NORMAL | cv::WINDOW_FREERATIO | cv::WINDOW_GUI_NORMAL);
  cv::resizeWindow(title, size.width, size.height);
}

}  // namespace

cv::Size first_window_size(cv::Size picture) {
  return letterbox_area(picture, {std::min(picture.width, kRoomOnScreen.width),
                                  std::min(picture.height, kRoomOnScreen.height)})
      .size();
}

HighguiScreen::~HighguiScreen() { close(); }

void HighguiScreen::show(const std::string& title, const Picture& picture) {
  const auto [found, is_new] = windows_.try_emplace(title);
  Window& window = found->second;
  window.picture = picture;
  if (is_new) {
    const cv::Size size = first_window_size(picture.size());
    open(title, size);
    fill(title, window, size);
  } else if (is_open(title)) {  // imshow would open it again
    fill(title, window, size_of(title));
  }
}

void HighguiScreen::fill(const std::string& title, Window& window, cv::Size size) {
  window.shown_size = size;
  if (size.empty() || size == window.picture.size()) {
    cv::imshow(title, window.picture.bgr());
    return;
  }
  cv::Mat fitted(size, CV_8UC3);
  draw_letterboxed(window.picture, fitted);
  cv::imshow(title, fitted);
}

void HighguiScreen::set_full_screen(bool on) {
  for (const auto& [title, window] : windows_) {
    cv::setWindowProperty(title, cv::WND_PROP_FULLSCREEN,
                          on ? cv::WINDOW_FULLSCREEN : cv::WINDOW_NORMAL);
  }
}

std::optional<int> HighguiScreen::take_key() {
  if (windows_.empty()) return std::nullopt;
  const int code = cv::waitKeyEx(1);
  for (auto& [title, window] : windows_) {
    if (!is_open(title)) continue;
    const cv::Size size = size_of(title);
    if (size != window.shown_size) fill(title, window, size);
  }
  return code < 0 ? std::nullopt : std::optional(code);
}

bool HighguiScreen::closed() const {
  return std::any_of(windows_.begin(), windows_.end(),
                     [](const auto& window) { return !is_open(window.first); });
}

void HighguiScreen::close() {
  if (windows_.empty()) return;
  windows_.clear();
  cv::destroyAllWindows();
}

}  // namespace gradcam
