#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "stages/capture/pictures/canvas.h"
#include "stages/capture/pictures/formats.h"
#include "stages/capture/pictures/orientation.h"
#include "stages/capture/pictures/png_chunks.h"

namespace gradcam {
namespace {

using std::chrono::nanoseconds;

/// Of a grey picture with one value that counts as transparent: OpenCV passes over that.
cv::Mat alpha_of_key(const cv::Mat& grey, const png::Head& head) {
  const int key = static_cast<int>(png::number(head.transparency, 0, 2));
  const int as_read = head.bits() < 8 ? key * 255 / ((1 << head.bits()) - 1) : key;
  cv::Mat alpha;
  cv::compare(grey, cv::Scalar::all(as_read), alpha, cv::CMP_NE);
  return alpha;
}

/// Not turned upright yet.
StoredPicture with_alpha(const std::string& bytes, const png::Head& head) {
  const cv::Mat stored = decode(bytes, cv::IMREAD_UNCHANGED);
  if (stored.channels() != 1) return split(stored);
  StoredPicture picture;
  picture.alpha = alpha_of_key(stored, head);
  cv::cvtColor(stored, picture.colours, cv::COLOR_GRAY2BGR);
  return picture;
}

class PngAnimation : public Animation {
 public:
  explicit PngAnimation(std::string bytes)
      : bytes_(std::move(bytes)),
        chunks_(png::chunks_of(bytes_)),
        head_(png::head_of(chunks_)),
        frames_(png::frames_of(chunks_)),
        canvas_(checked_size(head_.width(), head_.height())) {}

  std::optional<std::int64_t> frames() const override { return head_.frames; }

  std::optional<nanoseconds> duration() const override {
    if (frames_.size() < head_.frames) return std::nullopt;
    nanoseconds sum(0);
    for (const png::Frame& frame : frames_) sum += duration_of(frame);
    return sum;
  }

  std::optional<Frame> next() override {
    if (at_ == head_.frames) return std::nullopt;
    if (at_ >= frames_.size() || frames_[at_].data.empty()) {
      throw UnreadablePicture("damaged, or cut short");
    }
    const png::Frame& frame = frames_[at_++];
    const auto place = [&](std::size_t at) {
      return static_cast<int>(png::number(frame.control, at, 4));
    };
    const auto dispose = static_cast<Dispose>(png::number(frame.control, 24, 1));
    const bool blend = png::number(frame.control, 25, 1) == 1;
    StoredPicture shown = canvas_.show(pixels_of(frame), {place(12), place(16)}, blend, dispose);
    const int orientation = exif_orientation(head_.exif);
    shown.colours = upright(shown.colours, orientation);
    shown.alpha = upright(shown.alpha, orientation);
    return Frame{std::move(shown), duration_of(frame)};
  }

 private:
  static nanoseconds duration_of(const png::Frame& frame) {
    const std::uint32_t numerator = png::number(frame.control, 20, 2);
    const std::uint32_t denominator = png::number(frame.control, 22, 2);
    constexpr std::int64_t kUsual = 100;  // the specification's, where 0 is said
    return frame_time(nanoseconds(std::chrono::seconds(numerator)) /
                      (denominator == 0 ? kUsual : denominator));
  }

  /// BGRA u8 of a picture of its own with the frame's size.
  cv::Mat pixels_of(const png::Frame& frame) const {
    const std::string header =
        std::string(frame.control.substr(4, 8)) + std::string(head_.header.substr(8));
    std::string file = std::string(png::kSignature) + png::chunk("IHDR", header);
    if (!head_.palette.empty()) file += png::chunk("PLTE", head_.palette);
    if (!head_.transparency.empty()) file += png::chunk("tRNS", head_.transparency);
    for (const std::string_view data : frame.data) file += png::chunk("IDAT", data);
    file += png::chunk("IEND", {});
    const StoredPicture picture = read_png(file);
    return to_bgra(picture);
  }

  const std::string bytes_;
  const std::vector<png::Chunk> chunks_;
  const png::Head head_;
  const std::vector<png::Frame> frames_;
  Canvas canvas_;
  std::size_t at_ = 0;
};

}  // namespace

StoredPicture read_png(const std::string& bytes) {
  const std::vector<png::Chunk> chunks = png::chunks_of(bytes);
  const png::Head head = png::head_of(chunks);
  StoredPicture picture;
  if (!head.has_alpha()) {
    picture.colours = decode(bytes, cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH);
    return picture;
  }
  picture = with_alpha(bytes, head);
  const int orientation = exif_orientation(head.exif);
  picture.colours = upright(picture.colours, orientation);
  picture.alpha = upright(picture.alpha, orientation);
  return picture;
}

std::unique_ptr<Animation> animate_png(std::string bytes) {
  if (png::head_of(png::chunks_of(bytes)).frames <= 1) return nullptr;
  return std::make_unique<PngAnimation>(std::move(bytes));
}

}  // namespace gradcam
