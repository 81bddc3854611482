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

/// Of a layer that is looked into: as the description says, and what is left over at the end is no
/// place.
std::optional<TokenGrid> grid_in(std::int64_t tokens, const ModelDescription& description) {
  const auto& said = description.tokens;
  if (!said) return grid_of(tokens, description);
  return tokens < said->drop + std::int64_t{said->height} * said->width ? std::nullopt : said;
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

std::optional<TokenGrid> grid_of(std::int64_t tokens, const ModelDescription& description) {
  if (const auto& said = description.tokens) {
    return tokens == said->drop + std::int64_t{said->height} * said->width ? said : std::nullopt;
  }
  constexpr std::int64_t kMostInFront = 16;  // a class token and up to eight registers are known
  std::optional<TokenGrid> best;
  for (std::int64_t height = 1; height <= tokens; ++height) {
    const std::int64_t width = (height * description.input_width + description.input_height / 2) /
                               description.input_height;
    const std::int64_t left = tokens - height * width;
    if (left < 0) break;
    if (width < 1 || left > kMostInFront || !in_proportion(height, width, description)) continue;
    if (height * width == 1) continue;
    best = TokenGrid{static_cast<int>(left), static_cast<int>(height), static_cast<int>(width)};
  }
  return best;
}

at::Tensor to_places(const at::Tensor& activation, const ModelDescription& description) {
  if (is_channels_last(activation, description)) return activation.permute({2, 0, 1});
  if (activation.dim() == 3) return activation;
  const auto grid = activation.dim() == 2 ? grid_in(activation.size(0), description) : std::nullopt;
  if (!grid) {
    std::ostringstream text;
    text << "the layer gives " << activation.sizes();
    if (const auto& said = description.tokens) {
      text << ", the description's tokens say " << said->drop << " + " << said->height << "x"
           << said->width;
    } else {
      text << ", which is no grid of places in the picture's proportions; the description can say "
              "one: \"tokens\": {\"drop\": N, \"grid\": [height, width]}";
    }
    throw std::runtime_error(text.str());
  }
  const std::int64_t places = std::int64_t{grid->height} * grid->width;
  return activation.narrow(0, grid->drop, places)
      .t()
      .reshape({activation.size(1), grid->height, grid->width});
}

at::Tensor from_places(const at::Tensor& places, const at::Tensor& like,
                       const ModelDescription& description) {
  if (is_channels_last(like, description)) return places.permute({0, 2, 3, 1}).contiguous();
  if (like.dim() == 3) return places;
  const TokenGrid grid = grid_in(like.size(0), description).value();
  const at::Tensor tokens = places.flatten(2).transpose(1, 2);
  const std::int64_t end = grid.drop + tokens.size(1);
  if (like.size(0) == tokens.size(1)) return tokens.contiguous();
  const auto others = [&](std::int64_t first, std::int64_t count) {
    const at::Tensor part = like.narrow(0, first, count).unsqueeze(0);
    return part.expand({places.size(0), count, like.size(1)});
  };
  return at::cat({others(0, grid.drop), tokens, others(end, like.size(0) - end)}, 1);
}

}  // namespace gradcam
