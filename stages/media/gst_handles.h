#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

/// Owners of GStreamer's handles, for the files that read or write with it.
namespace gradcam::gst {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
struct MiniUnref {
  void operator()(GstMiniObject* object) const { gst_mini_object_unref(object); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
/// A pipeline must be stopped before it is released.
struct StopAndUnref {
  void operator()(GstElement* pipeline) const {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }
};
struct FreeError {
  void operator()(GError* error) const { g_error_free(error); }
};
struct FreeText {
  void operator()(gchar* text) const { g_free(text); }
};

using Pipeline = std::unique_ptr<GstElement, StopAndUnref>;
using Element = std::unique_ptr<GstElement, Unref>;
using Pad = std::unique_ptr<GstPad, Unref>;
using Bus = std::unique_ptr<GstBus, Unref>;
using Sample = std::unique_ptr<GstSample, MiniUnref>;
using Object = std::unique_ptr<void, Unref>;
using Message = std::unique_ptr<GstMessage, MiniUnref>;
using Caps = std::unique_ptr<GstCaps, MiniUnref>;
using Error = std::unique_ptr<GError, FreeError>;
using Text = std::unique_ptr<gchar, FreeText>;

/// Starts the library, once per process; safe to call again, from any thread.
inline void start_library() { gst_init(nullptr, nullptr); }

/// What an ERROR message says, on one line.
inline std::string error_text(GstMessage* message) {
  GError* raw = nullptr;
  gst_message_parse_error(message, &raw, nullptr);
  const Error error(raw);
  std::string text = error->message;
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace gradcam::gst
