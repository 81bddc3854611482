#pragma once

#include <vector>

#include "stages/explain/model/normalisation.h"
#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

/// `--smooth aug`, as pytorch-grad-cam's aug_smooth: the mean heat of a picture and its mirror
/// image, each in three contrasts. Pure; any thread.
namespace gradcam {

struct Variant {
  bool mirrored = false;
  float contrast = 1;  ///< factor on the normalised picture
};

/// The six variants, the picture itself first.
std::vector<Variant> variants();

/// The picture, mirrored and with its contrast changed; values are clipped to 0..255.
Blob varied(const Blob& blob, const Variant& variant, const Normalisation& normalisation);

/// The mean of the heats of variants(), in their order; those of mirror images are mirrored back.
HeatMap mean_of(const std::vector<HeatMap>& heats);

}  // namespace gradcam
