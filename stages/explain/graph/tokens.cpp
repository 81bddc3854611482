#include "stages/explain/graph/tokens.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace gradcam {
namespace {

bool is_channels_last(const at::Tensor& activation, const ModelDescription& description) {
  return activation.dim() == 3 &&
         is_channels_last({activation.sizes().data(), activation.sizes().size()}, description);
}

}  // namespace

bool in_proportion(std::int64_t height, std::int64_t width, const ModelDescription& description) {
  const std::int64_t skew =
      std::abs(height * description.input_width - width * description.input_height);
  return skew < std::max(description.input_height, description.input_width);
}

bool is_channels_last(std::span<const std::int64_t> shape, const ModelDescription& description) {
  const auto& grid = description.tokens;
  if (grid && shape[0] == grid->height && shape[1] == grid->width) return true;
  return in_proportion(shape[0], shape[1], description) &&
         !in_proportion(shape[1], shape[2], description);
}

at::Tensor to_places(const at::Tensor& activation, const ModelDescription& description) {
  if (is_channels_last(activation, description)) return activation.permute({2, 0, 1});
  if (activation.dim() == 3) return activation;
  const auto& grid = description.tokens;
  if (!grid) {
    throw std::runtime_error(
        "the layer gives tokens, not places: the description must say \"tokens\": {\"drop\": N, "
        "\"grid\": [height, width]}");
  }
  const std::int64_t places = std::int64_t{grid->height} * grid->width;
  if (activation.dim() != 2 || activation.size(0) != grid->drop + places) {
    std::ostringstream text;
    text << "the layer gives " << activation.sizes() << ", the description's tokens say "
         << grid->drop << " + " << grid->height << "x" << grid->width;
    throw std::runtime_error(text.str());
  }
  return activation.narrow(0, grid->drop, places)
      .t()
      .reshape({activation.size(1), grid->height, grid->width});
}

at::Tensor from_places(const at::Tensor& places, const at::Tensor& like,
                       const ModelDescription& description) {
  if (is_channels_last(like, description)) return places.permute({0, 2, 3, 1}).contiguous();
  if (like.dim() == 3) return places;
  const auto& grid = description.tokens.value();
  const at::Tensor tokens = places.flatten(2).transpose(1, 2);
  if (grid.drop == 0) return tokens.contiguous();
  const at::Tensor others = like.narrow(0, 0, grid.drop).unsqueeze(0);
  return at::cat({others.expand({places.size(0), grid.drop, like.size(1)}), tokens}, 1);
}

}  // namespace gradcam
