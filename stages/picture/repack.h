#pragma once

#include "stages/picture/planes.h"

namespace gradcam {

/// The format of 8 bits with the same planes.
PixelFormat format_of_8_bits(PixelFormat format);

/// The part of convert() that goes from planes to planes of the same coding: copies, rounds 10 bits
/// to 8, takes the mean of chroma. Throws std::invalid_argument on what it cannot do.
void repack(const PictureView& from, const PictureTarget& to);

}  // namespace gradcam
