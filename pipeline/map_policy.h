#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stages/frame/explanation.h"

namespace gradcam {

/// What became of the map of a frame: an explanation, or why there is none.
struct MapOutcome {
  std::uint64_t ticket = 0;  ///< of that frame
  std::shared_ptr<const Explanation> explanation;
  std::string error;
};

/// Decides which frames of one stream are explained, and which map the others carry.
///
/// By key frames, as films do: every N-th frame, a key frame, waits for a map of its own, and those
/// behind it carry exactly that one, waiting for it without occupying the engine. Or by the newest
/// map, as live streams do: a frame never waits once there is a map: it carries the newest. A frame
/// is also given to the engine, for the benefit of later ones, when N have passed since the last
/// that was, or that one failed, and the engine has none of this stream. Where the call failed, the
/// frames that would carry its map fail with its error: a failure beside is seen, and no map is
/// passed off for another.
///
/// With a budget the N is found while it runs: the smallest with which the engine spends no more
/// than that on a frame, on the average; 1 where it can, and until a first map has been timed. With
/// key frames it is settled at each of them, for the frames behind it.
class CarryPolicy {
 public:
  struct Options {
    int every = 1;  ///< >= 1; 1: each frame is explained
    bool carries_newest = false;
    double budget_ms = 0;  ///< of engine time per frame of this stream; 0 = none, `every` counts
  };
  explicit CarryPolicy(const Options& options)
      : each_frame_(options.every == 1 && options.budget_ms <= 0),
        carries_newest_(options.carries_newest),
        budget_ms_(options.budget_ms),
        every_(static_cast<std::uint64_t>(options.every)) {}

  enum class Way {
    kOwn,           ///< explain it, report to finished(), and let it pass with the result
    kCarry,         ///< `pass` was called, or will be by finished()
    kCarryExplain,  ///< as kCarry; besides, explain it and report to finished()
  };
  using Pass = std::function<void(const MapOutcome&)>;

  /// For a frame that can be explained. This one and the next are called in the order of tickets,
  /// one at a time, on changing threads. `pass` must not call this object.
  Way decide(std::uint64_t ticket, Pass pass);
  /// For a frame that failed before it came here.
  void failed_before(std::uint64_t ticket, const std::string& error);

  /// An engine call has ended. Any thread, also during the other two.
  void finished(const MapOutcome& outcome);

 private:
  Way decide_newest(std::uint64_t ticket, const Pass& pass);
  Way decide_key(std::uint64_t ticket, Pass pass);
  /// False if its turn has not come. These two with mutex_ held.
  bool begin_key_frame(std::uint64_t ticket);
  void adapt(double explain_ms);

  const bool each_frame_;  ///< nothing is carried
  const bool carries_newest_;
  const double budget_ms_;

  std::mutex mutex_;  ///< for all that follows
  std::uint64_t every_;
  double cost_ms_ = 0;  ///< of a map, decaying mean
  /// The newest map; with key frames that of the last one, once it is there.
  std::optional<MapOutcome> newest_;
  // by the newest map
  std::uint64_t last_given_ = 0;  ///< ticket of the last frame that the engine was given
  int with_engine_ = 0;
  // by key frames
  std::uint64_t key_ = 0;                               ///< ticket of the last key frame
  std::uint64_t next_key_ = 0;                          ///< of the next one
  std::map<std::uint64_t, std::vector<Pass>> waiting_;  ///< by ticket of the key frame
};

}  // namespace gradcam
