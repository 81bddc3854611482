#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pipeline/keys.h"
#include "pipeline/mailbox.h"
#include "pipeline/settings.h"
#include "stages/frame/frame.h"
#include "stages/output/screen.h"
#include "stages/overlay/mosaic.h"

namespace gradcam {

/// What the viewer asks of the run; each may be empty. Called by the thread of Viewer::run.
struct ViewerHooks {
  /// The picture of the window for this view under the present settings. Pure.
  std::function<Picture(const Rendered&)> redraw;
  /// Pausing began or ended: sources that can wait should wait meanwhile.
  std::function<void(bool paused)> set_paused;
  /// While paused: let one frame of each source through.
  std::function<void()> step;
  /// The user has changed what is explained, and no new frame will show it (paused, or the sources
  /// have ended). Called for each stream with what it shows; the answer comes by post_again().
  std::function<void(const Rendered& shown)> explain_again;
  /// Layers that can be chosen; empty = not known yet.
  std::function<std::vector<std::string>()> layers;
  /// Methods that can be chosen.
  std::vector<std::string> methods;
  /// The display is gone and the process is about to end. May report; gives the exit code.
  /// `complete`: the work has ended, with all outputs.
  std::function<int(bool complete)> display_gone;
};

struct ViewerOptions {
  bool mosaic = false;  ///< all streams in one window
  std::filesystem::path screenshots = ".";
  std::function<Clock::time_point()> now = Clock::now;
};

/// Shows the newest view of each stream on the screen and turns keys into changes of the settings.
class Viewer {
 public:
  Viewer(const std::vector<std::string>& streams, LiveSettings& settings, Screen& screen,
         ViewerHooks hooks, ViewerOptions options = {});

  /// A view to be shown, if no newer one of its stream comes before; never waits. Any thread.
  void post(const Rendered& view);
  /// A view that is on the screen, explained anew; discarded if another is shown by now. Any
  /// thread.
  void post_again(const Rendered& view);
  /// A short text to be shown for a moment. Any thread.
  void tell(std::string notice);

  /// Does the work of a run on a thread of its own; returns true if the windows are to stay when
  /// it is done, until the user closes them. It must end soon once its token is stopped.
  using Work = std::function<bool(const std::stop_token&)>;

  /// Starts `work` and serves the screen, on the calling thread, main, until the user quits, `stop`
  /// is requested, or the work is done and need not stay. Then closes the windows, stops the work,
  /// waits for its end, and throws what it threw.
  void run(const Work& work, const std::stop_token& stop);

 private:
  struct Stream {
    std::string name;
    std::string title;  ///< of its window
    std::optional<Rendered> shown;
    std::optional<Rendered> held;  ///< the newest that came while paused
    Picture picture;               ///< of `shown`, as it is drawn now
    bool step = false;             ///< the next view is shown though paused
    bool changed = false;          ///< since it was put on the screen
  };

  bool serve();  ///< false: the user quits
  void receive(Rendered view);
  void show(Stream& stream, Rendered view);
  bool apply(int code);  ///< false: the user quits
  void follow_pause();
  void step();
  void redraw();
  void explain_again();
  void save_screenshots();
  const Explanation* shown_explanation() const;
  void say(std::string notice);
  void follow_notice();
  void refresh();
  void refresh_mosaic();
  void put_on_screen(const std::string& title, const Picture& picture);

  std::vector<Stream> streams_;
  LiveSettings& settings_;
  Screen& screen_;
  const ViewerHooks hooks_;
  const ViewerOptions options_;

  Mailbox<Rendered> views_;
  Mailbox<Rendered> again_;
  Mailbox<std::string> told_;
  std::atomic<std::uint64_t> order_ = 0;  ///< of again_ and told_

  bool ended_ = false;  ///< the work is done
  bool paused_ = false;
  Clock::time_point paused_at_;
  bool full_screen_ = false;
  std::string notice_;
  Clock::time_point notice_end_;
  std::string notice_on_screen_;
  MosaicLayout layout_;
  cv::Mat mosaic_;
};

}  // namespace gradcam
