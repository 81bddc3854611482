#pragma once

#include <map>
#include <opencv2/core.hpp>
#include <optional>
#include <string>

#include "stages/output/screen.h"

namespace gradcam {

/// The size of the window in which a picture first appears: that of the picture, or the largest of
/// its shape within 1280x960.
cv::Size first_window_size(cv::Size picture);

/// OpenCV's highgui. Debian's is built on Qt, which aborts the process where there is no display:
/// ask display_problem() first. The picture fills the window as far as its shape allows, on black.
class HighguiScreen : public Screen {
 public:
  HighguiScreen() = default;
  ~HighguiScreen() override;
  HighguiScreen(const HighguiScreen&) = delete;
  HighguiScreen& operator=(const HighguiScreen&) = delete;

  void show(const std::string& title, const Picture& picture) override;
  void set_full_screen(bool on) override;
  std::optional<int> take_key() override;
  bool closed() const override;
  void close() override;

 private:
  struct Window {
    Picture picture;
    cv::Size shown_size;  ///< of what is in the window; empty = nothing yet
  };
  static void fill(const std::string& title, Window& window, cv::Size size);

  std::map<std::string, Window> windows_;
};

}  // namespace gradcam
