#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core.hpp>

#include "stages/frame/blob.h"
#include "stages/frame/heat_map.h"
#include "stages/overlay/heat_axis.h"
#include "stages/picture/planes.h"

namespace gradcam {

/// Y, U, V of the 256 steps of a colour map, in a picture's coding.
struct HeatColors {
  alignas(64) std::array<std::array<std::uint8_t, 256>, 3> tables;
};

/// `bgr`: as colormap.h has them. `color`: of the picture that the heat is laid on.
HeatColors heat_colors(const std::array<cv::Vec3b, 256>& bgr, const ColorDescription& color);

/// Lays heat on a picture in the picture's own planes. What map_on_frame(), colorize() and blend()
/// of style gradcam do in BGR, in one pass: a few rows of the map are enlarged at a time, the steps
/// of luma and of chroma (the mean of a sample's pixels) become colours by table, and those are
/// mixed with the picture. Style notebook cannot be had so: its white clips each colour by itself.
/// Against conversion to BGR, blend and conversion back: within 2 levels of Y, U and V, 4 at edges
/// of chroma. Colours outside RGB stay as they are. Immutable; any thread.
class HeatOnPlanes {
 public:
  /// Throws std::invalid_argument if the mapping is empty.
  HeatOnPlanes(const Mapping& mapping, cv::Size heat, cv::Size blob);

  /// `picture` and `out`: one format (4:2:0, 4:2:2 or 4:4:4, 8 bits), of the mapping's frame size;
  /// they may be the same memory. `heat`: 0..1, of the size said above. `share`: how much of the
  /// heat is seen, 0 .. 256; of 256 (view heatmap) the picture is not read. Uses OpenCV's threads.
  /// Throws std::invalid_argument on sizes and formats that do not fit, std::runtime_error on NaN
  /// or infinity.
  void draw(const PictureView& picture, const HeatMap& heat, const HeatColors& colors, int share,
            const PictureTarget& out, const kernels::Table& table = kernels::best()) const;

 private:
  struct Scratch;
  struct Job;
  void draw_rows(const Job& job, const cv::Range& samples) const;
  const std::int16_t* wide_row(const Job& job, int row, Scratch& scratch) const;
  const std::int16_t* heat_row(const Job& job, int y, int place, Scratch& scratch) const;

  cv::Size heat_;
  HeatAxes axes_;
};

/// Opacity 0..1 as draw() takes it.
int share_of(double opacity);

}  // namespace gradcam
