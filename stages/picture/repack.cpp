#include "stages/picture/repack.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace gradcam {
namespace {

/// Every `step`-th of the samples of a row, from `first` on, as bytes: 10 bits are rounded.
void read_samples(const std::uint8_t* row, int first, int step, int count, const FormatInfo& info,
                  std::uint8_t* out) {
  if (info.bits == 8) {
    if (step == 1) {
      std::copy_n(row, count, out);
      return;
    }
    for (int x = 0; x < count; ++x) out[x] = row[step * x + first];
    return;
  }
  for (int x = 0; x < count; ++x) {
    std::uint16_t sample = 0;
    std::memcpy(&sample, row + sizeof sample * static_cast<std::size_t>(step * x + first),
                sizeof sample);
    out[x] = static_cast<std::uint8_t>(std::min(255, ((sample >> info.shift) + 2) >> 2));
  }
}

/// One row of U (0) or V (1) as bytes.
void read_chroma(const PictureView& picture, int which, int row, std::uint8_t* out) {
  const FormatInfo& info = format_info(picture.format);
  const bool pairs = info.interleaved();
  const Plane& plane = picture.planes[pairs ? 1 : static_cast<std::size_t>(which + 1)];
  read_samples(plane.row(row), pairs ? which : 0, pairs ? 2 : 1, plane.width, info, out);
}

void write_chroma(const PictureTarget& picture, int which, int row, const std::uint8_t* samples) {
  const bool pairs = format_info(picture.format).interleaved();
  const WritablePlane& plane = picture.planes[pairs ? 1 : static_cast<std::size_t>(which + 1)];
  std::uint8_t* const out = plane.row(row);
  if (!pairs) {
    std::copy_n(samples, plane.width, out);
    return;
  }
  for (int x = 0; x < plane.width; ++x) out[2 * x + which] = samples[x];
}

/// The mean of 2^(across + down) samples, where the last one stands for those that are missing.
class ChromaMean {
 public:
  ChromaMean(const PictureView& from, const PictureTarget& to)
      : from_(from),
        across_(format_info(to.format).chroma_x - format_info(from.format).chroma_x),
        down_(format_info(to.format).chroma_y - format_info(from.format).chroma_y),
        row_(static_cast<std::size_t>(from.planes[1].width) + 1),
        sums_(row_.size()) {}

  /// `out`: `count` samples of row `row` of the result.
  void read(int which, int row, int count, std::uint8_t* out) {
    const int last = from_.planes[1].height - 1;
    std::fill(sums_.begin(), sums_.end(), std::uint16_t{0});
    for (int k = 0; k < 1 << down_; ++k) {
      read_chroma(from_, which, std::min((row << down_) + k, last), row_.data());
      row_.back() = row_[row_.size() - 2];
      for (std::size_t x = 0; x < row_.size(); ++x) {
        sums_[x] = static_cast<std::uint16_t>(sums_[x] + row_[x]);
      }
    }
    const int shift = across_ + down_;
    const int half = (1 << shift) / 2;
    for (int x = 0; x < count; ++x) {
      const auto at = static_cast<std::size_t>(x) << across_;
      const int sum = sums_[at] + (across_ > 0 ? sums_[at + 1] : 0);
      out[x] = static_cast<std::uint8_t>((sum + half) >> shift);
    }
  }

 private:
  const PictureView& from_;
  const int across_;
  const int down_;
  std::vector<std::uint8_t> row_;
  std::vector<std::uint16_t> sums_;
};

void copy_planes(const PictureView& from, const PictureTarget& to) {
  const FormatInfo& info = format_info(from.format);
  for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
    const Plane& plane = from.planes[p];
    const auto bytes =
        static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(info.bytes[p]);
    for (int y = 0; y < plane.height; ++y) {
      std::memcpy(to.planes[p].row(y), plane.row(y), bytes);
    }
  }
}

}  // namespace

PixelFormat format_of_8_bits(PixelFormat format) {
  switch (format) {
    case PixelFormat::kI420P10:
      return PixelFormat::kI420;
    case PixelFormat::kP010:
      return PixelFormat::kNv12;
    case PixelFormat::kI422P10:
      return PixelFormat::kI422;
    case PixelFormat::kI444P10:
      return PixelFormat::kI444;
    default:
      return format;
  }
}

void repack(const PictureView& from, const PictureTarget& to) {
  const FormatInfo& in = format_info(from.format);
  const FormatInfo& out = format_info(to.format);
  const YuvScale a = yuv_scale(from.color);
  const YuvScale b = yuv_scale(to.color);
  const bool same_coding = !in.yuv || (a.kr == b.kr && a.luma_scale == b.luma_scale);
  if (same_coding && from.format == to.format) return copy_planes(from, to);
  if (!same_coding || !in.yuv || !out.yuv || out.bits != 8 || out.chroma_x < in.chroma_x ||
      out.chroma_y < in.chroma_y) {
    throw std::invalid_argument(std::string("no conversion from ") + in.name + " to " + out.name +
                                (same_coding ? "" : " of another coding"));
  }
  for (int y = 0; y < from.height; ++y) {
    read_samples(from.planes[0].row(y), 0, 1, from.width, in, to.planes[0].row(y));
  }
  ChromaMean mean(from, to);
  const int count = to.planes[1].width;
  std::vector<std::uint8_t> row(static_cast<std::size_t>(count));
  for (int y = 0; y < to.planes[1].height; ++y) {
    for (int which = 0; which < 2; ++which) {
      mean.read(which, y, count, row.data());
      write_chroma(to, which, y, row.data());
    }
  }
}

}  // namespace gradcam
