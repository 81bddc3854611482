#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/model.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/tasks/scalar.h"
#include "stages/frame/description.h"

namespace gradcam {

/// The network without a cut, for the methods that need more than its tail. TorchScript, fp32.
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

  /// What FullGrad adds up of one normalised picture. `seed`: the explained scalar, as a function
  /// of the network's output. Layers with a bias are convolutions and batch norms; the bias of a
  /// batch norm is what it adds, beta - mean * gamma / sqrt(variance + eps).
  FullGradients full_gradients(const at::Tensor& input, const Seed& seed);

  /// The gradient of what `seed` stands for with respect to one normalised picture, [3, H, W],
  /// where each ReLU lets only positive gradients back: guided backpropagation (Springenberg, ICLR
  /// 2015). Throws UserError(kUsage) for a network without ReLU or ReLU6.
  at::Tensor guided_gradient(const at::Tensor& input, const Seed& seed);
  /// Throws UserError(kUsage) for a network without ReLU or ReLU6: guided_gradient() would throw.
  void require_relu();

 private:
  struct Opened;
  /// The network with the outputs of its layers with a bias, or of its ReLUs; made when first used.
  Opened& biased();
  Opened& rectified();

  Model model_;
  OutputChoice output_;
  Normalisation normalisation_;
  CutGraph plain_;
  std::unique_ptr<Opened> biased_;
  std::unique_ptr<Opened> rectified_;
};

}  // namespace gradcam
