#pragma once

#include <gst/video/video.h>

#include "stages/picture/picture.h"

/// What the sources that read with GStreamer share.
namespace gradcam::gst {

/// What makes the frames of a film whole and upright. Only `fields=top` keeps the number of frames
/// of interlaced film. The flip comes after the conversion, since it knows few formats.
inline constexpr const char* kUprightFilm =
    "deinterlace mode=auto fields=top ! videoconvert name=convert "
    "! videoflip video-direction=auto";

/// End of every pipeline. Pictures arrive as streams hold them wherever possible: our own
/// conversion is exact and takes half the time. (GStreamer's also colours grey ones.)
inline constexpr const char* kPictureCaps =
    "video/x-raw,format=(string){I420,NV12,Y42B,Y444,GRAY8,BGRx}";

/// Gives the element named `convert` as many threads as help.
void set_converter_threads(GstElement* pipeline);

/// The sample's picture in its own memory, which the picture keeps; a copy where that memory may
/// be a device's, which has few buffers. Empty if it cannot be read.
Picture picture_of(GstSample* sample);

/// 0 where the stream tells no rate: demuxers then answer with their clock.
double rate_of(const GstVideoInfo& video);

}  // namespace gradcam::gst
