#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "stages/frame/description.h"

namespace gradcam {

/// The activation of one picture as [C, h, w]. It may come like that, as tokens [T, C], of which
/// the first `grid.drop` are no places, or as [h, w, C]. A view where possible. Throws
/// std::runtime_error for tokens that are not as `grid` says, and for tokens without a grid.
at::Tensor to_places(const at::Tensor& activation, const std::optional<TokenGrid>& grid);

/// The way back for many: activations [B, …], each shaped as `like`, the activation of one picture.
/// Their places come from `places` [B, C, h, w]; what is no place (class token) is copied from
/// `like`.
at::Tensor from_places(const at::Tensor& places, const at::Tensor& like,
                       const std::optional<TokenGrid>& grid);

}  // namespace gradcam
