#include "stages/capture/film_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gradcam {

using std::chrono::nanoseconds;

namespace {

constexpr double kHighestRate = 1000;  ///< above it a "rate" is the container's clock

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

/// Clocks that run over, and begin anywhere: only distances mean something in such a film.
bool begins_anywhere(const AVFormatContext& file) {
  return (file.iformat->flags & AVFMT_TS_DISCONT) != 0 && file.start_time != AV_NOPTS_VALUE;
}

bool has_film(const AVStream& stream) {
  constexpr int kPictures = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & kPictures) == 0;
}

/// What makes one stream rather the film than another.
std::pair<bool, std::int64_t> rank_of(const AVStream& stream) {
  return {(stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
          std::int64_t{stream.codecpar->width} * stream.codecpar->height};
}

}  // namespace

FilmDecoder::FilmDecoder(const std::filesystem::path& path, std::stop_token stop)
    : stop_(std::move(stop)), packet_(av_packet_alloc()), frame_(av_frame_alloc()) {
  // FFmpeg logs what is wrong with a file to stderr, and lets nobody set that for one file alone;
  // OpenCV sets it, too.
  av_log_set_level(AV_LOG_QUIET);
  AVFormatContext* raw = avformat_alloc_context();
  raw->interrupt_callback.callback = [](void* token) {
    return static_cast<int>(static_cast<const std::stop_token*>(token)->stop_requested());
  };
  raw->interrupt_callback.opaque = &stop_;
  // As a URL: a file's name may hold colons.
  const int opened = avformat_open_input(&raw, ("file:" + path.string()).c_str(), nullptr, nullptr);
  if (opened < 0) fail(av::error_text(opened));
  file_.reset(raw);
  avformat_find_stream_info(file_.get(), nullptr);
  choose_stream();
  open_codec();
  if (begins_anywhere(*file_)) origin_ = av::to_ns(file_->start_time, {1, AV_TIME_BASE});
  stop_ = {};
}

void FilmDecoder::choose_stream() {
  for (unsigned i = 0; i < file_->nb_streams; ++i) {
    AVStream* const stream = file_->streams[i];
    stream->discard = AVDISCARD_ALL;
    if (has_film(*stream) && (stream_ == nullptr || rank_of(*stream) > rank_of(*stream_))) {
      stream_ = stream;
    }
  }
  if (stream_ == nullptr) fail("it has no video stream");
  stream_->discard = AVDISCARD_DEFAULT;
}

void FilmDecoder::open_codec() {
  const AVCodecID id = stream_->codecpar->codec_id;
  const AVCodec* const decoder = avcodec_find_decoder(id);
  if (decoder == nullptr) fail(std::string("FFmpeg has no decoder for ") + avcodec_get_name(id));
  codec_.reset(avcodec_alloc_context3(decoder));
  avcodec_parameters_to_context(codec_.get(), stream_->codecpar);
  codec_->pkt_timebase = stream_->time_base;
  codec_->thread_count = 0;  // as many as help
  const int opened = avcodec_open2(codec_.get(), decoder, nullptr);
  if (opened < 0) fail(std::string(decoder->name) + ": " + av::error_text(opened));
}

FilmDecoder::Step FilmDecoder::step() {
  const int received = avcodec_receive_frame(codec_.get(), frame_.get());
  if (received == 0) return Step::kFrame;
  if (received == AVERROR_EOF) return Step::kEnd;
  if (received != AVERROR(EAGAIN)) return Step::kLost;  // a thread of the decoder tells so late
  const int read = av_read_frame(file_.get(), packet_.get());
  if (read == 0) return send();
  if (read != AVERROR(EAGAIN)) {
    if (read != AVERROR_EOF) unreadable_ = av::error_text(read);
    avcodec_send_packet(codec_.get(), nullptr);  // what it still holds comes out
  }
  return Step::kNotYet;
}

FilmDecoder::Step FilmDecoder::send() {
  const bool lost = packet_->stream_index == stream_->index &&
                    avcodec_send_packet(codec_.get(), packet_.get()) < 0;
  av_packet_unref(packet_.get());
  return lost ? Step::kLost : Step::kNotYet;
}

bool FilmDecoder::is_damaged() const {
  return frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

std::optional<nanoseconds> FilmDecoder::pts() const {
  if (frame_->best_effort_timestamp == AV_NOPTS_VALUE) return std::nullopt;
  return av::to_ns(frame_->best_effort_timestamp, stream_->time_base) - origin_;
}

nanoseconds FilmDecoder::duration() const {
  return av::to_ns(std::max<std::int64_t>(frame_->pkt_duration, 0), stream_->time_base);
}

bool FilmDecoder::can_seek() const {
  // A program stream names few times: behind a jump, those of the frames between are wrong.
  return std::strcmp(file_->iformat->name, "mpeg") != 0;
}

bool FilmDecoder::seek(nanoseconds time) {
  const std::int64_t place =
      av_rescale_q((time + origin_).count(), av::kNanoseconds, stream_->time_base);
  if (av_seek_frame(file_.get(), stream_->index, place, AVSEEK_FLAG_BACKWARD) < 0) return false;
  avcodec_flush_buffers(codec_.get());
  return true;
}

bool FilmDecoder::each_picture_is_whole() const {
  const AVCodecDescriptor* const codec = avcodec_descriptor_get(stream_->codecpar->codec_id);
  return codec != nullptr && (codec->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
}

nanoseconds FilmDecoder::end() const {
  const auto part = [this](std::int64_t start, std::int64_t length, AVRational base) {
    const nanoseconds begin = start == AV_NOPTS_VALUE ? origin_ : av::to_ns(start, base);
    return begin - origin_ + av::to_ns(length, base);
  };
  if (stream_->duration > 0) {
    return part(stream_->start_time, stream_->duration, stream_->time_base);
  }
  if (file_->duration > 0) {
    // Matroska counts it from 0, wherever the first frame is.
    const bool from_zero = std::strstr(file_->iformat->name, "matroska") != nullptr;
    return part(from_zero ? 0 : file_->start_time, file_->duration, {1, AV_TIME_BASE});
  }
  return nanoseconds(0);
}

std::int64_t FilmDecoder::frames() const {
  // Only the index of mp4 names each frame; elsewhere a count is a claim, or none.
  if (stream_->nb_frames > 0 && std::strstr(file_->iformat->name, "mp4") != nullptr) {
    std::int64_t shown = 0;
    for (int i = 0; i < avformat_index_get_entries_count(stream_); ++i) {
      const AVIndexEntry* const entry = avformat_index_get_entry(stream_, i);
      if ((entry->flags & AVINDEX_DISCARD_FRAME) == 0) ++shown;
    }
    if (shown > 0) return shown;
  }
  const nanoseconds begin = stream_->start_time == AV_NOPTS_VALUE
                                ? nanoseconds(0)
                                : av::to_ns(stream_->start_time, stream_->time_base) - origin_;
  const double seconds = std::chrono::duration<double>(end() - begin).count();
  return std::max<std::int64_t>(std::llround(seconds * frames_per_second()), 0);
}

double FilmDecoder::frames_per_second() const {
  // The nominal rate is exact where a film has one; of a film without it is that of its clock.
  const double mean = av::to_double(stream_->avg_frame_rate);
  const double nominal = av::to_double(stream_->r_frame_rate);
  const bool steady = mean <= 0 || std::abs(nominal - mean) < 0.01 * mean;
  const double rate = steady ? nominal : mean;
  return rate <= kHighestRate ? rate : 0;
}

}  // namespace gradcam
