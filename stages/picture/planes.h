#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>

#include "stages/picture/color.h"

namespace gradcam {

/// How a picture lies in memory; in brackets GStreamer's name where it is another.
enum class PixelFormat : std::uint8_t {
  kBgr,
  kBgrx,     ///< four bytes to a pixel, the last one without meaning
  kGray,     ///< [GRAY8]; its bytes are grey levels 0 .. 255, whatever the range says
  kI420,     ///< 4:2:0 in three planes
  kNv12,     ///< 4:2:0, U and V by turns in one plane
  kI422,     ///< [Y42B] 4:2:2 in three planes
  kI444,     ///< [Y444] 4:4:4 in three planes
  kI420P10,  ///< [I420_10LE] 10 bits in the lower end of 16, little endian
  kP010,     ///< [P010_10LE] as kNv12, 10 bits in the upper end of 16
  kI422P10,  ///< [I422_10LE]
  kI444P10,  ///< [Y444_10LE]
};

struct FormatInfo {
  const char* name;  ///< GStreamer's
  int planes;
  int chroma_x, chroma_y;  ///< a chroma sample stands for 2^chroma_x by 2^chroma_y pixels
  int bits;
  int shift;                 ///< of a sample in its 16 bits
  std::array<int, 3> bytes;  ///< of one column of each plane
  bool yuv;

  bool interleaved() const { return yuv && planes == 2; }
};

const FormatInfo& format_info(PixelFormat format);

/// Width and height of one plane of a picture of this size, in columns and rows.
cv::Size plane_size(PixelFormat format, cv::Size picture, int plane);

/// The rows of one plane. `stride`: bytes from a row to the next; may be larger than the row.
template <typename Byte>
struct PlaneOf {
  Byte* data = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0;  ///< in columns: pixels or chroma samples
  int height = 0;

  Byte* row(int y) const { return data + y * stride; }
};

/// All planes of a picture, which belong to somebody else.
template <typename Byte>
struct PlanesOf {
  PixelFormat format = PixelFormat::kBgr;
  int width = 0;
  int height = 0;
  ColorDescription color{};
  std::array<PlaneOf<Byte>, 3> planes{};

  cv::Size size() const { return {width, height}; }
  bool empty() const { return planes[0].data == nullptr; }
};

using Plane = PlaneOf<const std::uint8_t>;
using WritablePlane = PlaneOf<std::uint8_t>;
/// To read.
using PictureView = PlanesOf<const std::uint8_t>;
/// To write into.
using PictureTarget = PlanesOf<std::uint8_t>;

PictureView view_of(const PictureTarget& target);
/// BGR u8 HxWx3.
PictureView view_of(const cv::Mat& bgr);
PictureTarget target_of(cv::Mat& bgr);

/// Of a picture that lies in memory plane after plane, rows without gaps. `data` holds
/// packed_bytes().
PictureTarget packed_planes(PixelFormat format, cv::Size size, const ColorDescription& color,
                            std::uint8_t* data);
std::size_t packed_bytes(PixelFormat format, cv::Size size);

/// `area` made larger to the left and to the top, so that it begins on a chroma sample.
cv::Rect on_samples(PixelFormat format, cv::Rect area);

/// A part of the picture, in the same memory. It begins on a chroma sample and lies within the
/// picture; else std::invalid_argument.
PictureView part_of(const PictureView& picture, cv::Rect area);
PictureTarget part_of(const PictureTarget& picture, cv::Rect area);

/// Throws std::invalid_argument unless all planes are there, with rows as long as the format needs.
void check_planes(const PictureView& picture);

}  // namespace gradcam
