#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/frame/frame.h"
#include "stages/frame/source_info.h"

namespace gradcam {

/// Somewhere rendered frames of one stream go. Calls come one at a time, in frame order.
/// The constructor checks that writing is possible, as far as that can be known before the first
/// frame (UserError kOutput names the file and why); the destructor releases without finalising.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes one frame; blocks while the sink is behind (bounded). Throws UserError(kOutput).
  virtual void write(const Rendered& frame) = 0;
  /// After the last frame: makes the file complete. Bounded in time. Throws UserError(kOutput).
  virtual void finish() = 0;
  /// What its reader should know of the result, once the first frame is written; empty = nothing.
  virtual std::string note() const { return {}; }
};

/// Checks the outputs of `streams` streams before any source is open: their kinds, their folders,
/// files that exist. Creates nothing. Throws as open_sinks().
void require_writable(const OutputOptions& options, int streams);

/// All sinks of one stream, in the order asked for. `stream` of `streams`: with several streams
/// each file name gets the stream's number before its extension (out.mp4 -> out-0.mp4).
/// Existing files are refused unless options.overwrite; no file is created when any is refused. Two
/// outputs of one name, or one with the name of a source, are not noticed here: parse_options() and
/// require_apart() (source_guard.h) refuse them. Throws UserError(kOutput).
std::vector<std::unique_ptr<Sink>> open_sinks(const OutputOptions& options,
                                              const SourceInfo& source, int stream, int streams);

}  // namespace gradcam
