#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <optional>

namespace gradcam {

/// How many channels the picture has that a network takes: what its first convolution says, where
/// the picture comes there as it is, but for arithmetic and padding. nullopt: that does not tell.
/// `inlined`: forward of `module` without calls. Internal to stages/explain.
std::optional<std::int64_t> channels_of_picture(torch::jit::Graph& inlined,
                                                const torch::jit::Module& module);

}  // namespace gradcam
