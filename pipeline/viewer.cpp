#include "pipeline/viewer.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <set>
#include <utility>

#include "pipeline/before_exit.h"
#include "stages/output/screenshot.h"
#include "stages/overlay/letterbox.h"
#include "stages/overlay/notice.h"

namespace gradcam {
namespace {

constexpr std::chrono::seconds kMostPatience(30);  ///< for outputs to be completed
constexpr std::chrono::milliseconds kPeriod(10);   ///< how long a key or a stop waits at most
constexpr std::chrono::milliseconds kNoticeTime(1500);
constexpr const char* kMosaicTitle = "gradcam-live";

bool is_done(const std::future<bool>& work) {
  return work.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

Viewer::Viewer(const std::vector<std::string>& streams, LiveSettings& settings, Screen& screen,
               ViewerHooks hooks, ViewerOptions options)
    : settings_(settings),
      screen_(screen),
      hooks_(std::move(hooks)),
      options_(std::move(options)),
      views_(streams.size()),
      again_(streams.size()) {
  std::set<std::string> titles;
  for (const std::string& name : streams) {
    Stream stream;
    stream.name = name;
    stream.title = "gradcam-live: " + name;
    for (int i = 2; !titles.insert(stream.title).second; ++i) {
      stream.title = "gradcam-live: " + name + " (" + std::to_string(i) + ")";
    }
    streams_.push_back(std::move(stream));
  }
}

void Viewer::post(const Rendered& view) {
  const Frame& frame = view.frame();
  views_.put(view, frame.ticket, static_cast<std::size_t>(frame.stream));
}

void Viewer::post_again(const Rendered& view) {
  again_.put(view, ++order_, static_cast<std::size_t>(view.frame().stream));
}

void Viewer::tell(std::string notice) { told_.put(std::move(notice), ++order_); }

void Viewer::run(const Work& work, const std::stop_token& stop) {
  std::stop_source end;
  const std::stop_callback forward(stop, [&end] { end.request_stop(); });
  std::future<bool> result = std::async(std::launch::async, work, end.get_token());
  // Before the future waits for the work, whatever is thrown here.
  struct StopWork {
    std::stop_source& end;
    ~StopWork() { end.request_stop(); }
  } const stop_work{end};

  // Qt's answer to a display that is gone is exit().
  const BeforeExit display_gone([&] {
    end.request_stop();
    const bool done = !ended_ && result.wait_for(kMostPatience) == std::future_status::ready;
    return hooks_.display_gone ? hooks_.display_gone(ended_ || done) : EXIT_FAILURE;
  });

  bool go_on = true;
  while (go_on && !stop.stop_requested()) {
    go_on = serve();
    if (!ended_ && is_done(result)) {
      ended_ = true;
      go_on = result.get() && go_on;
    }
  }
  screen_.close();
  end.request_stop();
  if (!ended_) result.get();
}

bool Viewer::serve() {
  auto patience = kPeriod;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    std::optional<Rendered> view = views_.take(patience);
    if (!view) break;
    receive(*std::move(view));
    patience = std::chrono::milliseconds(0);
  }
  while (std::optional<Rendered> view = again_.take(std::chrono::milliseconds(0))) {
    Stream& stream = streams_[static_cast<std::size_t>(view->frame().stream)];
    const bool still_shown = stream.shown && stream.shown->frame().ticket == view->frame().ticket;
    if (still_shown) show(stream, *std::move(view));
  }
  follow_pause();
  follow_notice();
  refresh();
  const std::optional<int> code = screen_.take_key();
  return !screen_.closed() && (!code || apply(*code));
}

void Viewer::receive(Rendered view) {
  Stream& stream = streams_[static_cast<std::size_t>(view.frame().stream)];
  // What was under way when pausing began is shown: a source that waits goes on behind it.
  if (!paused_ || stream.step || view.frame().captured_at < paused_at_) {
    stream.step = false;
    stream.held.reset();
    show(stream, std::move(view));
  } else {
    stream.held = std::move(view);
  }
}

void Viewer::show(Stream& stream, Rendered view) {
  stream.picture = view.window.empty() ? view.picture : view.window;
  stream.shown = std::move(view);
  stream.changed = true;
}

bool Viewer::apply(int code) {
  KeyContext context;
  context.shown = shown_explanation();
  context.methods = hooks_.methods;
  if (chooses_layer(code) && hooks_.layers) context.layers = hooks_.layers();
  KeyEffect effect;
  settings_.change([&](ViewSettings& settings) { effect = apply_key(code, context, settings); });
  if (!effect.notice.empty()) say(std::move(effect.notice));
  switch (effect.action) {
    case KeyAction::kQuit:
      return false;
    case KeyAction::kStep:
      follow_pause();
      step();
      break;
    case KeyAction::kScreenshot:
      save_screenshots();
      break;
    case KeyAction::kFullScreen:
      full_screen_ = !full_screen_;
      screen_.set_full_screen(full_screen_);
      break;
    case KeyAction::kRedraw:
      redraw();
      break;
    case KeyAction::kExplain:
      if (paused_ || ended_) explain_again();
      break;
    case KeyAction::kPause:  // the settings say so
    case KeyAction::kNothing:
      break;
  }
  return true;
}

/// Whoever changed the settings.
void Viewer::follow_pause() {
  const bool paused = settings_.get().paused;
  if (paused == paused_) return;
  paused_ = paused;
  paused_at_ = options_.now();
  if (hooks_.set_paused) hooks_.set_paused(paused);
  if (paused) return;
  for (Stream& stream : streams_) {
    stream.step = false;
    if (stream.held) show(stream, *std::exchange(stream.held, std::nullopt));
  }
}

void Viewer::step() {
  for (Stream& stream : streams_) {
    stream.step = !stream.held;
    if (stream.held) show(stream, *std::exchange(stream.held, std::nullopt));
  }
  if (hooks_.step) hooks_.step();
}

void Viewer::redraw() {
  if (!hooks_.redraw) return;
  for (Stream& stream : streams_) {
    if (!stream.shown) continue;
    stream.picture = hooks_.redraw(*stream.shown);
    stream.changed = true;
  }
}

void Viewer::explain_again() {
  if (!hooks_.explain_again) return;
  for (const Stream& stream : streams_) {
    if (stream.shown) hooks_.explain_again(*stream.shown);
  }
}

const Explanation* Viewer::shown_explanation() const {
  for (const Stream& stream : streams_) {
    if (stream.shown && stream.shown->explained.explanation) {
      return stream.shown->explained.explanation.get();
    }
  }
  return nullptr;
}

void Viewer::save_screenshots() {
  const auto save = [this](const std::string& name, const Stream& stream, const cv::Mat& picture) {
    return save_screenshot(options_.screenshots, name, stream.shown->frame().seq, picture)
        .filename()
        .string();
  };
  std::string saved;
  try {
    if (options_.mosaic) {
      const auto newest =
          std::max_element(streams_.begin(), streams_.end(), [](const auto& a, const auto& b) {
            return (a.shown ? a.shown->frame().seq : -1) < (b.shown ? b.shown->frame().seq : -1);
          });
      if (newest->shown) saved = save("mosaic", *newest, mosaic_);
    } else {
      for (const Stream& stream : streams_) {
        if (!stream.shown) continue;
        saved += (saved.empty() ? "" : ", ") + save(stream.name, stream, stream.picture.bgr());
      }
    }
  } catch (const std::exception& error) {
    return say(error.what());
  }
  if (!saved.empty()) say("saved " + saved);
}

void Viewer::say(std::string notice) {
  notice_ = std::move(notice);
  notice_end_ = options_.now() + kNoticeTime;
}

void Viewer::follow_notice() {
  if (auto told = told_.take(std::chrono::milliseconds(0))) say(*std::move(told));
  const bool over = notice_.empty() || options_.now() >= notice_end_;
  std::string wanted = !over ? notice_ : paused_ ? "paused" : "";
  if (wanted == notice_on_screen_) return;
  notice_on_screen_ = std::move(wanted);
  for (Stream& stream : streams_) stream.changed = stream.shown.has_value();
}

void Viewer::refresh() {
  if (options_.mosaic) return refresh_mosaic();
  for (Stream& stream : streams_) {
    if (std::exchange(stream.changed, false)) put_on_screen(stream.title, stream.picture);
  }
}

void Viewer::refresh_mosaic() {
  const auto changed = [](const Stream& stream) { return stream.changed; };
  if (std::none_of(streams_.begin(), streams_.end(), changed)) return;
  // The grid follows the largest picture, so that it changes with the view.
  cv::Size largest;
  for (const Stream& stream : streams_) {
    if (stream.picture.empty()) continue;
    largest.width = std::max(largest.width, stream.picture.width());
    largest.height = std::max(largest.height, stream.picture.height());
  }
  const MosaicLayout layout = mosaic_layout(static_cast<int>(streams_.size()), largest);
  const bool new_layout = layout.size != layout_.size;
  if (new_layout) {
    layout_ = layout;
    std::vector<std::string> names;
    for (const Stream& stream : streams_) names.push_back(stream.name);
    mosaic_ = empty_mosaic(layout_, names);
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Stream& stream = streams_[i];
    if (stream.picture.empty() || !(std::exchange(stream.changed, false) || new_layout)) continue;
    cv::Mat cell = mosaic_(layout_.cells[i]);
    draw_letterboxed(stream.picture, cell);
  }
  // The screen may keep what it is given, and the mosaic goes on changing.
  put_on_screen(kMosaicTitle, Picture(mosaic_.clone()));
}

void Viewer::put_on_screen(const std::string& title, const Picture& picture) {
  if (notice_on_screen_.empty()) return screen_.show(title, picture);
  cv::Mat with_notice = picture.bgr().clone();
  draw_notice(with_notice, notice_on_screen_);
  screen_.show(title, Picture(with_notice));
}

}  // namespace gradcam
