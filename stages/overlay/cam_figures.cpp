#include "stages/overlay/cam_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <vector>

#include "stages/overlay/heat_axis.h"

namespace gradcam {
namespace {

/// Of a map of this size; `read(y, columns, values)` gives those pixels of its row y.
template <typename Read>
double entropy_of(cv::Size map, const Read& read) {
  constexpr int kMostPerSide = 128;
  cv::Mat samples(std::min(map.height, kMostPerSide), std::min(map.width, kMostPerSide), CV_32F);
  std::vector<int> columns;
  for (int x = 0; x < samples.cols; ++x) {
    columns.push_back((2 * x + 1) * map.width / (2 * samples.cols));
  }
  for (int y = 0; y < samples.rows; ++y) {
    read((2 * y + 1) * map.height / (2 * samples.rows), columns, samples.ptr<float>(y));
  }
  samples = cv::max(samples, 1e-20F);  // not 0, whose logarithm is infinite
  const double sum = cv::sum(samples)[0];
  if (sum < 1e-10 || samples.total() < 2) return 0;
  cv::Mat logs;
  cv::log(samples, logs);
  // -sum p log p with p = v / sum
  const double entropy = std::log(sum) - samples.dot(logs) / sum;
  return std::clamp(entropy / std::log(static_cast<double>(samples.total())), 0.0, 1.0);
}

/// Sums over a map: of the values, of the values times column and row, of those above 0.5; and the
/// highest of each column.
struct Sums {
  double values = 0;
  cv::Point2d moments;
  int above = 0;
  std::vector<float> highest;
};

/// Adds columns [begin, begin + Width). Column by column, because a single sum over floats cannot
/// be worked out many pixels at a time; the columns' sums are local, so that the compiler knows
/// that they are not part of the map.
template <std::size_t Width>
void add_columns(const cv::Mat& map, int begin, Sums& sums) {
  std::array<float, Width> values{};
  std::array<float, Width> moments{};
  std::array<int, Width> above{};
  std::array<float, Width> highest{};
  for (int y = 0; y < map.rows; ++y) {
    const float* row = map.ptr<float>(y) + begin;
    const auto weight = static_cast<float>(y);
    for (std::size_t x = 0; x < Width; ++x) {
      values[x] += row[x];
      moments[x] += row[x] * weight;
      above[x] += row[x] > 0.5f ? 1 : 0;
      highest[x] = row[x] > highest[x] ? row[x] : highest[x];
    }
  }
  for (std::size_t x = 0; x < Width; ++x) {
    const double column = begin + static_cast<double>(x);
    sums.values += values[x];
    sums.moments += cv::Point2d(values[x] * column, moments[x]);
    sums.above += above[x];
    sums.highest.push_back(highest[x]);
  }
}

Sums sums_of(const cv::Mat& map) {
  Sums sums;
  int x = 0;
  // Wide strips, because short pieces of long rows come slowly from memory.
  for (; x + 256 <= map.cols; x += 256) add_columns<256>(map, x, sums);
  for (; x + 32 <= map.cols; x += 32) add_columns<32>(map, x, sums);
  for (; x < map.cols; ++x) add_columns<1>(map, x, sums);
  return sums;
}

/// The first place, row by row, that holds the highest value of all.
cv::Point peak_of(const cv::Mat& map, const std::vector<float>& highest, float most) {
  cv::Point peak(0, map.rows);
  for (int x = 0; x < map.cols; ++x) {
    if (highest[static_cast<std::size_t>(x)] < most) continue;
    int y = 0;
    while (y < peak.y && map.at<float>(y, x) < most) ++y;
    if (y < peak.y) peak = {x, y};
  }
  return peak;
}

/// A pixel lies so far from the first to the second of two values.
struct Place {
  int first = 0;
  int second = 0;
  float toward = 0;
};

/// Nothing where the pixel shows no heat.
std::optional<Place> place_of(const HeatAxis& axis, int pixel) {
  if (pixel < axis.begin || pixel >= axis.end) return std::nullopt;
  const auto at = static_cast<std::size_t>(pixel);
  const kernels::HeatCell& cell = axis.cells[static_cast<std::size_t>(axis.cell_of[at])];
  return Place{cell.first, cell.second, static_cast<float>(axis.toward[at]) / 32768};
}

/// What one axis of the frame makes of each value of the heat.
struct Shares {
  Shares(const HeatAxis& axis, int values)
      : weight(static_cast<std::size_t>(values)),
        moment(weight),
        pixels(weight),
        best(weight.size(), -1) {
    std::vector<float> nearest(weight.size());
    for (int pixel = axis.begin; pixel < axis.end; ++pixel) {
      const Place place = *place_of(axis, pixel);
      const auto add = [&](int value, float share) {
        const auto at = static_cast<std::size_t>(value);
        weight[at] += static_cast<double>(share);
        moment[at] += static_cast<double>(share) * pixel;
        if (share <= nearest[at]) return;
        nearest[at] = share;
        best[at] = pixel;
      };
      const auto closer = place.toward < 0.5F ? place.first : place.second;
      pixels[static_cast<std::size_t>(closer)] += 1;
      if (place.first == place.second) {
        add(place.first, 1);
      } else {
        add(place.first, 1 - place.toward);
        add(place.second, place.toward);
      }
    }
  }

  std::vector<double> weight;  ///< how many pixels the value makes, taken together
  std::vector<double> moment;  ///< the same, times their place
  std::vector<double> pixels;  ///< that lie nearest to it
  std::vector<int> best;       ///< the pixel that it makes most of; -1: none
};

class Surface {
 public:
  Surface(const HeatMap& heat, const HeatAxes& axes) : heat_(heat), axes_(axes) {}

  /// As map_on_frame().
  float at(const Place& across, const Place& down) const {
    const float upper = between(down.first, across);
    return upper + (between(down.second, across) - upper) * down.toward;
  }
  /// At a pixel of the frame that shows heat.
  float at(int x, int y) const { return at(*place_of(axes_.x, x), *place_of(axes_.y, y)); }

 private:
  float between(int row, const Place& across) const {
    const float* const values =
        heat_.values.data() + static_cast<std::ptrdiff_t>(row) * heat_.width;
    const float near = values[across.first];
    return near + (values[across.second] - near) * across.toward;
  }

  const HeatMap& heat_;
  const HeatAxes& axes_;
};

/// The pixel where the map is highest, the first one row by row. It is one of those on both sides
/// of a value's centre; values much below the highest need no look.
cv::Point peak_of(const Surface& surface, const HeatMap& heat, const HeatAxes& axes,
                  const Shares& across, const Shares& down, float most) {
  constexpr float kNear = 0.75F;
  cv::Point peak;
  float highest = 0;
  const auto look = [&](int x, int y) {
    if (x < axes.x.begin || x >= axes.x.end || y < axes.y.begin || y >= axes.y.end) return;
    const float found = surface.at(x, y);
    const bool earlier = y < peak.y || (y == peak.y && x < peak.x);
    if (found < highest || (found == highest && !earlier)) return;
    highest = found;
    peak = {x, y};
  };
  const float* value = heat.values.data();
  for (std::size_t row = 0; row < down.best.size(); ++row) {
    for (std::size_t column = 0; column < across.best.size(); ++column, ++value) {
      if (*value < most * kNear || across.best[column] < 0 || down.best[row] < 0) continue;
      for (int y = down.best[row] - 1; y <= down.best[row] + 1; ++y) {
        for (int x = across.best[column] - 1; x <= across.best[column] + 1; ++x) look(x, y);
      }
    }
  }
  return peak;
}

}  // namespace

CamFigures figures_of(const cv::Mat& map) {
  CamFigures figures;
  const Sums sums = sums_of(map);
  const float most = *std::max_element(sums.highest.begin(), sums.highest.end());
  if (most <= 0) return figures;
  figures.peak = peak_of(map, sums.highest, most);
  figures.centroid = sums.moments / sums.values;
  figures.coverage = sums.above / static_cast<double>(map.total());
  figures.entropy =
      entropy_of(map.size(), [&](int y, const std::vector<int>& columns, float* values) {
        const float* const row = map.ptr<float>(y);
        for (const int x : columns) *values++ = row[x];
      });
  return figures;
}

CamFigures figures_of(const HeatMap& heat, const Mapping& mapping, cv::Size blob) {
  if (heat.values.size() != static_cast<std::size_t>(heat.width) * heat.height) {
    throw std::invalid_argument("the heat map holds too many or too few values for its size");
  }
  const HeatAxes axes = heat_axes(mapping, {heat.width, heat.height}, blob);
  const Shares across(axes.x, heat.width);
  const Shares down(axes.y, heat.height);
  double sum = 0;
  cv::Point2d moments;
  double above = 0;
  float most = 0;
  const float* value = heat.values.data();
  for (std::size_t row = 0; row < down.weight.size(); ++row) {
    double values = 0, moment = 0, high = 0;
    for (std::size_t column = 0; column < across.weight.size(); ++column, ++value) {
      values += across.weight[column] * static_cast<double>(*value);
      moment += across.moment[column] * static_cast<double>(*value);
      if (*value > 0.5F) high += across.pixels[column];
      const bool shown = across.best[column] >= 0 && down.best[row] >= 0;
      if (shown && *value > most) most = *value;
    }
    sum += values * down.weight[row];
    moments += cv::Point2d(moment * down.weight[row], values * down.moment[row]);
    above += high * down.pixels[row];
  }
  if (!std::isfinite(sum)) throw std::runtime_error("the heat map holds a NaN or an infinity");
  CamFigures figures;
  if (most <= 0) return figures;
  const Surface surface(heat, axes);
  const cv::Size frame(mapping.frame_width, mapping.frame_height);
  figures.peak = peak_of(surface, heat, axes, across, down, most);
  figures.centroid = moments / sum;
  figures.coverage = above / frame.area();
  std::vector<std::optional<Place>> places;  // of the columns, the same in each row
  figures.entropy = entropy_of(frame, [&](int y, const std::vector<int>& columns, float* values) {
    if (places.empty()) {
      for (const int x : columns) places.push_back(place_of(axes.x, x));
    }
    const auto row = place_of(axes.y, y);
    for (const auto& place : places) *values++ = row && place ? surface.at(*place, *row) : 0;
  });
  return figures;
}

}  // namespace gradcam
