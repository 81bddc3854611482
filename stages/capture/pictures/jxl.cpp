#include <jxl/decode_cxx.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "stages/capture/pictures/canvas.h"
#include "stages/capture/pictures/formats.h"

namespace gradcam {
namespace {

/// The frames of a file, upright, each a whole picture. A still picture has one.
class JxlFrames : public Animation {
 public:
  explicit JxlFrames(std::string bytes) : bytes_(std::move(bytes)) {
    constexpr int kEvents = JXL_DEC_BASIC_INFO | JXL_DEC_FRAME | JXL_DEC_FULL_IMAGE;
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    if (!decoder_ || JxlDecoderSubscribeEvents(decoder_.get(), kEvents) != JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(decoder_.get(), data, bytes_.size()) != JXL_DEC_SUCCESS) {
      throw UnreadablePicture();
    }
    if (JxlDecoderProcessInput(decoder_.get()) != JXL_DEC_BASIC_INFO ||
        JxlDecoderGetBasicInfo(decoder_.get(), &info_) != JXL_DEC_SUCCESS) {
      throw UnreadablePicture();
    }
  }

  bool moves() const { return info_.have_animation != 0; }

  std::optional<Frame> next() override {
    if (ended_) return std::nullopt;
    Frame frame;
    const std::uint32_t channels = transparent() ? 4 : 3;
    cv::Mat pixels(checked_size(info_.xsize, info_.ysize),
                   CV_MAKETYPE(deep() ? CV_16U : CV_8U, static_cast<int>(channels)));
    const JxlPixelFormat format{channels, deep() ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8,
                                JXL_NATIVE_ENDIAN, 0};
    while (true) {
      switch (JxlDecoderProcessInput(decoder_.get())) {
        case JXL_DEC_FRAME:
          if (JxlDecoderGetFrameHeader(decoder_.get(), &header_) != JXL_DEC_SUCCESS) {
            throw UnreadablePicture();
          }
          frame.duration = frame_time(duration_of_frame());
          break;
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
          if (JxlDecoderSetImageOutBuffer(decoder_.get(), &format, pixels.data,
                                          pixels.total() * pixels.elemSize()) != JXL_DEC_SUCCESS) {
            throw UnreadablePicture();
          }
          break;
        case JXL_DEC_FULL_IMAGE:
          ended_ = header_.is_last != 0;
          cv::cvtColor(pixels, pixels, transparent() ? cv::COLOR_RGBA2BGRA : cv::COLOR_RGB2BGR);
          frame.picture = split(pixels);
          return frame;
        default:
          throw UnreadablePicture("damaged, or cut short");
      }
    }
  }

 private:
  bool transparent() const { return info_.alpha_bits > 0; }
  /// Whole numbers of 16 bits, which may hold fewer; other depths are scaled by the library.
  bool deep() const { return info_.bits_per_sample == 16 && info_.exponent_bits_per_sample == 0; }

  std::chrono::nanoseconds duration_of_frame() const {
    if (!moves()) return {};
    const double tick_ns = 1e9 * info_.animation.tps_denominator / info_.animation.tps_numerator;
    return std::chrono::nanoseconds(std::llround(header_.duration * tick_ns));
  }

  const std::string bytes_;
  const JxlDecoderPtr decoder_ = JxlDecoderMake(nullptr);
  JxlBasicInfo info_{};
  JxlFrameHeader header_{};
  bool ended_ = false;
};

}  // namespace

StoredPicture read_jxl(const std::string& bytes) {
  auto frame = JxlFrames(bytes).next();
  if (!frame) throw UnreadablePicture();
  return std::move(frame->picture);
}

std::unique_ptr<Animation> animate_jxl(std::string bytes) {
  auto frames = std::make_unique<JxlFrames>(std::move(bytes));
  return frames->moves() ? std::move(frames) : nullptr;
}

}  // namespace gradcam
