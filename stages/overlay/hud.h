#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "stages/overlay/drawing.h"
#include "stages/overlay/overlay.h"

namespace gradcam {

/// "78.1 %" for a score within 0..1, else the number itself (a regression value, a logit).
std::string score_text(float score);

/// What is explained, in ASCII and at most `max_width` pixels wide: "tabby 78.1 %"; of several,
/// separated by commas; of a regression its value with its sign. Labels give way before scores do;
/// a class without label is "class 281".
std::string target_text(const std::vector<ClassScore>& targets, int line_height, int max_width,
                        bool are_values = false);

/// What stands above the result of side_by_side() for a frame of this size: the target, or that the
/// frame failed.
std::string side_by_side_title(const Explained& explained, cv::Size frame);

/// The HUD of a picture of this size, in parts that lie apart: in the top left target, rate,
/// latency, drops, age of a carried map, model, layer, method and the best classes as bars, the
/// target's in another colour; a failed frame's message along the bottom. Where not all fits, what
/// never changes is left out first; below 320x240 one line with the target (or the message)
/// remains.
std::vector<Drawing> hud_drawings(cv::Size picture, const Explained& explained,
                                  const HudText& text);

/// Draws them into `picture` (BGR u8).
void draw_hud(cv::Mat& picture, const Explained& explained, const HudText& text);

}  // namespace gradcam
