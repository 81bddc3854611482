#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stages/frame/description.h"

/// What Ultralytics's exporter notes in a TorchScript file (extra file config.txt, JSON): task,
/// imgsz, names. Pure.
namespace gradcam {

/// Labels by class index; none if the text holds no names, or is none of Ultralytics.
std::vector<std::string> ultralytics_labels(const std::string& config);

/// How its classifiers are read: a crop from the middle, RGB 0..1, and scores that are shares, for
/// a softmax is part of them. Null for other tasks and other texts.
std::optional<ModelDescription> ultralytics_classifier(const std::string& config);

}  // namespace gradcam
