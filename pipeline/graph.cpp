#include "pipeline/graph.h"

#include <oneapi/tbb/flow_graph.h>

#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "pipeline/error_text.h"
#include "pipeline/guarded_stages.h"
#include "pipeline/inference_thread.h"
#include "pipeline/intake.h"
#include "pipeline/map_policy.h"
#include "pipeline/stats.h"

namespace gradcam {
namespace {

namespace flow = oneapi::tbb::flow;

/// What the streams of one run share.
struct Run {
  const Stages& stages;
  const GraphOptions& options;
  const double streams;  ///< how many of them share the engine
  const Clock::time_point begin = Clock::now();
  flow::graph graph;
  std::stop_source stop;     ///< ends every capture
  std::int64_t batches = 0;  ///< calls that took several frames; the inference thread counts them
  InferenceThread inference;

  Run(const Stages& s, const GraphOptions& o, std::size_t count)
      : stages(s),
        options(o),
        streams(static_cast<double>(count)),
        inference(static_cast<int>(count), o.batch, s.explain_start,
                  [this](std::vector<Prepared> frames) {
                    batches += frames.size() > 1 ? 1 : 0;
                    return guarded_explain(stages, std::move(frames));
                  }) {}

  /// Ends the run early. Of several errors the first is the one to report.
  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    stop.request_stop();
  }
  std::exception_ptr error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  mutable std::mutex mutex_;
  std::exception_ptr error_;
};

/// A frame that waits for its turn at the output.
struct Ready {
  Rendered rendered;
  Clock::time_point since;

  const Frame& frame() const { return rendered.frame(); }
};

/// While it lives, wait_for_all() of the graph does not return.
class GraphHold {
 public:
  explicit GraphHold(flow::graph& graph) : graph_(graph) { graph_.reserve_wait(); }
  ~GraphHold() { graph_.release_wait(); }
  GraphHold(const GraphHold&) = delete;
  GraphHold& operator=(const GraphHold&) = delete;

 private:
  flow::graph& graph_;
};

/// One stream's way through the graph. Nodes in flow order; all edges are in the constructor.
class Lane {
 public:
  Lane(Run& run, int index, Stream stream);
  void start();
  /// After wait_for_all().
  void finish();
  StreamSummary summary() const;

 private:
  using ExplainNode = flow::async_node<Prepared, Explained>;

  void submit(const Prepared& prepared, ExplainNode::gateway_type& gateway);
  void explain(const Prepared& prepared, ExplainNode::gateway_type& gateway, bool own);
  Ready draw(const Explained& explained);
  void write(Ready ready);
  void count_failures(const Explained& explained);
  void output_failed();

  Run& run_;
  Stream stream_;
  MapPolicy map_policy_;
  OutputStats stats_;  ///< this and the next three are used by the output node only
  std::string output_error_;
  int failures_in_a_row_ = 0;
  std::optional<std::uint64_t> last_failure_;  ///< ticket of the frame that it began with

  flow::function_node<Frame, Prepared> preprocess_;
  flow::sequencer_node<Prepared> to_explain_;  ///< in order, as map policy and trackers need it
  ExplainNode explain_;
  flow::function_node<Explained, Ready> overlay_;
  flow::sequencer_node<Ready> in_order_;
  flow::function_node<Ready> output_;

  Intake intake_;  ///< last: its thread uses the nodes
};

Lane::Lane(Run& run, int index, Stream stream)
    : run_(run),
      stream_(std::move(stream)),
      map_policy_({run.options.every, stream_.live || stream_.carries_newest,
                   run.options.budget_ms / run.streams}),
      stats_(run.begin),
      preprocess_(run.graph, flow::unlimited,
                  [&run](const Frame& frame) { return guarded_preprocess(run.stages, frame); }),
      to_explain_(run.graph, [](const Prepared& prepared) { return prepared.frame.ticket; }),
      explain_(run.graph, flow::serial,
               [this](const Prepared& prepared, ExplainNode::gateway_type& gateway) {
                 submit(prepared, gateway);
               }),
      overlay_(run.graph, flow::unlimited,
               [this](const Explained& explained) { return draw(explained); }),
      in_order_(run.graph, [](const Ready& ready) { return ready.frame().ticket; }),
      output_(run.graph, flow::serial, [this](const Ready& ready) { write(ready); }),
      intake_(*stream_.source, {index, stream_.limit, stream_.live, stream_.frames_in_flight},
              [this](const Frame& frame) { preprocess_.try_put(frame); }) {
  flow::make_edge(preprocess_, to_explain_);
  flow::make_edge(to_explain_, explain_);
  flow::make_edge(explain_, overlay_);
  flow::make_edge(overlay_, in_order_);
  flow::make_edge(in_order_, output_);
}

void Lane::start() {
  intake_.start(run_.stop.get_token(), std::make_shared<GraphHold>(run_.graph));
}

void Lane::submit(const Prepared& prepared, ExplainNode::gateway_type& gateway) {
  const Frame& frame = prepared.frame;
  if (frame.failed()) {
    map_policy_.failed_before(frame.ticket, frame.error);
    gateway.try_put(Explained{prepared, nullptr});
    return;
  }
  gateway.reserve_wait();
  const auto pass = [prepared, &gateway](const MapOutcome& outcome) {
    gateway.try_put(carry_map(prepared, outcome));
    gateway.release_wait();
  };
  switch (map_policy_.decide(frame.ticket, pass)) {
    case MapPolicy::Decision::kExplain:
      explain(prepared, gateway, true);
      break;
    case MapPolicy::Decision::kCarryAndExplain:
      gateway.reserve_wait();
      explain(prepared, gateway, false);
      break;
    case MapPolicy::Decision::kCarry:
      break;
  }
}

/// `own`: the frame goes on with the result. Ends with one release_wait(), the caller's.
void Lane::explain(const Prepared& prepared, ExplainNode::gateway_type& gateway, bool own) {
  run_.inference.submit(
      {prepared, [this, &gateway, own](const Explained& explained) {
         const Frame& frame = explained.frame();
         map_policy_.finished({frame.ticket, explained.explanation, frame.status, frame.error});
         if (own) gateway.try_put(explained);
         gateway.release_wait();
       }});
}

Ready Lane::draw(const Explained& explained) {
  Ready ready{guarded_overlay(run_.stages, explained), Clock::now()};
  try {
    if (stream_.show && !explained.frame().given_up()) stream_.show(ready.rendered);
  } catch (...) {
    run_.fail(std::current_exception());
  }
  return ready;
}

void Lane::write(Ready ready) {
  Rendered& rendered = ready.rendered;
  if (rendered.frame().given_up()) {
    stats_.given_up();
  } else if (output_error_.empty()) {
    rendered.explained.prepared.frame.ms.output = ms_since(ready.since);
    const auto begin = Clock::now();
    try {
      stream_.output(rendered);
      stats_.written(rendered, begin, Clock::now());
    } catch (...) {
      stats_.failed();
      output_failed();
    }
    count_failures(rendered.explained);
  } else {
    stats_.dropped();
  }
  intake_.leave();
}

/// Frames that would carry one and the same failed map count as one failure.
void Lane::count_failures(const Explained& explained) {
  const Frame& frame = explained.frame();
  if (!frame.failed()) {
    failures_in_a_row_ = 0;
    return;
  }
  const std::uint64_t origin = explained.failed_with.value_or(frame.ticket);
  if (std::exchange(last_failure_, origin) == origin) return;
  if (++failures_in_a_row_ != run_.options.max_failures) return;
  run_.fail(std::make_exception_ptr(
      std::runtime_error(intake_.summary().name + ": " + std::to_string(failures_in_a_row_) +
                         " frames in a row failed, the last with: " + frame.error)));
}

/// Inside a catch block: remembers the error, and ends the run.
void Lane::output_failed() {
  if (output_error_.empty()) output_error_ = message_of(std::current_exception());
  run_.fail(std::current_exception());
}

void Lane::finish() {
  try {
    if (stream_.finish) stream_.finish();
  } catch (...) {
    output_failed();
  }
}

StreamSummary Lane::summary() const {
  StreamSummary summary = intake_.summary();
  stats_.fill(summary);
  summary.output_error = output_error_;
  return summary;
}

/// Declared after the lanes: however this scope is left, the graph is idle before a node is
/// destroyed. Until then the waiting thread works in the graph.
class WaitForGraph {
 public:
  explicit WaitForGraph(flow::graph& graph) : graph_(graph) {}
  ~WaitForGraph() { graph_.wait_for_all(); }
  WaitForGraph(const WaitForGraph&) = delete;
  WaitForGraph& operator=(const WaitForGraph&) = delete;

 private:
  flow::graph& graph_;
};

}  // namespace

RunSummary run_graph(std::vector<Stream> streams, const Stages& stages, const GraphOptions& options,
                     const std::stop_token& stop) {
  Run run(stages, options, streams.size());
  std::vector<std::unique_ptr<Lane>> lanes;
  for (Stream& stream : streams) {
    const int index = static_cast<int>(lanes.size());
    lanes.push_back(std::make_unique<Lane>(run, index, std::move(stream)));
  }
  {
    const std::stop_callback on_stop(stop, [&run] { run.stop.request_stop(); });
    const WaitForGraph guard(run.graph);
    try {
      run.inference.wait_until_started();
      for (const auto& lane : lanes) lane->start();
    } catch (...) {
      run.fail(std::current_exception());
    }
  }
  for (const auto& lane : lanes) lane->finish();

  RunSummary summary;
  for (const auto& lane : lanes) summary.streams.push_back(lane->summary());
  for (const StreamSummary& stream : summary.streams) {
    summary.stopped |= stream.end == StreamEnd::kStopped || stream.dropped_stop > 0;
  }
  summary.wall_s = ms_since(run.begin) / 1000;
  summary.batches = run.batches;
  summary.error = run.error();
  summary.stopped &= stop.stop_requested() && !summary.error;
  return summary;
}

}  // namespace gradcam
