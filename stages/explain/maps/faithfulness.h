#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

/// How far a map can be trusted, by what the network says of pictures changed according to it. The
/// arithmetic alone; verify.h runs the network. Pure; any thread.
namespace gradcam {

/// The picture times its heat: what the map calls important alone, as Grad-CAM++ (Chattopadhyay et
/// al. 2018) measures it. `heat` 0..1 of the blob's size; what goes becomes `ground` (the mean
/// colour, three numbers).
Blob masked(const Blob& blob, const HeatMap& heat, std::span<const float> ground);

/// Heat of the blob's size that is 0 everywhere.
HeatMap no_heat(const Blob& blob);

/// The places of a map, the hottest first; equals in the order of reading.
std::vector<std::size_t> hottest_first(const HeatMap& heat);

/// The picture `to` with the first `count` places of `order` taken from `from`.
Blob exchanged(const Blob& to, const Blob& from, std::span<const std::size_t> order,
               std::size_t count);

/// A picture without detail, from which insertion begins: the mean of each square of 1/8 of the
/// shorter side.
Blob blurred(const Blob& blob);

/// The area under a curve over 0..1 of equally spaced values (trapezia).
double area_under(std::span<const double> curve);

/// Pearson's correlation; 1 for two maps without contrast, 0 where one alone has none.
double correlation(const HeatMap& one, const HeatMap& other);

}  // namespace gradcam
