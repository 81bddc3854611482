#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>

#include "stages/frame/description.h"

namespace gradcam {

/// As large in both directions as the network's picture divided by one number, but for what
/// rounding and padding change.
bool in_proportion(std::int64_t height, std::int64_t width, const ModelDescription& description);

/// Whether an activation of the shape [a, b, c] is [h, w, C], as Swin's and others' are: its first
/// two sizes are in the proportions of the input, and its last two are not.
bool is_channels_last(std::span<const std::int64_t> shape, const ModelDescription& description);

/// How that many tokens lie: as the description says; where it says nothing, in the largest grid of
/// the input's proportions that leaves but a few in front (class and register tokens). nullopt:
/// they are not as the description says, or make no grid.
std::optional<TokenGrid> grid_of(std::int64_t tokens, const ModelDescription& description);

/// The activation of one picture as [C, h, w]. It may come like that, as [h, w, C], or as tokens
/// [T, C] in the grid_of() them; where the description says how they lie, those behind its grid, such
/// as a YOLOS's to detect with, are left out. A view where possible. Throws std::runtime_error for
/// fewer tokens than the description says, and for such that make no grid.
at::Tensor to_places(const at::Tensor& activation, const ModelDescription& description);

/// The way back for many: activations [B, …], each shaped as `like`, the activation of one picture.
/// Their places come from `places` [B, C, h, w]; what is no place (class token) is copied from
/// `like`.
at::Tensor from_places(const at::Tensor& places, const at::Tensor& like,
                       const ModelDescription& description);

}  // namespace gradcam
