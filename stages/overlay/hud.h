#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "stages/overlay/overlay.h"

namespace gradcam {

/// "78.1 %" for a score within 0..1, else the number itself (a regression value, a logit).
std::string score_text(float score);

/// What is explained, in ASCII and at most `max_width` pixels wide: "tabby 78.1 %"; of several,
/// separated by commas; of a regression its value with its sign. Labels give way before scores do;
/// a class without label is "class 281".
std::string target_text(const std::vector<ClassScore>& targets, int line_height, int max_width,
                        bool are_values = false);

/// Draws the HUD into the top left of `picture` (BGR u8): target, rate, latency, drops, age of a
/// carried map, model, layer, method and the best classes as bars, the target's in another colour;
/// a failed frame's message along the bottom. Where not all fits, what never changes is left out
/// first; below 320x240 one line with the target (or the message) remains.
void draw_hud(cv::Mat& picture, const Explained& explained, const HudText& text);

}  // namespace gradcam
