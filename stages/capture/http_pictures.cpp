#include "stages/capture/http_pictures.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace gradcam {
namespace {

/// A copy of a header's value that is a text.
gboolean take_content_type(GQuark name, const GValue* value, gpointer result) {
  if (g_ascii_strcasecmp(g_quark_to_string(name), "content-type") != 0) return TRUE;
  if (G_VALUE_HOLDS_STRING(value)) *static_cast<std::string*>(result) = g_value_get_string(value);
  return FALSE;
}

/// Some servers say nothing of use, and send a boundary first.
bool begins_with_boundary(std::string_view bytes) {
  bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
  return bytes.substr(0, 2) == "--";
}

}  // namespace

void HttpPictures::connect(GstElement* pipeline, bool newest_only, std::function<void()> on_cut) {
  on_cut_ = std::move(on_cut);
  const gst::Element from(gst_bin_get_by_name(GST_BIN(pipeline), "bytes"));
  to_.reset(gst_bin_get_by_name(GST_BIN(pipeline), "pictures"));
  if (newest_only) {
    g_object_set(to_.get(), "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  } else {
    g_object_set(to_.get(), "block", TRUE, nullptr);
  }
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = on_bytes;
  callbacks.eos = on_end;
  gst_app_sink_set_callbacks(GST_APP_SINK(from.get()), &callbacks, this, nullptr);
  const gst::Pad pad(gst_element_get_static_pad(from.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this, nullptr);
}

GstPadProbeReturn HttpPictures::on_event(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  const GstStructure* const event = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (event != nullptr && gst_structure_has_name(event, "http-headers") != FALSE) {
    static_cast<HttpPictures*>(self)->read_headers(event);
  }
  return GST_PAD_PROBE_OK;
}

void HttpPictures::read_headers(const GstStructure* headers) {
  reached_ = true;
  const GValue* const response = gst_structure_get_value(headers, "response-headers");
  if (response == nullptr || !GST_VALUE_HOLDS_STRUCTURE(response)) return;
  gst_structure_foreach(gst_value_get_structure(response), take_content_type, &content_type_);
  if (is_picture_stream(content_type_)) answer_ = Answer::kPictures;
}

GstFlowReturn HttpPictures::on_bytes(GstAppSink* sink, gpointer self) {
  const gst::Sample sample(gst_app_sink_pull_sample(sink));
  GstMapInfo bytes;
  if (!sample ||
      gst_buffer_map(gst_sample_get_buffer(sample.get()), &bytes, GST_MAP_READ) == FALSE) {
    return GST_FLOW_OK;
  }
  const auto* const data = reinterpret_cast<const char*>(bytes.data);
  const GstFlowReturn flow = static_cast<HttpPictures*>(self)->feed(data, bytes.size);
  gst_buffer_unmap(gst_sample_get_buffer(sample.get()), &bytes);
  return flow;
}

GstFlowReturn HttpPictures::feed(const char* bytes, std::size_t count) {
  if (answer_ == Answer::kNone) {
    const bool pictures = begins_with_boundary({bytes, count});
    answer_ = pictures ? Answer::kPictures : Answer::kSomethingElse;
  }
  if (answer_ == Answer::kSomethingElse) return GST_FLOW_EOS;
  if (!parts_) parts_.emplace(content_type_);
  parts_->add(bytes, count);
  while (const auto picture = parts_->next()) {
    if (!picture->whole) {
      on_cut_();
      continue;
    }
    GstBuffer* const buffer = gst_buffer_new_memdup(picture->bytes.data(), picture->bytes.size());
    const GstFlowReturn flow = gst_app_src_push_buffer(GST_APP_SRC(to_.get()), buffer);
    if (flow != GST_FLOW_OK) return flow;
  }
  return GST_FLOW_OK;
}

void HttpPictures::on_end(GstAppSink* /*sink*/, gpointer self) {
  auto* const pictures = static_cast<HttpPictures*>(self);
  if (pictures->answer_ == Answer::kNone) pictures->answer_ = Answer::kSomethingElse;
  if (pictures->parts_ && pictures->parts_->in_picture()) pictures->on_cut_();
  gst_app_src_end_of_stream(GST_APP_SRC(pictures->to_.get()));
}

}  // namespace gradcam
