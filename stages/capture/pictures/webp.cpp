#include <webp/decode.h>
#include <webp/demux.h>

#include <opencv2/imgcodecs.hpp>
#include <utility>

#include "stages/capture/pictures/canvas.h"
#include "stages/capture/pictures/formats.h"
#include "stages/capture/pictures/orientation.h"

namespace gradcam {
namespace {

using std::chrono::milliseconds;

WebPData data_of(const std::string& bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

WebPBitstreamFeatures features_of(const std::string& bytes) {
  WebPBitstreamFeatures features{};
  const WebPData data = data_of(bytes);
  if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) {
    throw UnreadablePicture();
  }
  return features;
}

/// The library lays the frames on their canvas.
class WebpAnimation : public Animation {
 public:
  explicit WebpAnimation(std::string bytes) : bytes_(std::move(bytes)) {
    const WebPData data = data_of(bytes_);
    WebPAnimDecoderOptions options;
    WebPAnimInfo info;
    if (WebPAnimDecoderOptionsInit(&options) == 0) throw UnreadablePicture();
    options.color_mode = MODE_BGRA;
    decoder_.reset(WebPAnimDecoderNew(&data, &options));
    if (!decoder_ || WebPAnimDecoderGetInfo(decoder_.get(), &info) == 0) throw UnreadablePicture();
    size_ = cv::Size(static_cast<int>(info.canvas_width), static_cast<int>(info.canvas_height));
    frames_ = info.frame_count;
    add_durations();
  }

  std::optional<std::int64_t> frames() const override { return frames_; }
  std::optional<std::chrono::nanoseconds> duration() const override { return duration_; }

  std::optional<Frame> next() override {
    if (WebPAnimDecoderHasMoreFrames(decoder_.get()) == 0) return std::nullopt;
    std::uint8_t* pixels = nullptr;
    int end_ms = 0;
    if (WebPAnimDecoderGetNext(decoder_.get(), &pixels, &end_ms) == 0) throw UnreadablePicture();
    const milliseconds end(end_ms);
    const milliseconds begin = std::exchange(end_, end);
    return Frame{split(cv::Mat(size_, CV_8UC4, pixels)), frame_time(end - begin)};
  }

 private:
  void add_durations() {
    WebPIterator frame;
    const WebPDemuxer* const demuxer = WebPAnimDecoderGetDemuxer(decoder_.get());
    for (int more = WebPDemuxGetFrame(demuxer, 1, &frame); more != 0;
         more = WebPDemuxNextFrame(&frame)) {
      duration_ += frame_time(milliseconds(frame.duration));
    }
    WebPDemuxReleaseIterator(&frame);
  }

  const std::string bytes_;
  std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder_{
      nullptr, &WebPAnimDecoderDelete};
  cv::Size size_;
  std::int64_t frames_ = 0;
  std::chrono::nanoseconds duration_{0};
  milliseconds end_{0};
};

/// As its Exif block says.
int orientation_of(const std::string& bytes) {
  const WebPData data = data_of(bytes);
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data),
                                                                         &WebPDemuxDelete);
  WebPChunkIterator exif;
  if (!demuxer || WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &exif) == 0) return 1;
  const int orientation =
      exif_orientation({reinterpret_cast<const char*>(exif.chunk.bytes), exif.chunk.size});
  WebPDemuxReleaseChunkIterator(&exif);
  return orientation;
}

}  // namespace

StoredPicture read_webp(const std::string& bytes) {
  const WebPBitstreamFeatures features = features_of(bytes);
  if (features.has_animation != 0) return std::move(WebpAnimation(bytes).next().value().picture);
  StoredPicture picture = split(decode(bytes, cv::IMREAD_UNCHANGED));
  const int orientation = orientation_of(bytes);
  picture.colours = upright(picture.colours, orientation);
  picture.alpha = upright(picture.alpha, orientation);
  return picture;
}

std::unique_ptr<Animation> animate_webp(std::string bytes) {
  if (features_of(bytes).has_animation == 0) return nullptr;
  auto animation = std::make_unique<WebpAnimation>(std::move(bytes));
  return animation->frames() > 1 ? std::move(animation) : nullptr;
}

}  // namespace gradcam
