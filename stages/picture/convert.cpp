#include "stages/picture/convert.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/hal/hal.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/picture/color_rows.h"
#include "stages/picture/repack.h"

namespace gradcam {
namespace {

using kernels::Table;

/// Three rows beside each other, padded.
struct ThreeRows {
  void resize(int width) {
    const auto padded = static_cast<std::size_t>(width) + kernels::kPadding;
    memory.resize(3 * padded);
    for (std::size_t c = 0; c < 3; ++c) rows[c] = memory.data() + c * padded;
  }
  std::vector<std::uint8_t> memory;
  std::uint8_t* rows[3] = {};
};

cv::Mat pixels_of(const PictureView& picture, int type) {
  const Plane& plane = picture.planes[0];
  // Only read: cv::Mat has no form for pixels that are constant.
  return {plane.height, plane.width, type, const_cast<std::uint8_t*>(plane.data),
          static_cast<std::size_t>(plane.stride)};
}

void yuv_to_bgr_rows(const PictureView& picture, const cv::Range& rows, const Table& table,
                     cv::Mat& bgr) {
  static thread_local ColorRows colors;
  static thread_local ThreeRows row;
  colors.begin(picture, 0, picture.width, table);
  row.resize(picture.width);
  for (int y = rows.start; y < rows.end; ++y) {
    colors.read(y, row.rows);
    const std::uint8_t* sources[3] = {row.rows[0], row.rows[1], row.rows[2]};
    cv::hal::merge8u(sources, bgr.ptr(y), picture.width, 3);
  }
}

/// `bgr` has the picture's size.
void fill_bgr(const PictureView& picture, const Table& table, cv::Mat& bgr) {
  check_planes(picture);
  const FormatInfo& info = format_info(picture.format);
  if (picture.format == PixelFormat::kBgr) {
    pixels_of(picture, CV_8UC3).copyTo(bgr);
  } else if (picture.format == PixelFormat::kBgrx) {
    cv::cvtColor(pixels_of(picture, CV_8UC4), bgr, cv::COLOR_BGRA2BGR);
  } else if (picture.format == PixelFormat::kGray) {
    cv::cvtColor(pixels_of(picture, CV_8UC1), bgr, cv::COLOR_GRAY2BGR);
  } else if (info.bits > 8) {
    const PixelFormat format = format_of_8_bits(picture.format);
    std::vector<std::uint8_t> memory(packed_bytes(format, picture.size()));
    const PictureTarget planes =
        packed_planes(format, picture.size(), picture.color, memory.data());
    repack(picture, planes);
    fill_bgr(view_of(planes), table, bgr);
  } else {
    const int each = 1 << info.chroma_y;  // so that no thread begins within a row of chroma
    cv::parallel_for_(cv::Range(0, (picture.height + each - 1) / each), [&](const cv::Range& part) {
      yuv_to_bgr_rows(picture, {part.start * each, std::min(part.end * each, picture.height)},
                      table, bgr);
    });
  }
}

/// Resized samples, or the plane itself if it has the size.
cv::Mat resized(const Plane& plane, int channels, cv::Size size) {
  cv::Mat samples(plane.height, plane.width, CV_8UC(channels),
                  const_cast<std::uint8_t*>(plane.data), static_cast<std::size_t>(plane.stride));
  if (samples.size() == size) return samples;
  cv::Mat result;
  const bool smaller = size.width < plane.width;
  cv::resize(samples, result, size, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

/// Rows [2n, 2n + 2) of chroma rows `samples` of a 4:2:0 picture, or their like in other formats.
void bgr_to_yuv_rows(const PictureView& from, const PictureTarget& to, const cv::Range& samples,
                     const Table& table) {
  static thread_local ColorRows colors;
  static thread_local ThreeRows upper;
  static thread_local ThreeRows lower;
  static thread_local ThreeRows twice;
  static thread_local ThreeRows chroma;
  const FormatInfo& info = format_info(to.format);
  const kernels::BgrFactors factors = bgr_factors(yuv_scale(to.color));
  const int width = from.width;
  colors.begin(from, 0, width, table);
  for (ThreeRows* rows : {&upper, &lower, &chroma}) rows->resize(width + 1);
  twice.resize(2 * width);

  const auto read = [&](int y, ThreeRows& row) {
    colors.read(y, row.rows);
    for (int c = 0; c < 3; ++c) {
      // Grey: all channels are the first one. Odd widths: the last column counts for two.
      if (colors.channels() == 1 && c > 0) std::copy_n(row.rows[0], width, row.rows[c]);
      row.rows[c][width] = row.rows[c][width - 1];
    }
    table.luma_of(row.rows[0], row.rows[1], row.rows[2], width, factors, to.planes[0].row(y));
  };
  const int each = 1 << info.chroma_y;
  for (int sample = samples.start; sample < samples.end; ++sample) {
    read(sample * each, upper);
    const bool pair = each == 2 && sample * each + 1 < from.height;
    if (pair) read(sample * each + 1, lower);
    const std::uint8_t* rows[6];
    for (int c = 0; c < 3; ++c) {
      rows[c] = upper.rows[c];
      rows[3 + c] = pair ? lower.rows[c] : upper.rows[c];
      if (info.chroma_x > 0) continue;
      for (std::ptrdiff_t x = 0; x < width; ++x) {  // 4:4:4: the mean of a pixel and itself
        twice.rows[c][2 * x] = twice.rows[c][2 * x + 1] = upper.rows[c][x];
      }
      rows[c] = rows[3 + c] = twice.rows[c];
    }
    const int count = to.planes[1].width;
    if (!info.interleaved()) {
      table.chroma_of(rows, count, factors, to.planes[1].row(sample), to.planes[2].row(sample));
      continue;
    }
    table.chroma_of(rows, count, factors, chroma.rows[0], chroma.rows[1]);
    table.join(chroma.rows[0], chroma.rows[1], count, to.planes[1].row(sample));
  }
}

}  // namespace

cv::Mat to_bgr(const PictureView& picture, const Table& table) {
  cv::Mat bgr(picture.size(), CV_8UC3);
  fill_bgr(picture, table, bgr);
  return bgr;
}

void draw_bgr(const PictureView& picture, cv::Mat& target, const Table& table) {
  CV_Assert(target.type() == CV_8UC3 && !target.empty());
  const FormatInfo& info = format_info(picture.format);
  if (picture.size() == target.size()) return fill_bgr(picture, table, target);
  if (!info.yuv || info.bits > 8) {
    const cv::Mat bgr = to_bgr(picture, table);
    return resized(view_of(bgr).planes[0], 3, target.size()).copyTo(target);
  }
  check_planes(picture);
  std::array<cv::Mat, 3> planes = {resized(picture.planes[0], 1, target.size())};
  if (info.interleaved()) {
    cv::split(resized(picture.planes[1], 2, target.size()), &planes[1]);
  } else {
    for (std::size_t k = 1; k < 3; ++k) planes[k] = resized(picture.planes[k], 1, target.size());
  }
  PictureView small{PixelFormat::kI444, target.cols, target.rows, picture.color};
  for (std::size_t k = 0; k < 3; ++k) {
    small.planes[k] = {planes[k].data, static_cast<std::ptrdiff_t>(planes[k].step[0]),
                       planes[k].cols, planes[k].rows};
  }
  fill_bgr(small, table, target);
}

void convert(const PictureView& from, const PictureTarget& to, const Table& table) {
  check_planes(from);
  check_planes(view_of(to));
  if (from.size() != to.size()) throw std::invalid_argument("a conversion keeps the size");
  const FormatInfo& in = format_info(from.format);
  const FormatInfo& out = format_info(to.format);
  if (to.format == PixelFormat::kBgr) {
    cv::Mat bgr(to.height, to.width, CV_8UC3, to.planes[0].data,
                static_cast<std::size_t>(to.planes[0].stride));
    return fill_bgr(from, table, bgr);
  }
  if (!in.yuv && out.yuv && out.bits == 8) {
    const int each = 1 << out.chroma_y;
    cv::parallel_for_(cv::Range(0, (to.height + each - 1) / each),
                      [&](const cv::Range& samples) { bgr_to_yuv_rows(from, to, samples, table); });
    return;
  }
  repack(from, to);
}

void fill(const PictureTarget& picture, const cv::Scalar& bgr) {
  check_planes(view_of(picture));
  const FormatInfo& info = format_info(picture.format);
  if (info.bits > 8) throw std::invalid_argument("only pictures of 8 bits are filled");
  const bool gray = picture.format == PixelFormat::kGray;
  const auto exact = yuv_of(bgr[0], bgr[1], bgr[2],
                            gray ? YuvScale{0.299, 0.114, 0, 255, 255} : yuv_scale(picture.color));
  const cv::Scalar yuv(std::round(exact[0]), std::round(exact[1]), std::round(exact[2]));
  const auto set = [&](int p, const cv::Scalar& value) {
    const auto place = static_cast<std::size_t>(p);
    const WritablePlane& plane = picture.planes[place];
    cv::Mat(plane.height, plane.width, CV_8UC(info.bytes[place]), plane.data,
            static_cast<std::size_t>(plane.stride))
        .setTo(value);
  };
  if (gray) return set(0, yuv);
  if (!info.yuv) return set(0, bgr);
  set(0, cv::Scalar::all(yuv[0]));
  if (info.interleaved()) return set(1, cv::Scalar(yuv[1], yuv[2]));
  set(1, cv::Scalar::all(yuv[1]));
  set(2, cv::Scalar::all(yuv[2]));
}

}  // namespace gradcam
