#include "stages/picture/plane_resizer.h"

#include <algorithm>
#include <array>
#include <opencv2/core/hal/hal.hpp>
#include <stdexcept>
#include <vector>

#include "stages/picture/color_rows.h"

namespace gradcam {
namespace {

/// A multiple of what any kernel writes at once, so that rows beside each other are one long row.
int padded(int width) { return (width + 63) / 64 * 64 + kernels::kPadding; }

/// As resize_antialiased() decides: what saves work where the height loses much.
bool begins_with_columns(cv::Size from, cv::Size to) {
  const int lost_height = from.height - to.height;
  return lost_height > 0 && lost_height > 2 * (from.width - to.width);
}

/// As cv::cvtColor(BGR2GRAY) computes it: 15 bits. Into the first row.
void to_gray(std::uint8_t* const* rows, int width) {
  for (int x = 0; x < width; ++x) {
    const int sum = rows[0][x] * 3735 + rows[1][x] * 19235 + rows[2][x] * 9798;
    rows[0][x] = static_cast<std::uint8_t>((sum + (1 << 14)) >> 15);
  }
}

/// Three rows, `stride` apart.
std::array<std::uint8_t*, 3> three_of(std::uint8_t* first, std::ptrdiff_t stride) {
  return {first, first + stride, first + 2 * stride};
}

/// The last few rows of a picture, each of the three channels (or one) `stride` behind the other.
struct Ring {
  void resize(int rows, int channels, int channel_stride) {
    count = rows;
    stride = channel_stride;
    row_bytes = channels * stride;
    memory.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(row_bytes));
    held = 0;
  }
  std::uint8_t* row(int y) {
    return memory.data() + static_cast<std::ptrdiff_t>(y % count) * row_bytes;
  }

  int count = 0;
  int stride = 0;
  int row_bytes = 0;
  int held = 0;  ///< rows below this one have been read
  std::vector<std::uint8_t> memory;
};

}  // namespace

/// What a resize needs to work; kept by each thread from one picture to the next.
class PlaneResizer::Rows {
 public:
  void begin(cv::Rect needed, const Taps& across, const PictureView& picture, PixelOrder order,
             const kernels::Table& kernels) {
    table = &kernels;
    const cv::Rect read = on_samples(picture.format, needed);
    top_ = needed.y;
    skipped_ = needed.x - read.x;
    width = read.width;
    colors_.begin(picture, read.x, read.width, kernels);
    gray_ = order == PixelOrder::kGray && colors_.channels() > 1;
    channels = gray_ ? 1 : colors_.channels();
    stride = padded(width + across.padded);
    bytes_.resize(3 * static_cast<std::size_t>(stride));
    out.resize(3 * static_cast<std::size_t>(padded(static_cast<int>(across.first.size()))));
  }

  /// The colours of a row of the crop.
  void read(int y, std::uint8_t* const* rows) {
    colors_.read(top_ + y, rows);
    if (gray_) to_gray(rows, width);
  }

  /// A row, resized. Channels are `from_stride` and `to_stride` apart; `to`: as many bytes of each
  /// as `across` has outputs.
  void resize(const std::uint8_t* from, int from_stride, const Taps& across, std::uint8_t* to,
              int to_stride) {
    const std::uint8_t* rows[3];
    std::uint8_t* outs[3];
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      rows[c] = from + c * from_stride + skipped_;
      outs[c] = to + c * to_stride;
    }
    table->dot_products(rows, channels, across.first.data(), across.weights.data(), across.padded,
                        static_cast<int>(across.first.size()), outs);
  }

  /// Three rows to read into where they are needed no longer than a moment.
  std::array<std::uint8_t*, 3> scratch() { return three_of(bytes_.data(), stride); }

  /// The weighted sum of rows in `ring`, which holds them: into `target`.
  void sum(const Taps& down, int y, int row_bytes, std::uint8_t* target) {
    const auto place = static_cast<std::size_t>(y);
    const int used = down.used[place];
    sources_.clear();
    for (int k = 0; k < used; ++k) sources_.push_back(ring.row(down.first[place] + k));
    if (used % 2 != 0) sources_.push_back(sources_.back());  // its weight is 0
    table->weighted_rows(sources_.data(),
                         down.weights.data() + place * static_cast<std::size_t>(down.padded),
                         static_cast<int>(sources_.size()), row_bytes, target);
  }

  const kernels::Table* table = nullptr;
  Ring ring;
  std::vector<std::uint8_t> out;
  int channels = 0;
  int width = 0;   ///< of the rows that are read
  int stride = 0;  ///< from channel to channel of them

 private:
  ColorRows colors_;
  int top_ = 0;
  int skipped_ = 0;  // from the beginning of a row to the first pixel that is needed
  bool gray_ = false;
  std::vector<std::uint8_t> bytes_;
  std::vector<const std::uint8_t*> sources_;
};

namespace {

/// One row of one or three channels, `stride` apart, into a row of pixels.
void put(const std::uint8_t* row, int channels, int stride, PixelOrder order, int width,
         std::uint8_t* target) {
  if (order == PixelOrder::kGray) {
    std::copy_n(row, width, target);
    return;
  }
  const std::uint8_t* parts[3] = {row, row, row};
  if (channels == 3) {
    parts[1] = row + stride;
    parts[2] = row + 2 * static_cast<std::ptrdiff_t>(stride);
    if (order == PixelOrder::kRgb) std::swap(parts[0], parts[2]);
  }
  cv::hal::merge8u(parts, target, width, 3);
}

}  // namespace

PlaneResizer::PlaneResizer(const ResizePlan& plan)
    : plan_(plan), columns_first_(begins_with_columns(plan.crop.size(), plan.scaled)) {
  const auto lies_in = [](cv::Rect part, cv::Size whole) {
    return !part.empty() && (part & cv::Rect({0, 0}, whole)) == part;
  };
  if (!lies_in(plan.crop, plan.picture) || !lies_in(plan.used, plan.scaled)) {
    throw std::invalid_argument("a resize of what lies outside");
  }
  across_ = triangle_taps(plan.crop.width, plan.scaled.width, plan.used.x, plan.used.br().x,
                          plan.antialias, kernels::kTapBlock, kernels::kDotBlock);
  down_ = triangle_taps(plan.crop.height, plan.scaled.height, plan.used.y, plan.used.br().y,
                        plan.antialias, 2, 1);
  const int begin = across_.first[0];
  needed_ = {plan.crop.x + begin, plan.crop.y, across_.end() - begin, plan.crop.height};
  for (std::size_t i = 0; i <= across_.last(); ++i) across_.first[i] -= begin;
}

void PlaneResizer::operator()(const PictureView& picture, PixelOrder order, cv::Mat target,
                              const kernels::Table& table) const {
  check_planes(picture);
  const int type = order == PixelOrder::kGray ? CV_8UC1 : CV_8UC3;
  if (picture.size() != plan_.picture || target.size() != plan_.used.size() ||
      target.type() != type) {
    throw std::invalid_argument("a resize of another size");
  }
  static thread_local Rows rows;
  rows.begin(needed_, across_, picture, order, table);
  if (columns_first_) return columns_first(rows, order, target);
  rows_first(rows, order, target);
}

void PlaneResizer::rows_first(Rows& rows, PixelOrder order, cv::Mat& target) const {
  Ring& ring = rows.ring;
  const int outputs = static_cast<int>(across_.first.size());
  ring.resize(down_.padded, rows.channels, padded(outputs));
  const std::array<std::uint8_t*, 3> colors = rows.scratch();
  for (int y = 0; y < target.rows; ++y) {
    const auto place = static_cast<std::size_t>(y);
    const int end = down_.first[place] + down_.used[place];
    for (int row = std::max(ring.held, down_.first[place]); row < end; ++row) {
      rows.read(row, colors.data());
      rows.resize(colors[0], rows.stride, across_, ring.row(row), ring.stride);
    }
    ring.held = end;
    rows.sum(down_, y, ring.row_bytes, rows.out.data());
    put(rows.out.data(), rows.channels, ring.stride, order, target.cols, target.ptr(y));
  }
}

void PlaneResizer::columns_first(Rows& rows, PixelOrder order, cv::Mat& target) const {
  Ring& ring = rows.ring;
  ring.resize(down_.padded, 3, rows.stride);
  std::vector<std::uint8_t>& small = rows.out;
  const int outputs = static_cast<int>(across_.first.size());
  for (int y = 0; y < target.rows; ++y) {
    const auto place = static_cast<std::size_t>(y);
    const int end = down_.first[place] + down_.used[place];
    for (int row = std::max(ring.held, down_.first[place]); row < end; ++row) {
      rows.read(row, three_of(ring.row(row), ring.stride).data());
    }
    ring.held = end;
    const std::array<std::uint8_t*, 3> sums = rows.scratch();
    rows.sum(down_, y, rows.channels * ring.stride, sums[0]);
    rows.resize(sums[0], ring.stride, across_, small.data(), padded(outputs));
    put(small.data(), rows.channels, padded(outputs), order, target.cols, target.ptr(y));
  }
}

}  // namespace gradcam
