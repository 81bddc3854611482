#pragma once

#include "stages/explain/methods/methods.h"

/// Methods that look at how the score changes when something is left out: no gradient.
namespace gradcam {

/// Ablation-CAM (Desai and Ramaswamy, WACV 2020), weights [C]: (S - S without c) / S. Without
/// means 0 where the smallest value of A is 0, else, as in pytorch-grad-cam, that value less 1e7.
/// For S <= 0 the division would turn the map around or make it infinite: there S - S without c.
at::Tensor ablationcam(const MethodInput& input);

/// Recipro-CAM (Byun and Lee, 2022), a map: at each place S of A masked to that place. [h, w].
at::Tensor reciprocam(const MethodInput& input);

/// Score-CAM (Wang et al., CVPRW 2020), weights [C]: softmax over the channels of S of the picture
/// times the channel, enlarged to the input (bilinear, align_corners=True) and min-max'd.
at::Tensor scorecam(const MethodInput& input);

}  // namespace gradcam
