#pragma once

#include <string_view>

namespace gradcam {

/// False for a JPEG file that was cut off: decoders fill the rest with grey and say nothing. What
/// lies behind the picture's end does not count (the film of a motion photo, the second picture of
/// an MPO pair), nor what lies inside its segments (a preview). ITU-T T.81, B.1 and B.2.
bool is_whole_jpeg(std::string_view bytes);

}  // namespace gradcam
