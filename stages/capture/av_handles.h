#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <array>
#include <chrono>
#include <memory>
#include <string>

/// Owners of FFmpeg's handles, for the files that read films with it.
namespace gradcam::av {

struct Free {
  void operator()(AVFormatContext* file) const { avformat_close_input(&file); }
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(SwsContext* converter) const { sws_freeContext(converter); }
};

using Format = std::unique_ptr<AVFormatContext, Free>;
using Codec = std::unique_ptr<AVCodecContext, Free>;
using Packet = std::unique_ptr<AVPacket, Free>;
using Frame = std::unique_ptr<AVFrame, Free>;
using Converter = std::unique_ptr<SwsContext, Free>;

/// What an error code says.
inline std::string error_text(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

constexpr AVRational kNanoseconds{1, 1'000'000'000};

inline std::chrono::nanoseconds to_ns(std::int64_t time, AVRational base) {
  return std::chrono::nanoseconds(av_rescale_q(time, base, kNanoseconds));
}

/// 0 where the fraction is none.
inline double to_double(AVRational fraction) {
  return fraction.num > 0 && fraction.den > 0 ? av_q2d(fraction) : 0;
}

}  // namespace gradcam::av
