#include "stages/explain/graph/tokens.h"

#include <ATen/ops/cat.h>

#include <sstream>
#include <stdexcept>

namespace gradcam {
namespace {

/// [h, w, C], as Swin has it.
bool channels_last(const at::Tensor& activation, const TokenGrid& grid) {
  return activation.dim() == 3 && activation.size(0) == grid.height &&
         activation.size(1) == grid.width;
}

/// [C, h, w] already, of any size, as before the patches become tokens.
bool is_map(const at::Tensor& activation, const TokenGrid& grid) {
  return activation.dim() == 3 && !channels_last(activation, grid);
}

}  // namespace

at::Tensor to_places(const at::Tensor& activation, const std::optional<TokenGrid>& grid) {
  if (!grid) {
    if (activation.dim() == 3) return activation;
    throw std::runtime_error(
        "the layer gives tokens, not places: the description must say \"tokens\": {\"drop\": N, "
        "\"grid\": [height, width]}");
  }
  if (is_map(activation, *grid)) return activation;
  if (channels_last(activation, *grid)) return activation.permute({2, 0, 1});
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
                       const std::optional<TokenGrid>& grid) {
  if (!grid || is_map(like, *grid)) return places;
  if (channels_last(like, *grid)) return places.permute({0, 2, 3, 1}).contiguous();
  const at::Tensor tokens = places.flatten(2).transpose(1, 2);
  if (grid->drop == 0) return tokens.contiguous();
  const at::Tensor others = like.narrow(0, 0, grid->drop).unsqueeze(0);
  return at::cat({others.expand({places.size(0), grid->drop, like.size(1)}), tokens}, 1);
}

}  // namespace gradcam
