#include "stages/explain/maps/augmentation.h"

#include <algorithm>
#include <cmath>

namespace gradcam {

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const bool mirrored : {false, true}) {
    for (const float contrast : {1.F, 0.9F, 1.1F}) all.push_back({mirrored, contrast});
  }
  return all;
}

Blob varied(const Blob& blob, const Variant& variant, const Normalisation& normalisation) {
  Blob result = blob;
  const auto width = static_cast<std::size_t>(blob.width);
  const auto channels = static_cast<std::size_t>(blob.channels);
  for (std::size_t pixel = 0; pixel < result.pixels.size() / channels; ++pixel) {
    const std::size_t row = pixel / width * width;
    const std::size_t from = variant.mirrored ? row + width - 1 - (pixel - row) : pixel;
    for (std::size_t c = 0; c < channels; ++c) {
      const float offset = normalisation.offset()[c];
      const float value =
          (static_cast<float>(blob.pixels[channels * from + c]) - offset) * variant.contrast +
          offset;
      result.pixels[channels * pixel + c] =
          static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.F, 255.F)));
    }
  }
  return result;
}

HeatMap mean_of(const std::vector<HeatMap>& heats) {
  const std::vector<Variant> all = variants();
  HeatMap mean{heats.at(0).height, heats[0].width,
               std::pmr::vector<float>(heats[0].values.size(), 0.F)};
  const auto width = static_cast<std::size_t>(mean.width);
  for (std::size_t k = 0; k < heats.size(); ++k) {
    for (std::size_t i = 0; i < mean.values.size(); ++i) {
      const std::size_t row = i / width * width;
      const std::size_t from = all.at(k).mirrored ? row + width - 1 - (i - row) : i;
      mean.values[i] += heats[k].values[from] / static_cast<float>(heats.size());
    }
  }
  return mean;
}

}  // namespace gradcam
