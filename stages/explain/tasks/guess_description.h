#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stages/frame/description.h"

namespace gradcam {

/// One of the tensors that a network gives, for one picture.
struct NetworkOutput {
  OutputChoice choice;              ///< how a description would select it
  std::string name;                 ///< its key or its name in the file; empty = none
  std::vector<std::int64_t> shape;  ///< with the dimension of the pictures in front
  bool is_float = true;
  std::vector<float> values{};  ///< row by row, of floats in three dimensions; else empty
};

/// Of a network that nothing describes: finds out what its outputs mean, where their shapes, names
/// and values leave no doubt worth naming, and completes `description` (its labels and the size of
/// its input must be right). Known are
///   1x(4+C)xN and 1xNx(5+C), N cells of strides 4 to 64: yolov8, with masks, points or angles,
///   too; yolox and YOLOv6; three times as many: yolov5 1xNx6 and wider, with whole numbers in
///   column 5: end-to-end 1xNx4 beside 1xNxC: detr, where the boxes lie in 0..1; raw-heads, where
///   they are corners 1xCxhxw at up to an eighth of the picture: segmentation `logits` 1xC among
///   others: classification.
/// What was assumed, in one line; empty = nothing is known, and nothing was changed. Pure.
std::string guess_description(const std::vector<NetworkOutput>& outputs,
                              ModelDescription& description);

/// "'boxes' (1x300x4)"; of one without a name "output 0 (1x300x4)".
std::vector<std::string> output_texts(const std::vector<NetworkOutput>& outputs);
std::string listed_outputs(const std::vector<NetworkOutput>& outputs);

}  // namespace gradcam
