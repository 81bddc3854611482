#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/options.h"
#include "pipeline/graph.h"
#include "pipeline/progress.h"
#include "pipeline/settings.h"
#include "stages/explain/layer_switch.h"
#include "stages/explain/maps/over_time.h"
#include "stages/explain/maps/running_peak.h"
#include "stages/explain/tasks/stream_memory.h"
#include "stages/overlay/overlay.h"

namespace gradcam {

/// What the stages know of one stream: first what never changes, then what they remember of it from
/// frame to frame, which is used by one thread at a time.
struct StreamState {
  std::string name;     ///< short, as the HUD and JSON lines have it
  bool mirror = false;  ///< its window is one

  std::optional<RunningPeak> peak;  ///< not empty: heat is measured against the peak of a while
  StreamMemory memory;
  OverTime over_time{false};
  std::int64_t next_verified = 0;  ///< the first frame with this number or a later one is verified
};

/// The stages of the program: default_stages(), and what its options and its window add to them:
/// other layers, methods and targets while it runs, --max-dim, --verify, smoothing, the HUD. All
/// that it is made of must live as long as it does.
class ProgramStages {
 public:
  ProgramStages(const Options& options, LayerSwitch& explainers, LiveSettings& settings,
                const Progress& progress, std::vector<StreamState> streams);

  Stages stages();

  std::vector<Explanation> explain(const std::vector<Prepared>& frames);
  /// A frame that is on the screen once more, as the settings are now. Changes nothing of what is
  /// remembered of its stream, which may go on.
  Explanation explain_again(const Prepared& prepared);
  /// The network is not warmed up before the first frame: of stills, which take no longer together.
  /// To be called before stages().
  void start_cold() { starts_cold_ = true; }
  /// Where problems are told besides the log. To be set before any stage is called.
  void tell_also(std::function<void(std::string)> tell) { tell_ = std::move(tell); }

  /// Once `stop` is requested, frames that take long are given up. To be set before any stage is
  /// called.
  void give_up_at(const std::stop_token& stop) { stop_ = stop; }

  /// If the window is a mirror, with a picture of its own for it.
  Rendered render(const Explained& explained) const;
  /// The picture for the window, drawn again as the settings are now.
  Picture redraw(const Rendered& rendered) const;

  /// Frames that one call of the network takes.
  int batch() const { return explainers_.first().batch(); }
  /// The layer that the settings ask for has explained this, or cannot: to explain the frame again
  /// would change nothing.
  bool is_final(const Explanation& explanation) const;

 private:
  void verify(Explanation& explanation, const Blob& blob, const Frame& frame,
              const Question& question);
  Question question_of(const ViewSettings& settings) const;
  void tell_problem();  ///< of preparing another layer, if there is one
  const StreamState& stream_of(int stream) const;
  HudText hud_of(int stream) const;

  const Options& options_;
  LayerSwitch& explainers_;
  LiveSettings& settings_;
  const Progress& progress_;
  std::vector<StreamState> streams_;
  std::function<void(std::string)> tell_;
  std::stop_token stop_;
  bool starts_cold_ = false;
  bool warned_of_method_ = false;
  std::mutex one_at_a_time_;  ///< explains: the graph's inference thread, or the ViewRefresher's
};

}  // namespace gradcam
