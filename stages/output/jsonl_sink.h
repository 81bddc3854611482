#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "stages/output/sink.h"

namespace gradcam {

/// The name of a stream in JSON lines: the file's name without its folder (a camera's URL whole);
/// with several streams their number goes before it ("1:drive.mp4"), so that no two are the same.
std::string stream_name(const SourceInfo& source, int stream, int streams);

/// One frame as a line of JSON without its line end, coordinates in source pixels. Keys that mean
/// nothing for this frame are absent. The frame's latency ends at `now`. `new_map`: this is the
/// first line of its map, and holds what belongs to the map and not to the frame (flicker, trust).
std::string json_line(const std::string& stream, const Rendered& rendered, Clock::time_point now,
                      bool new_map);

/// JSON lines, one per frame, each flushed as it is written. "-" is standard output.
class JsonlSink : public Sink {
 public:
  JsonlSink(std::string path, bool overwrite, std::string stream);
  void write(const Rendered& frame) override;
  void finish() override;

 private:
  struct Close {
    void operator()(std::FILE* file) const;
  };
  void open();
  [[noreturn]] void fail() const;

  std::string path_;
  std::string stream_;
  std::int64_t map_of_ = -1;                ///< frame of the map in the last line
  std::unique_ptr<std::FILE, Close> file_;  ///< opened with the first frame
};

}  // namespace gradcam
