#include "stages/picture/tile.h"

#include <algorithm>
#include <opencv2/core/hal/hal.hpp>
#include <stdexcept>
#include <string>

namespace gradcam {
namespace {

/// Alpha 0..255 as 0..256, so that opaque leaves nothing.
int whole(int alpha) { return alpha + (alpha >> 7); }

/// Rows of blue, green, red and alpha, padded; clear behind the end.
struct FourRows {
  void resize(int width) {
    const auto padded = static_cast<std::size_t>(width) + kernels::kPadding;
    memory.assign(4 * padded, 0);
    for (std::size_t c = 0; c < 4; ++c) rows[c] = memory.data() + c * padded;
  }
  std::vector<std::uint8_t> memory;
  std::uint8_t* rows[4] = {};
};

}  // namespace

void Tile::Layer::resize(int bytes_of_row, int rows) {
  row_bytes = static_cast<std::size_t>(bytes_of_row);
  height = rows;
  const std::size_t bytes = place(rows);
  keep.resize(bytes + kernels::kPadding);
  add.resize(keep.size());
}

void Tile::draw(const cv::Mat& bgra, Alpha alpha, PixelFormat format, const ColorDescription& color,
                const kernels::Table& table) {
  const FormatInfo& info = format_info(format);
  if (bgra.type() != CV_8UC4 || bgra.empty() || info.bits != 8 ||
      !(info.yuv || format == PixelFormat::kBgr)) {
    throw std::invalid_argument(std::string("no tile for a picture in ") + info.name);
  }
  format_ = format;
  size_ = bgra.size();
  for (int p = 0; p < info.planes; ++p) {
    const cv::Size plane = plane_size(format, size_, p);
    layers_[p].resize(plane.width * info.bytes[static_cast<std::size_t>(p)], plane.height);
  }
  const cv::Mat* pixels = &bgra;
  if (alpha == Alpha::kStraight) {
    premultiplied_.create(bgra.size(), CV_8UC4);
    for (int y = 0; y < bgra.rows; ++y) {
      const auto* from = bgra.ptr<cv::Vec4b>(y);
      auto* to = premultiplied_.ptr<cv::Vec4b>(y);
      for (int x = 0; x < bgra.cols; ++x) {
        for (int c = 0; c < 3; ++c) {
          to[x][c] = static_cast<std::uint8_t>((from[x][c] * from[x][3] + 127) / 255);
        }
        to[x][3] = from[x][3];
      }
    }
    pixels = &premultiplied_;
  }
  if (!info.yuv) return draw_bgr(*pixels);
  draw_yuv(*pixels, color, table);
}

void Tile::draw_bgr(const cv::Mat& pixels) {
  Layer& layer = layers_[0];
  auto keep = layer.keep.begin();
  auto add = layer.add.begin();
  for (int y = 0; y < pixels.rows; ++y) {
    const auto* row = pixels.ptr<cv::Vec4b>(y);
    for (int x = 0; x < pixels.cols; ++x) {
      const int stays = 256 - whole(row[x][3]);
      for (int c = 0; c < 3; ++c) {
        *keep++ = static_cast<std::uint16_t>(stays);
        *add++ = static_cast<std::uint16_t>(
            std::min(256 * row[x][c] + kernels::kCoverRounding, 65535 - 255 * stays));
      }
    }
  }
}

void Tile::draw_yuv(const cv::Mat& pixels, const ColorDescription& color,
                    const kernels::Table& table) {
  static thread_local FourRows upper;
  static thread_local FourRows lower;
  static thread_local FourRows twice;
  static thread_local std::vector<std::uint16_t> chroma[3];
  const FormatInfo& info = format_info(format_);
  const kernels::BgrFactors factors = bgr_factors(yuv_scale(color));
  const int width = pixels.cols;
  upper.resize(width);
  lower.resize(width);
  twice.resize(info.chroma_x == 0 ? 2 * width : 0);
  for (auto& row : chroma) row.resize(static_cast<std::size_t>(width) + kernels::kPadding);

  const auto read = [&](int y, FourRows& row) {
    cv::hal::split8u(pixels.ptr(y), row.rows, width, 4);
    const std::size_t at = layers_[0].place(y);
    table.cover_luma(row.rows, width, factors, layers_[0].keep.data() + at,
                     layers_[0].add.data() + at);
  };
  const int each = 1 << info.chroma_y;
  const int samples = plane_size(format_, size_, 1).width;
  for (int row = 0; row < layers_[1].height; ++row) {
    read(row * each, upper);
    if (each == 2 && row * each + 1 < pixels.rows) {
      read(row * each + 1, lower);
    } else if (each == 2) {
      lower.resize(width);  // beyond the edge nothing covers
    }
    const std::uint8_t* rows[8];
    for (int c = 0; c < 4; ++c) {
      rows[c] = upper.rows[c];
      rows[4 + c] = each == 2 ? lower.rows[c] : upper.rows[c];
      if (info.chroma_x > 0) continue;
      for (std::ptrdiff_t x = 0; x < width; ++x) {  // 4:4:4: the mean of a pixel and itself
        twice.rows[c][2 * x] = twice.rows[c][2 * x + 1] = upper.rows[c][x];
      }
      rows[c] = rows[4 + c] = twice.rows[c];
    }
    const std::size_t at = layers_[1].place(row);
    if (!info.interleaved()) {
      table.cover_chroma(rows, samples, factors, layers_[1].keep.data() + at,
                         layers_[1].add.data() + at, layers_[2].add.data() + at);
      std::copy_n(layers_[1].keep.data() + at, samples, layers_[2].keep.data() + at);
      continue;
    }
    table.cover_chroma(rows, samples, factors, chroma[0].data(), chroma[1].data(),
                       chroma[2].data());
    const std::uint16_t* keeps[2] = {chroma[0].data(), chroma[0].data()};
    const std::uint16_t* adds[2] = {chroma[1].data(), chroma[2].data()};
    cv::hal::merge16u(keeps, layers_[1].keep.data() + at, samples, 2);
    cv::hal::merge16u(adds, layers_[1].add.data() + at, samples, 2);
  }
}

void Tile::lay(const PictureTarget& picture, cv::Point at, const kernels::Table& table) const {
  if (picture.format != format_) throw std::invalid_argument("a tile of another format");
  const cv::Rect area = cv::Rect(at, size_) & cv::Rect(0, 0, picture.width, picture.height);
  if (area.tl() != at) throw std::invalid_argument("a tile that begins outside the picture");
  const PictureTarget part = part_of(picture, area);
  const FormatInfo& info = format_info(format_);
  for (int p = 0; p < info.planes; ++p) {
    const auto place = static_cast<std::size_t>(p);
    const WritablePlane& plane = part.planes[place];
    const Layer& layer = layers_[p];
    for (int y = 0; y < plane.height; ++y) {
      const std::size_t row = layer.place(y);
      table.lay(layer.keep.data() + row, layer.add.data() + row, plane.width * info.bytes[place],
                plane.row(y));
    }
  }
}

cv::Mat bgra_of(const cv::Mat& on_black, const cv::Mat& on_white) {
  CV_Assert(on_black.type() == CV_8UC3 && on_white.type() == CV_8UC3 &&
            on_black.size() == on_white.size());
  cv::Mat bgra(on_black.size(), CV_8UC4);
  for (int y = 0; y < bgra.rows; ++y) {
    const auto* black = on_black.ptr<cv::Vec3b>(y);
    const auto* white = on_white.ptr<cv::Vec3b>(y);
    auto* out = bgra.ptr<cv::Vec4b>(y);
    for (int x = 0; x < bgra.cols; ++x) {
      int seen = 0;  // of the ground, in three channels
      for (int c = 0; c < 3; ++c) seen += white[x][c] - black[x][c];
      const int alpha = std::clamp(255 - (seen + 1) / 3, 0, 255);
      for (int c = 0; c < 3; ++c) out[x][c] = black[x][c];
      out[x][3] = static_cast<std::uint8_t>(alpha);
    }
  }
  return bgra;
}

}  // namespace gradcam
