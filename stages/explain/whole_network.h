#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "stages/explain/cut_graph.h"
#include "stages/explain/description.h"
#include "stages/explain/methods.h"
#include "stages/explain/model.h"
#include "stages/explain/normalisation.h"
#include "stages/explain/scalar.h"

namespace gradcam {

/// The network without a cut, for the methods that ask for more than its tail. TorchScript, fp32.
/// One thread calls it at a time.
class WholeNetwork {
 public:
  /// Throws as CutGraph does.
  WholeNetwork(const Model& model, const ModelDescription& description);
  ~WholeNetwork();

  /// The normalised picture [1, 3, H, W] of pixels u8 [1, H, W, 3].
  at::Tensor input_of(const at::Tensor& pixels) const;

  /// [N, …] of normalised pictures [N, 3, H, W], unrecorded.
  at::Tensor outputs(const at::Tensor& inputs) { return plain_.forward_only(inputs); }

  /// What FullGrad takes of one normalised picture. `seed_of`: of the output of the network on it.
  /// Layers with a bias are convolutions and batch norms; a batch norm's is what it adds,
  /// beta - mean * gamma / sqrt(variance + eps).
  FullGradients full_gradients(const at::Tensor& input, const Seed& seed);

 private:
  struct Parts;
  const Parts& parts();  ///< with the layers that have a bias apart, made when first asked for

  Model model_;
  OutputChoice output_;
  Normalisation normalisation_;
  CutGraph plain_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gradcam
