// What window_test.py drives: the viewer in real windows, with drawn-up views instead of a network.
//
//   window_driver --display         says whether there is a display
//   window_driver one|two|mosaic    shows two streams (one: only the first) until the user quits;
//                                   each change of the settings is a line on stdout
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "pipeline/viewer.h"
#include "stages/output/display_probe.h"
#include "stages/output/window.h"
#include "stages/overlay/overlay.h"

namespace gradcam {
namespace {

const cv::Size kSize(640, 360);
const std::vector<std::string> kLayers = {"layer2", "layer3", "layer4"};

/// Moving stripes with a white ring, by which a wrong shape shows.
Picture picture(std::int64_t number) {
  cv::Mat picture(kSize, CV_8UC3);
  for (int x = 0; x < picture.cols; ++x) {
    picture.col(x) = cv::Scalar(90 + static_cast<int>((x + number) % 64), 110, 60 + x / 5 % 80);
  }
  cv::circle(picture, {460, 180}, 120, cv::Scalar::all(255), 6, cv::LINE_AA);
  return Picture(picture);
}

cv::Mat heat() {
  cv::Mat map(kSize, CV_32F);
  for (int y = 0; y < map.rows; ++y) {
    for (int x = 0; x < map.cols; ++x) {
      map.at<float>(y, x) = std::exp(-static_cast<float>(std::hypot(x - 460, y - 180)) / 90.0f);
    }
  }
  return map;
}

Explanation explanation(const ViewSettings& settings) {
  Explanation made;
  made.top = {{281, "tabby", 0.62f},
              {282, "tiger cat", 0.21f},
              {285, "Egyptian cat", 0.11f},
              {287, "lynx", 0.03f},
              {478, "carton", 0.01f}};
  const int rank = std::max(1, settings.target.rank);
  made.targets = {made.top[static_cast<std::size_t>(rank) - 1]};
  made.method = "gradcam";
  made.layers = {settings.layer.empty() ? "layer3" : settings.layer};
  return made;
}

Picture draw(const Rendered& view, const ViewSettings& settings) {
  static const cv::Mat kHeat = heat();
  const HudText hud{"resnet50", "cam1", 29.9, 38.2, 51.0, 3};
  return Picture(
      draw_view(view.frame().image.bgr(), kHeat, {}, view.explained, hud, settings.overlay));
}

std::string text_of(const ViewSettings& settings) {
  char text[200];
  std::snprintf(text, sizeof text,
                "view=%d opacity=%.2f colormap=%d hud=%d rank=%d index=%d layer=%s paused=%d",
                static_cast<int>(settings.overlay.view), settings.overlay.opacity,
                static_cast<int>(settings.overlay.colormap), static_cast<int>(settings.overlay.hud),
                settings.target.rank, settings.target.index, settings.layer.c_str(),
                static_cast<int>(settings.paused));
  return text;
}

void wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

/// 25 views of each stream per second, until stopped.
bool show_views(Viewer& viewer, const LiveSettings& live, int streams,
                const std::stop_token& stop) {
  std::string said;
  for (std::uint64_t ticket = 0; !stop.stop_requested(); ++ticket) {
    const ViewSettings settings = live.get();
    for (int i = 0; i < streams; ++i) {
      Rendered view;
      Frame& frame = view.explained.prepared.frame;
      frame.stream = i;
      frame.ticket = ticket;
      frame.seq = static_cast<std::int64_t>(ticket);
      frame.captured_at = Clock::now();
      frame.image = picture(frame.seq * (i + 1));
      view.explained.explanation = std::make_shared<const Explanation>(explanation(settings));
      view.picture = draw(view, settings);
      viewer.post(view);
    }
    if (text_of(settings) != said) std::cout << (said = text_of(settings)) << std::endl;
    wait(std::chrono::milliseconds(40), stop);
  }
  return true;
}

int run(const std::string& what) {
  if (const auto problem = display_problem()) {
    std::cout << *problem << std::endl;
    return 5;
  }
  if (what == "--display") {
    std::cout << "there is a display" << std::endl;
    return 0;
  }
  std::vector<std::string> names = {"cam1"};
  if (what != "one") names.emplace_back("cam2");
  LiveSettings live{ViewSettings{}};
  HighguiScreen screen;
  ViewerHooks hooks;
  hooks.redraw = [&](const Rendered& view) { return draw(view, live.get()); };
  hooks.layers = [] { return kLayers; };
  ViewerOptions options;
  options.mosaic = what == "mosaic";
  Viewer viewer(names, live, screen, hooks, options);
  const auto work = [&](const std::stop_token& stop) {
    return show_views(viewer, live, static_cast<int>(names.size()), stop);
  };
  viewer.run(work, {});
  std::cout << "end" << std::endl;
  return 0;
}

}  // namespace
}  // namespace gradcam

int main(int argc, char** argv) {
  gradcam::answer_display_probe(argc, argv);
  return argc == 2 ? gradcam::run(argv[1]) : 2;
}
