#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stages/frame/frame.h"

namespace gradcam {

/// What became of the map of a frame: an explanation, or why there is none.
struct MapOutcome {
  std::uint64_t ticket = 0;                        ///< of that frame
  std::shared_ptr<const Explanation> explanation;  ///< null: `status` says why
  FrameStatus status = FrameStatus::kOk;
  std::string error;  ///< of kFailed
};

/// Decides which frames of one stream are explained, and which map the others carry.
///
/// Films go by key frames: every N-th frame waits for a map of its own. The frames behind it carry
/// exactly that map; they wait for it, but do not occupy the engine.
///
/// Live streams go by the newest map: once there is one, no frame waits; each carries the newest.
/// A frame is explained besides, for the frames after it, if the engine has no other frame of this
/// stream and either N frames have passed since the last one that it got, or that one failed.
///
/// Where explaining a frame failed, the frames that would carry its map fail with the same error.
///
/// With a budget, N is found while the run goes on: the smallest N with which the engine spends no
/// more than the budget on a frame, on the average. N is 1 until a first map has been timed. Films
/// change N only at key frames. With N = 1 every frame is explained and waits for its own map.
class MapPolicy {
 public:
  struct Options {
    int every = 1;  ///< >= 1; 1: each frame is explained
    bool carries_newest = false;
    double budget_ms = 0;  ///< of engine time per frame of this stream; 0 = none, `every` counts
  };
  explicit MapPolicy(const Options& options)
      : each_frame_(options.every == 1 && options.budget_ms <= 0),
        carries_newest_(options.carries_newest),
        budget_ms_(options.budget_ms),
        every_(static_cast<std::uint64_t>(options.every)) {}

  /// What is to be done with a frame.
  enum class Decision {
    kExplain,          ///< explain it, report to finished(), and let it pass with its own map
    kCarry,            ///< nothing: `pass` was called with a map, or finished() will call it
    kCarryAndExplain,  ///< as kCarry; besides, explain it and report to finished()
  };
  using Pass = std::function<void(const MapOutcome&)>;

  /// For a frame that can be explained. decide() and failed_before() are called once per frame, in
  /// the order of tickets, one at a time, on changing threads. `pass` must not call this object.
  Decision decide(std::uint64_t ticket, Pass pass);
  /// For a frame that failed before it came here.
  void failed_before(std::uint64_t ticket, const std::string& error);

  /// A frame that was to be explained has been, or has failed. Any thread, at any time.
  void finished(const MapOutcome& outcome);

 private:
  Decision decide_newest(std::uint64_t ticket, const Pass& pass);
  Decision decide_key(std::uint64_t ticket, Pass pass);
  bool begin_key_frame(std::uint64_t ticket);  ///< false: it is none; with mutex_ held
  void adapt(double explain_ms);               ///< with mutex_ held

  const bool each_frame_;  ///< every frame is explained, nothing is carried
  const bool carries_newest_;
  const double budget_ms_;

  std::mutex mutex_;  ///< for all that follows
  std::uint64_t every_;
  double cost_ms_ = 0;  ///< of a map, decaying mean
  /// The newest map; with key frames that of the last one, once it is there.
  std::optional<MapOutcome> newest_;
  // for streams that go by the newest map
  std::uint64_t last_given_ = 0;  ///< ticket of the last frame that the engine was given
  int with_engine_ = 0;
  // for streams that go by key frames
  std::uint64_t key_ = 0;                               ///< ticket of the last key frame
  std::uint64_t next_key_ = 0;                          ///< of the next one
  std::map<std::uint64_t, std::vector<Pass>> waiting_;  ///< by ticket of the key frame
};

}  // namespace gradcam
