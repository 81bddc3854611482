#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/explanation.h"

namespace gradcam {

/// What became of the map of a frame: an explanation, or why there is none.
struct MapOutcome {
  std::uint64_t ticket = 0;  ///< of that frame
  std::shared_ptr<const Explanation> explanation;
  std::string error;
};

/// Decides which frames of one stream are explained, and which map the others carry. Any thread.
///
/// Films: every N-th frame (by ticket) waits for a map of its own, and those behind it carry
/// exactly that one, waiting for it without occupying the engine. Live: a frame never waits once
/// there is a map: it carries the newest. A frame is also given to the engine, for the benefit of
/// later ones, when N have passed since the last that was, or that one failed, and the engine has
/// none of this stream. Where the call failed, the frames that would carry its map fail with its
/// error: a failure beside is seen, and no map is passed off for another.
///
/// With a budget the N is found while it runs: the smallest with which the engine spends no more
/// than that on a frame, on the average; 1 where it can. Frames then go by the rule for live
/// streams, whatever the source.
class CarryPolicy {
 public:
  struct Options {
    int every = 1;  ///< >= 1; 1: each frame is explained
    bool live = false;
    int in_flight = 1;     ///< frames of the stream that are under way at once, at most
    double budget_ms = 0;  ///< of engine time per frame of this stream; 0 = none, `every` counts
  };
  explicit CarryPolicy(const Options& options)
      : every_(static_cast<std::uint64_t>(options.every)),
        live_(options.live || options.budget_ms > 0),
        in_flight_(options.in_flight),
        budget_ms_(options.budget_ms) {}

  enum class Way {
    kOwn,           ///< explain it, report to finished(), and let it pass with the result
    kCarry,         ///< `pass` was called, or will be by finished()
    kCarryExplain,  ///< as kCarry; besides, explain it and report to finished()
  };
  using Pass = std::function<void(const MapOutcome&)>;

  /// Once for each frame that can be explained. `pass` must not call this object.
  Way decide(std::uint64_t ticket, Pass pass);

  /// An engine call has ended.
  void finished(const MapOutcome& outcome);

  /// The frame failed before it came here: decide() is not asked.
  void failed_before(std::uint64_t ticket, const std::string& error) {
    if (!live_) finished({ticket, nullptr, error});
  }

 private:
  Way decide_live(std::uint64_t ticket, const Pass& pass);
  Way decide_film(std::uint64_t ticket, Pass pass);
  bool each_frame() const { return every_ == 1 && budget_ms_ <= 0; }
  void adapt(double explain_ms);

  std::uint64_t every_;  ///< with a budget: as adapted, with mutex_ held
  const bool live_;
  const int in_flight_;
  const double budget_ms_;

  std::mutex mutex_;
  double cost_ms_ = 0;  ///< of a map, decaying mean
  // live
  std::optional<MapOutcome> newest_;
  std::uint64_t last_given_ = 0;  ///< ticket of the last frame that the engine was given
  int with_engine_ = 0;
  // films, by the ticket of the explained frame
  std::map<std::uint64_t, MapOutcome> outcomes_;
  std::map<std::uint64_t, std::vector<Pass>> waiting_;
};

}  // namespace gradcam
