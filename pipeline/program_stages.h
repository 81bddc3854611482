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
#include "stages/overlay/overlay.h"

namespace gradcam {

/// What the stages know of a stream besides its frames.
struct BoundStream {
  std::string name;                 ///< short
  bool mirror = false;              ///< of its window
  std::optional<RunningPeak> peak;  ///< where heat is measured against it
  StreamMemory memory;              ///< this and what follows with `one_at_a_time_` held
  OverTime over_time{false};
  std::int64_t next_verified = 0;  ///< frame from which on the next one is verified
};

/// Stages as they are bound to one run: the network, what is asked of it, and what is known so far.
/// What it is made of must live as long.
class BoundStages {
 public:
  BoundStages(const Options& options, LayerSwitch& network, LiveSettings& settings,
              const Progress& progress, std::vector<BoundStream> streams);

  Stages stages();

  Explanation explain(const Prepared& prepared);
  std::vector<Explanation> explain(const std::vector<Prepared>& frames);
  /// For the window alone: a frame that is on the screen, as the settings are now. The stream,
  /// which may go on, does not notice.
  Explanation explain_again(const Prepared& prepared);
  /// Where what goes wrong is told besides the log. Before any stage is called.
  void tell_also(std::function<void(std::string)> tell) { tell_ = std::move(tell); }

  /// Once it is requested, frames that take long are given up. Before any stage is called.
  void give_up_at(const std::stop_token& stop) { stop_ = stop; }

  /// With a picture of its own for a window that is a mirror.
  Rendered render(const Explained& explained) const;
  /// For the window.
  Image redraw(const Rendered& rendered) const;

  /// Frames that one call of the network takes.
  int batch() const { return network_.first().batch(); }
  /// Explaining once more would give no other layer.
  bool is_final(const Explanation& explanation) const;

 private:
  void verify(Explanation& explanation, const Blob& blob, const Frame& frame,
              const Question& question);
  Question question_of(const ViewSettings& settings) const;
  void tell_problem();
  const BoundStream& stream_of(int stream) const;
  HudText hud_of(int stream) const;

  const Options& options_;
  LayerSwitch& network_;
  LiveSettings& settings_;
  const Progress& progress_;
  std::vector<BoundStream> streams_;
  std::function<void(std::string)> tell_;
  std::stop_token stop_;
  bool warned_of_method_ = false;
  std::mutex one_at_a_time_;  ///< explaining: the graph's inference thread and the Reexplainer's
};

}  // namespace gradcam
