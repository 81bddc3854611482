#include "stages/overlay/heat_on_planes.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace gradcam {

/// What is drawn, for all threads.
struct HeatOnPlanes::Job {
  const PictureView& picture;
  const HeatMap& heat;
  const HeatColors& colors;
  int share;
  const PictureTarget& out;
  const kernels::Table& table;
};

/// A few rows of one thread, kept from one picture to the next.
struct HeatOnPlanes::Scratch {
  void begin(int width, int heat_width) {
    const auto padded = static_cast<std::size_t>(width) + kernels::kPadding;
    for (auto* rows : {&wide, &between}) {
      for (auto& row : *rows) row.resize(padded);
    }
    nothing.assign(padded, 0);
    means.resize(padded);
    for (auto& row : colors) row.resize(padded);
    pairs.resize(2 * padded);
    fixed.resize(static_cast<std::size_t>(heat_width));
    held.fill(-1);
  }

  std::array<std::vector<std::int16_t>, 2> wide;     ///< rows of heat enlarged sideways, by row % 2
  std::array<int, 2> held{};                         ///< which rows those are
  std::array<std::vector<std::int16_t>, 2> between;  ///< heat of the luma rows of one chroma row
  std::vector<std::int16_t> nothing;                 ///< heat of a row outside
  std::vector<std::int16_t> means;                   ///< heat of a chroma row
  std::array<std::vector<std::uint8_t>, 2> colors;
  std::vector<std::uint8_t> pairs;
  std::vector<std::int16_t> fixed;  ///< a row of heat in the kernels' fixed point
};

HeatColors heat_colors(const std::array<cv::Vec3b, 256>& bgr, const ColorDescription& color) {
  const YuvScale scale = yuv_scale(color);
  HeatColors colors{};
  for (std::size_t i = 0; i < bgr.size(); ++i) {
    const auto yuv = yuv_of(bgr[i][0], bgr[i][1], bgr[i][2], scale);
    for (std::size_t p = 0; p < 3; ++p) {
      colors.tables[p][i] = cv::saturate_cast<std::uint8_t>(std::lround(yuv[p]));
    }
  }
  return colors;
}

int share_of(double opacity) {
  return static_cast<int>(std::lround(std::clamp(opacity, 0.0, 1.0) * 256));
}

HeatOnPlanes::HeatOnPlanes(const Mapping& mapping, cv::Size heat, cv::Size blob)
    : heat_(heat), axes_(heat_axes(mapping, heat, blob)) {}

/// A row of heat, enlarged to the width of the frame; 0 where the network saw nothing.
const std::int16_t* HeatOnPlanes::wide_row(const Job& job, int row, Scratch& scratch) const {
  const auto place = static_cast<std::size_t>(row % 2);
  std::vector<std::int16_t>& wide = scratch.wide[place];
  if (scratch.held[place] == row) return wide.data();
  scratch.held[place] = row;
  const float* const values =
      job.heat.values.data() + static_cast<std::size_t>(row) * scratch.fixed.size();
  constexpr float kMost = 255 << kernels::kHeatBits;
  constexpr float kHalf = 0.5F;  // none is negative
  for (std::size_t i = 0; i < scratch.fixed.size(); ++i) {
    const float steps = std::min(1.F, std::max(0.F, values[i])) * kMost;
    scratch.fixed[i] = static_cast<std::int16_t>(static_cast<int>(steps + kHalf));
  }
  const HeatAxis& x = axes_.x;
  if (!x.whole()) std::fill(wide.begin(), wide.end(), std::int16_t{0});
  job.table.widen_heat(scratch.fixed.data(), x.cells.data(), static_cast<int>(x.cells.size()) - 1,
                       x.toward.data(), wide.data());
  // The last cell may have written further.
  if (!x.whole()) std::fill(wide.begin() + x.end, wide.end(), std::int16_t{0});
  return wide.data();
}

/// The heat of row `y` of the frame; `place` of the rows that it may be written to.
const std::int16_t* HeatOnPlanes::heat_row(const Job& job, int y, int place,
                                           Scratch& scratch) const {
  const HeatAxis& axis = axes_.y;
  if (y < axis.begin || y >= axis.end) return scratch.nothing.data();
  const auto at = static_cast<std::size_t>(y);
  const kernels::HeatCell& cell = axis.cells[static_cast<std::size_t>(axis.cell_of[at])];
  const std::int16_t* const first = wide_row(job, cell.first, scratch);
  const std::int16_t* const second = wide_row(job, cell.second, scratch);
  const int width = job.out.width;
  std::vector<std::int16_t>& row = scratch.between[static_cast<std::size_t>(place)];
  job.table.between_heat(first, second, axis.toward[at], width, row.data());
  // Odd widths: the last column counts for two.
  row[static_cast<std::size_t>(width)] = row[static_cast<std::size_t>(width) - 1];
  return row.data();
}

/// `samples`: rows of chroma.
void HeatOnPlanes::draw_rows(const Job& job, const cv::Range& samples) const {
  static thread_local Scratch scratch;
  const PictureTarget& out = job.out;
  const FormatInfo& info = format_info(out.format);
  const bool interleaved = info.interleaved();
  scratch.begin(out.width, heat_.width);
  const bool mixed = job.share < 256;
  const auto look_up = [&](const std::int16_t* heat, int first, int count, int width,
                           std::uint8_t* const* to) {
    const std::uint8_t* tables[2] = {job.colors.tables[static_cast<std::size_t>(first)].data(),
                                     job.colors.tables[2].data()};
    job.table.look_up(heat, tables, count, width, to);
  };
  const auto mix = [&](std::size_t plane, int row, const std::uint8_t* colors, int width) {
    job.table.mix(job.picture.planes[plane].row(row), colors, job.share, width,
                  out.planes[plane].row(row));
  };
  std::uint8_t* const colors[2] = {scratch.colors[0].data(), scratch.colors[1].data()};

  const int each = 1 << info.chroma_y;
  const int count = out.planes[1].width;
  for (int sample = samples.start; sample < samples.end; ++sample) {
    const std::int16_t* heat[2] = {};
    for (int k = 0; k < each && sample * each + k < out.height; ++k) {
      const int y = sample * each + k;
      heat[k] = heat_row(job, y, k, scratch);
      std::uint8_t* const row = out.planes[0].row(y);
      look_up(heat[k], 0, 1, out.width, mixed ? colors : &row);
      if (mixed) mix(0, y, colors[0], out.width);
    }
    const std::int16_t* means = heat[0];
    if (info.chroma_x > 0) {
      job.table.mean_heat(heat[0], heat[1] != nullptr ? heat[1] : heat[0], count,
                          scratch.means.data());
      means = scratch.means.data();
    }
    if (!mixed && !interleaved) {
      std::uint8_t* const rows[2] = {out.planes[1].row(sample), out.planes[2].row(sample)};
      look_up(means, 1, 2, count, rows);
      continue;
    }
    look_up(means, 1, 2, count, colors);
    if (interleaved) {
      job.table.join(colors[0], colors[1], count,
                     mixed ? scratch.pairs.data() : out.planes[1].row(sample));
      if (mixed) mix(1, sample, scratch.pairs.data(), 2 * count);
      continue;
    }
    mix(1, sample, colors[0], count);
    mix(2, sample, colors[1], count);
  }
}

void HeatOnPlanes::draw(const PictureView& picture, const HeatMap& heat, const HeatColors& colors,
                        int share, const PictureTarget& out, const kernels::Table& table) const {
  check_planes(picture);
  check_planes(view_of(out));
  const FormatInfo& info = format_info(out.format);
  if (!info.yuv || info.bits != 8 || picture.format != out.format || picture.size() != out.size() ||
      out.size() != cv::Size(axes_.x.pixels, axes_.y.pixels) ||
      cv::Size(heat.width, heat.height) != heat_ || share < 0 || share > 256 ||
      heat.values.size() != static_cast<std::size_t>(heat.width) * heat.height) {
    throw std::invalid_argument("heat, picture and mapping do not fit each other");
  }
  if (!std::all_of(heat.values.begin(), heat.values.end(),
                   [](float value) { return std::isfinite(value); })) {
    throw std::runtime_error("the heat map holds a NaN or an infinity");
  }
  const Job job{picture, heat, colors, share, out, table};
  cv::parallel_for_(cv::Range(0, out.planes[1].height),
                    [&](const cv::Range& samples) { draw_rows(job, samples); });
}

}  // namespace gradcam
