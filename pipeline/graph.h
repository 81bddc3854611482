#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "pipeline/stats.h"
#include "stages/capture/source.h"
#include "stages/frame/frame.h"

namespace gradcam {

/// The work of the stages as plain functions that know nothing of the graph. A throw from
/// preprocess, explain or overlay fails that frame alone: it goes on to the output with
/// `Frame::error` set, and later stages but overlay leave it out.
struct Stages {
  /// Several threads at once. May replace the frame's picture (e.g. by a smaller one).
  std::function<Prepared(const Frame&)> preprocess;
  /// Only the inference thread.
  std::function<Explanation(const Prepared&)> explain;
  /// Optional, the same thread: several frames by one call of the engine, one explanation each. If
  /// it throws, they are explained one by one. Used with GraphOptions::batch.
  std::function<std::vector<Explanation>(const std::vector<Prepared>&)> explain_batch;
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
  /// Optional: each admitted frame as soon as it is drawn, before its turn at `output` and whatever
  /// `output` takes; several threads at once, so not in order. Must not throw.
  std::function<void(const Rendered&)> show;
  /// Once, on the thread of run_graph, after the last frame of all streams: whatever happened.
  std::function<void()> finish;
  std::int64_t limit = 0;  ///< frames taken from the source; 0 = all
  /// The newest frame counts: while no place is free, a newer frame takes the place of the one that
  /// waits, which is dropped and counted. False: the source waits.
  bool live = false;
  /// Frames that are not explained never wait for a map: they carry the newest one there is, as
  /// those of live streams do. False: they carry that of the explained frame before them.
  bool carries_newest = false;
  int frames_in_flight = 4;  ///< between capture and the end of output, >= 1
};

/// How many frames of each film should be in flight where `streams` of them share this many cores
/// and one engine: one for each core, one that the engine works on, and one that waits for it.
/// Where the engine takes batches: one with it and one that waits, of all streams together. With
/// fewer frames there would never be a batch, as nobody waits for it to fill.
inline int film_frames_in_flight(int cores, int batch, int streams) {
  return cores + std::max(2, (2 * batch + streams - 1) / streams);
}

struct GraphOptions {
  int batch = 1;  ///< frames, of any streams, that are explained together when so many wait
  int every = 1;  ///< explain every N-th admitted frame of a stream; the others carry a map
  /// Engine time that a frame may cost on the average; the N of `every` is then found while
  /// running. 0 = none.
  double budget_ms = 0;
  /// Failed frames in a row of one stream that end the run; 0 = never. Those that fail because they
  /// would carry one and the same map count as one.
  int max_failures = 25;
};

/// Annotates all streams to their end, at once:
///
///   capture -> Gate -> preprocess -> explain -> overlay -> in order -> output
///
/// with one capture thread per source, one inference thread for all, and the calling thread and
/// those of its TBB arena for the rest. Returns when every source has ended or `stop` was
/// requested, all frames in flight were written, and all outputs were finished. A source that
/// breaks ends its stream alone. What ended the run early is `RunSummary::error`; it is not thrown,
/// so that the figures of such a run can still be reported.
[[nodiscard]] RunSummary run_graph(std::vector<Stream> streams, const Stages& stages,
                                   const GraphOptions& options, const std::stop_token& stop);

}  // namespace gradcam
