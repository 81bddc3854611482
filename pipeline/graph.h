#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "pipeline/summary.h"
#include "stages/capture/source.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// The work of the stages as plain functions that know nothing of the graph; default_stages() gives
/// those of the library. A throw from preprocess, explain or overlay fails that frame alone: it
/// goes on to the output with its status and error set, and later stages but overlay leave it out.
struct Stages {
  /// Several threads at once. May replace the frame's picture (e.g. by a smaller one).
  std::function<Prepared(const Frame&)> preprocess;
  /// One explanation per frame, in their order: of one frame, or of GraphOptions::batch frames, of
  /// any streams, by one call of the engine. If it throws for several, it is called for each of
  /// them alone. Only the inference thread.
  std::function<std::vector<Explanation>(const std::vector<Prepared>&)> explain;
  /// Optional; first on the inference thread, before any frame is captured. A throw ends the run.
  std::function<void()> explain_start;
  /// Several threads at once. Also gets failed frames; if it throws, the bare picture is shown.
  std::function<Rendered(const Explained&)> overlay;
};

/// One source and where its frames go.
struct Stream {
  std::unique_ptr<Source> source;
  /// Every admitted frame in order, one call at a time, on changing threads. `ms.output` is the
  /// time that the frame has waited for its turn. A throw ends the run: no later frame of this
  /// stream is written, other streams write what is in flight.
  std::function<void(const Rendered&)> output;
  /// Optional: each admitted frame as soon as it is drawn; it does not wait for its turn at
  /// `output`, however long that takes. Several threads at once, so not in order. Must not throw.
  std::function<void(const Rendered&)> show;
  /// Optional: once, after the last frame of all streams, whatever happened. The thread of
  /// run_graph.
  std::function<void()> finish;
  std::int64_t limit = 0;  ///< frames taken from the source; 0 = all
  /// True: the newest frame counts. Of the frames that come while none may enter the graph, only
  /// the newest is kept; the others are dropped and counted. False: every frame counts; the source
  /// waits.
  bool live = false;
  /// True: a frame that is not explained never waits; it carries the newest map there is, as those
  /// of live streams always do. False: it carries the map of the last explained frame before it.
  bool carries_newest = false;
  int frames_in_flight = 4;  ///< between capture and the end of output, >= 1
};

/// How many frames of each film should be in flight where `streams` films share `cores` and one
/// engine: one for each core, one that the engine works on, and one that waits for it. An engine
/// that takes batches wants one batch to work on and one that waits, from all films together:
/// nobody waits for a batch to fill, so with fewer frames there would never be one.
inline int film_frames_in_flight(int cores, int batch, int streams) {
  return cores + std::max(2, (2 * batch + streams - 1) / streams);
}

struct GraphOptions {
  int batch = 1;  ///< frames, of any streams, that are explained together when so many wait
  int every = 1;  ///< explain every N-th admitted frame of a stream; the others carry a map
  /// Not 0: engine time that a frame may cost on the average. `every` is then found while the run
  /// goes on.
  double budget_ms = 0;
  /// Failed frames in a row of one stream that end the run; 0 = never. Frames that would carry one
  /// and the same failed map count as one.
  int max_failures = 25;
};

/// Annotates all streams to their end, at once. The way of each frame:
///
///   capture -> Gate -> preprocess -> explain -> overlay -> in order -> output
///
/// Capture reads the source, on a thread of its own. The Gate lets `frames_in_flight` frames of its
/// stream in and numbers them (the ticket); nowhere else does a frame wait or get dropped.
/// Preprocess and overlay take several frames at once, on the threads of the caller's TBB arena.
/// Explain runs on one inference thread for all streams, and decides which frames are explained and
/// which carry the map of another (map_policy.h). Since frames may overtake each other, they are
/// put back in order before output. Each frame that was let in comes out, also one that failed;
/// output gives its place at the Gate back.
///
/// Returns when every source has ended or `stop` was requested, all frames in flight were written,
/// and all outputs were finished. A source that breaks ends its stream alone. What ended the run
/// early is `RunSummary::error`; it is not thrown, so that such a run can still be reported.
[[nodiscard]] RunSummary run_graph(std::vector<Stream> streams, const Stages& stages,
                                   const GraphOptions& options, const std::stop_token& stop);

}  // namespace gradcam
