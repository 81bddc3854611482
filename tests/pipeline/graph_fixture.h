#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <numeric>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/graph.h"
#include "tests/support/fakes.h"

namespace gradcam {

/// 0, 1, … count - 1
inline std::vector<std::int64_t> count_up(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

inline std::string message_of(const RunSummary& summary) {
  if (!summary.error) return "";
  try {
    std::rethrow_exception(summary.error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// A graph under fakes. run() checks what must hold after every run, however it ended.
class Graph : public testing::Test {
 protected:
  Stream& add_stream(fakes::FakeSource::Script script, const std::string& name = "fake") {
    auto recording = std::make_unique<fakes::Recording>();
    Stream stream;
    stream.source = std::make_unique<fakes::FakeSource>(name, std::move(script));
    stream.output = [r = recording.get()](const Rendered& rendered) {
      r->frames.push_back(rendered.frame());
      r->has_picture.push_back(!rendered.picture.empty());
    };
    stream.finish = [r = recording.get()] { ++r->finished; };
    recordings_.push_back(std::move(recording));
    streams_.push_back(std::move(stream));
    return streams_.back();
  }

  Stream& add_live(fakes::FakeSource::Script script, const std::string& name = "cam") {
    Stream& stream = add_stream(std::move(script), name);
    stream.live = true;
    return stream;
  }

  RunSummary run(int threads = 4) {
    for (Stream& stream : streams_) stream.frames_in_flight = frames_in_flight_;
    RunSummary summary = fakes::in_arena(threads, [&] {
      return run_graph(std::move(streams_), stages_, options_, stop_.get_token());
    });
    EXPECT_EQ(fakes::sources_alive, 0);
    EXPECT_EQ(fakes::threads_alive, 0);
    EXPECT_EQ(summary.streams.size(), recordings_.size());
    for (std::size_t i = 0; i < summary.streams.size(); ++i) check(summary.streams[i], out(i));
    return summary;
  }

  fakes::Recording& out(std::size_t stream = 0) { return *recordings_.at(stream); }

  Stages stages_ = fakes::plain_stages();
  GraphOptions options_;
  int frames_in_flight_ = 4;  ///< of every stream
  std::stop_source stop_;

 private:
  static void check(const StreamSummary& stream, const fakes::Recording& recording) {
    EXPECT_EQ(stream.captured, stream.shown + stream.failed + stream.dropped());
    EXPECT_EQ(stream.shown, stream.explained + stream.carried);
    EXPECT_EQ(recording.finished, 1);
    for (std::size_t i = 0; i < recording.frames.size(); ++i) {
      EXPECT_EQ(recording.frames[i].ticket, i);
      EXPECT_TRUE(recording.has_picture[i]);
    }
  }

  std::vector<Stream> streams_;
  std::vector<std::unique_ptr<fakes::Recording>> recordings_;
};

}  // namespace gradcam
