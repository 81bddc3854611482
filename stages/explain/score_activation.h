#pragma once

namespace gradcam {

/// What makes shares 0..1 of the scores that a network gives.
enum class ScoreActivation {
  kSoftmax,  ///< one class of all: ImageNet's classifiers, the boxes of an SSD
  kSigmoid,  ///< each class on its own: several labels, the boxes of a RetinaNet
  kNone,     ///< they are shares already, or no shares at all
};

}  // namespace gradcam
