#include "stages/explain/maps/heat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace gradcam {
namespace {

/// Between which two pixels of the small map a pixel of the large one lies (half-pixel centres, as
/// torch's align_corners=False and cv2's INTER_LINEAR).
struct Tap {
  std::size_t first;
  std::size_t second;
  float toward_second;
};

std::vector<Tap> taps_of(int small, int large) {
  std::vector<Tap> taps;
  const float scale = static_cast<float>(small) / static_cast<float>(large);
  for (int i = 0; i < large; ++i) {
    const float at = std::max(0.F, (static_cast<float>(i) + 0.5F) * scale - 0.5F);
    const int first = std::min(static_cast<int>(at), small - 1);
    taps.push_back({static_cast<std::size_t>(first),
                    static_cast<std::size_t>(std::min(first + 1, small - 1)),
                    at - static_cast<float>(first)});
  }
  return taps;
}

HeatMap enlarge(const HeatMap& map, int height, int width) {
  if (map.height == height && map.width == width) return map;
  const auto columns = taps_of(map.width, width);
  const auto rows = taps_of(map.height, height);
  const auto small = static_cast<std::size_t>(map.width);
  const auto large = static_cast<std::size_t>(width);
  std::pmr::vector<float> wide(static_cast<std::size_t>(map.height) * large);
  for (std::size_t y = 0; y < static_cast<std::size_t>(map.height); ++y) {
    const float* const from = map.values.data() + y * small;
    float* to = wide.data() + y * large;
    for (const Tap& tap : columns) {
      *to++ = from[tap.first] + (from[tap.second] - from[tap.first]) * tap.toward_second;
    }
  }
  HeatMap result{height, width, std::pmr::vector<float>(static_cast<std::size_t>(height) * large)};
  float* to = result.values.data();
  for (const Tap& tap : rows) {
    const float* const first = wide.data() + tap.first * large;
    const float* const second = wide.data() + tap.second * large;
    for (std::size_t x = 0; x < large; ++x) {
      to[x] = first[x] + (second[x] - first[x]) * tap.toward_second;
    }
    to += large;
  }
  return result;
}

HeatMap positive(HeatMap map) {
  for (float& value : map.values) value = std::max(value, 0.F);
  return map;
}

/// Smallest and largest value, in lanes that do not wait for each other: ten times as fast as
/// std::minmax_element.
std::pair<float, float> range_of(const std::pmr::vector<float>& values) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> low;
  std::array<float, kLanes> high;
  low.fill(values.at(0));
  high.fill(values.at(0));
  const auto take = [&](std::size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
  };
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (; i < values.size(); ++i) take(0, values[i]);
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end())};
}

/// The value of the pixel that holds each place, as torch's mode "nearest".
HeatMap enlarge_nearest(const HeatMap& map, int height, int width) {
  HeatMap result{height, width, {}};
  result.values.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (int y = 0; y < height; ++y) {
    const float* const row =
        map.values.data() + static_cast<std::ptrdiff_t>(y * map.height / height) * map.width;
    for (int x = 0; x < width; ++x) result.values.push_back(row[x * map.width / width]);
  }
  return result;
}

/// One layer's map; `first` is that of the first layer.
HeatMap in_style(const HeatMap& map, Style style, const HeatMap& first, int height, int width) {
  switch (style) {
    case Style::kNotebook:
      return enlarge(positive(map), first.height, first.width);
    case Style::kCaptum:
      return enlarge_nearest(map, height, width);
    case Style::kRaw:
      return enlarge(map, height, width);
    case Style::kGradcam:
      break;
  }
  return enlarge(min_max(positive(map)), height, width);
}

}  // namespace

HeatMap min_max(HeatMap map) {
  const auto [low, high] = range_of(map.values);
  const float scale = 1 / (1e-7F + (high - low));
  for (float& value : map.values) value = (value - low) * scale;
  return map;
}

HeatMap to_heat(const std::vector<HeatMap>& maps, Style style, int height, int width) {
  HeatMap mean;
  for (const HeatMap& map : maps) {
    // The sum is finite only if all are: one number to look at instead of a mask.
    if (!std::isfinite(std::accumulate(map.values.begin(), map.values.end(), 0.0))) {
      throw std::runtime_error("the map holds a NaN or an infinity");
    }
    // Adds nothing: of a detector's box, most levels.
    if (style == Style::kGradcam && range_of(map.values).second <= 0) continue;
    HeatMap heat = in_style(map, style, maps[0], height, width);
    if (mean.values.empty()) {
      mean = std::move(heat);
    } else {
      for (std::size_t i = 0; i < mean.values.size(); ++i) mean.values[i] += heat.values[i];
    }
  }
  if (mean.values.empty()) {
    const auto places = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    return {height, width, std::pmr::vector<float>(places)};
  }
  const auto layers = static_cast<float>(maps.size());
  if (maps.size() > 1) {
    for (float& value : mean.values) value /= layers;
  }
  return style == Style::kGradcam ? min_max(std::move(mean)) : mean;
}

HeatMap merge_heats(std::vector<HeatMap> heats) {
  HeatMap merged = std::move(heats.at(0));
  for (std::size_t k = 1; k < heats.size(); ++k) {
    float* const to = merged.values.data();
    const float* const from = heats[k].values.data();
    for (std::size_t i = 0; i < merged.values.size(); ++i)
      to[i] = from[i] > to[i] ? from[i] : to[i];
  }
  return merged;
}

void align_sign(HeatMap& map, HeatMap& last) {
  if (last.values.size() == map.values.size()) {
    double product = 0;
    for (std::size_t i = 0; i < map.values.size(); ++i) {
      product += static_cast<double>(map.values[i]) * static_cast<double>(last.values[i]);
    }
    if (product < 0) {
      for (float& value : map.values) value = -value;
    }
  }
  last = map;
}

}  // namespace gradcam
