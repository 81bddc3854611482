#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "stages/frame/description.h"

namespace gradcam {

/// The activation of one picture as places [C, h, w]: as it is, or of tokens [T, C] less those that
/// are no places, or of [h, w, C]. Views, where possible. Throws std::runtime_error where the
/// tokens are not as `grid` says, and for tokens without a grid.
at::Tensor to_places(const at::Tensor& activation, const std::optional<TokenGrid>& grid);

/// The way back for many: activations [B, …] shaped as `like` (of one picture), their places those
/// of [B, C, h, w], all else as in `like`.
at::Tensor from_places(const at::Tensor& places, const at::Tensor& like,
                       const std::optional<TokenGrid>& grid);

}  // namespace gradcam
