#pragma once

#include <gst/app/gstappsink.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "stages/capture/formats/jpeg_parts.h"
#include "stages/media/gst_handles.h"

namespace gradcam {

/// Between two elements of a pipeline: takes what a server sends from the appsink "bytes", and
/// gives each JPEG in it to the appsrc "pictures". It must outlive the pipeline.
class HttpPictures {
 public:
  enum class Answer { kNone, kPictures, kSomethingElse };

  /// `newest_only`: where the decoder is too slow, an old picture gives way; else the server waits.
  /// `on_cut` is called for each picture that comes without its end, by the pipeline's thread.
  void connect(GstElement* pipeline, bool newest_only, std::function<void()> on_cut);

  /// Whether there was any answer. Any thread.
  bool reached() const { return reached_; }
  /// What the server has answered with. Any thread.
  Answer answer() const { return answer_; }

 private:
  static GstPadProbeReturn on_event(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstFlowReturn on_bytes(GstAppSink* sink, gpointer self);
  static void on_end(GstAppSink* sink, gpointer self);
  void read_headers(const GstStructure* headers);
  GstFlowReturn feed(const char* bytes, std::size_t count);

  gst::Element to_;
  std::function<void()> on_cut_;
  std::string content_type_;        ///< only the pipeline's thread, as the next
  std::optional<JpegParts> parts_;  ///< once it is known that there are pictures
  std::atomic<bool> reached_{false};
  std::atomic<Answer> answer_{Answer::kNone};
};

}  // namespace gradcam
