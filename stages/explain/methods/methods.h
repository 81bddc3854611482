#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gradcam {

/// What FullGrad adds up: the whole network taken apart at its input and at its biases.
struct FullGradients {
  at::Tensor input;                ///< input times its gradient, [3, H, W]
  std::vector<at::Tensor> biases;  ///< bias times the gradient of the layer's output, [C, h, w]
};

/// All that a method may ask of one picture, one target layer and one explained scalar S. A is the
/// activation, g = dS/dA. What Method::needs does not name may be undefined.
struct MethodInput {
  at::Tensor activation;  ///< A, float [C, h, w]
  at::Tensor gradient;    ///< g, the same shape
  at::Tensor curvature;   ///< d(g . A)/dA with A held where it multiplies: Hessian of S times A
  double score = 0;       ///< S
  std::int64_t input_height = 0;
  std::int64_t input_width = 0;
  /// S, float [B], with each of [B, C, h, w] in the place of A.
  std::function<at::Tensor(const at::Tensor& activations)> score_behind;
  /// S, float [B], of the normalised picture times each of [B, H, W].
  std::function<at::Tensor(const at::Tensor& masks)> score_masked;
  std::function<FullGradients()> full_gradients;
};

/// A way to compute a map [h, w], which may be negative. Pure functions; any thread.
struct Method {
  struct Needs {
    bool gradient = false;
    bool curvature = false;
    bool tail = false;     ///< score_behind
    bool network = false;  ///< score_masked or full_gradients
    bool layer = true;     ///< the activation; without it the map is the same for all layers
    bool rivals = false;   ///< S is not the score alone but its lead over the nearest classes
    bool box = false;      ///< one map for each number of a box, besides that of its score
  };
  std::string_view name;
  Needs needs;
  /// Weights of A, [C] or [C, h, w]: the map is the sum over channels of weights times A. Null:
  /// `map` is the method.
  at::Tensor (*weights)(const MethodInput& input) = nullptr;
  at::Tensor (*map)(const MethodInput& input) = nullptr;
  /// Whether it differentiates the network, at the layer or as a whole.
  bool differentiates() const { return needs.gradient || needs.curvature || !needs.layer; }
  bool free_sign = false;  ///< of an eigenvector: the same map with the other sign is as good
};

/// By the name of `--method`. Throws UserError(kUsage) that lists the names there are.
const Method& find_method(const std::string& name);

/// Those that do not differentiate.
std::vector<std::string> methods_without_gradient();

/// The map of a method. `eigen`: the first principal component of weights times A in the place of
/// their sum (pytorch-grad-cam's eigen_smooth), of a method that has weights.
at::Tensor map_of(const Method& method, const MethodInput& input, bool eigen = false);

/// Sum over channels of weights ([C] or [C, h, w]) times the activation [C, h, w].
at::Tensor weighted_sum(const at::Tensor& weights, const at::Tensor& activation);

}  // namespace gradcam
