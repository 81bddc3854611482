#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

/// How faithful a map is to the network, by the scores of pictures that are changed according to
/// it: here the arithmetic, in verify.h the runs of the network. Pure; any thread.
namespace gradcam {

/// The picture times its heat, so that only what the map calls important is left: what Grad-CAM++
/// (Chattopadhyay et al. 2018) measures. `heat` is 0..1 and of the blob's size; where it is 0, the
/// picture becomes `ground` (the mean colour, three numbers).
Blob masked(const Blob& blob, const HeatMap& heat, std::span<const float> ground);

/// Heat of the blob's size that is 0 everywhere.
HeatMap no_heat(const Blob& blob);

/// Indices into the heat's values, the hottest first; equals in the order of reading.
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
