#include "stages/picture/color_rows.h"

#include <algorithm>
#include <opencv2/core/hal/hal.hpp>
#include <stdexcept>
#include <string>

namespace gradcam {

void ColorRows::begin(const PictureView& picture, int x, int width, const kernels::Table& table) {
  const FormatInfo& info = format_info(picture.format);
  if (info.bits != 8) {
    throw std::invalid_argument("the rows of a picture in " + std::string(info.name) +
                                " are read after its conversion to 8 bits");
  }
  picture_ = part_of(picture, {x, 0, width, picture.height});
  table_ = &table;
  factors_ = yuv_factors(yuv_scale(picture.color));
  chroma_row_ = -1;
  const auto padded = static_cast<std::size_t>(width) + kernels::kPadding;
  if (info.yuv) chroma_.resize(3 * padded);
  if (info.interleaved() || picture.format == PixelFormat::kBgrx) samples_.resize(2 * padded);
}

void ColorRows::read_chroma(int row) {
  const FormatInfo& info = format_info(picture_.format);
  const Plane& plane = picture_.planes[1];
  const std::uint8_t* u = plane.row(row);
  const std::uint8_t* v = info.interleaved() ? nullptr : picture_.planes[2].row(row);
  if (info.interleaved()) {
    std::uint8_t* parts[2] = {samples_.data(), samples_.data() + samples_.size() / 2};
    table_->split(u, plane.width, parts[0], parts[1]);
    u = parts[0];
    v = parts[1];
  }
  table_->chroma(u, v, plane.width, 1 << info.chroma_x, factors_, chroma_.data());
  chroma_row_ = row;
}

void ColorRows::read(int y, std::uint8_t* const* channels) {
  const std::uint8_t* const row = picture_.planes[0].row(y);
  switch (picture_.format) {
    case PixelFormat::kGray:
      std::copy_n(row, picture_.width, channels[0]);
      return;
    case PixelFormat::kBgr: {
      std::uint8_t* parts[3] = {channels[0], channels[1], channels[2]};
      return cv::hal::split8u(row, parts, picture_.width, 3);
    }
    case PixelFormat::kBgrx: {
      std::uint8_t* parts[4] = {channels[0], channels[1], channels[2], samples_.data()};
      return cv::hal::split8u(row, parts, picture_.width, 4);
    }
    default:
      break;
  }
  const int samples = y >> format_info(picture_.format).chroma_y;
  if (samples != chroma_row_) read_chroma(samples);
  table_->colors(row, chroma_.data(), picture_.width, factors_, channels[0], channels[1],
                 channels[2]);
}

}  // namespace gradcam
