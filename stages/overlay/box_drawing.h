#pragma once

#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stages/frame/box.h"
#include "stages/overlay/drawing.h"

namespace gradcam {

/// BGR, the same for a class in every frame, film and run; classes that are neighbours in a list
/// differ clearly.
cv::Scalar class_color(int index);

/// "car #4 87 %" in ASCII and at most `max_width` pixels wide: the label gives way first, then the
/// number. A class without label is "class 2"; an object that is not tracked has no number.
std::string box_text(const DetectedObject& object, int line_height, int max_width);

/// Where the label of a box goes: above it, below it, or inside at the top of a box at least twice
/// as high, whichever first lies within the frame and clear of `taken`; nothing if none does.
/// Sideways it starts with the box, moved into the frame.
std::optional<cv::Rect> label_place(cv::Rect box, cv::Size label, cv::Size frame,
                                    const std::vector<cv::Rect>& taken);

/// The objects' boxes and labels on a picture of this size, that of the frame: a line in the colour
/// of the class between dark edges, so that it shows on any ground. The explained ones have a broad
/// line and a label in full colour, and lie above the others; a label of another for which there is
/// no place clear of them and of better ones is left out. So are objects outside the frame and
/// those without area.
Drawing boxes_drawing(cv::Size picture, const std::vector<DetectedObject>& objects);

/// Draws them into `picture` (BGR u8).
void draw_boxes(cv::Mat& picture, const std::vector<DetectedObject>& objects);

}  // namespace gradcam
