#pragma once

#include <vector>

#include "stages/explain/model/normalisation.h"
#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"

/// `--smooth aug`, as pytorch-grad-cam's aug_smooth: the mean of the heat of a picture and its
/// mirror image, each in three contrasts. Pure; any thread.
namespace gradcam {

struct Variant {
  bool mirrored = false;
  float contrast = 1;  ///< factor on the normalised picture
};

/// Six, the picture itself first.
std::vector<Variant> variants();

/// The picture so changed; values beyond 0..255 are cut.
Blob varied(const Blob& blob, const Variant& variant, const Normalisation& normalisation);

/// The mean of the variants' heats, those of mirror images turned back.
HeatMap mean_of(const std::vector<HeatMap>& heats);

}  // namespace gradcam
