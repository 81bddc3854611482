#include "stages/explain/methods/methods.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <array>

#include "config/method_table.h"
#include "config/named.h"
#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/methods/component_methods.h"
#include "stages/explain/methods/fullgrad.h"
#include "stages/explain/methods/gradient_methods.h"
#include "stages/explain/methods/masking_methods.h"

namespace gradcam {
namespace {

constexpr Method::Needs kNothing{};
constexpr Method::Needs kGradient{.gradient = true};
constexpr Method::Needs kCurvature{.gradient = true, .curvature = true};
constexpr Method::Needs kRivals{.gradient = true, .rivals = true};
constexpr Method::Needs kBox{.gradient = true, .box = true};
constexpr Method::Needs kTail{.tail = true};
constexpr Method::Needs kNetwork{.network = true};
constexpr Method::Needs kNetworkAlone{.network = true, .layer = false};

constexpr Method weighted(std::string_view name, Method::Needs needs,
                          at::Tensor (*weights)(const MethodInput&)) {
  return {name, needs, weights, nullptr};
}
constexpr Method direct(std::string_view name, Method::Needs needs,
                        at::Tensor (*map)(const MethodInput&)) {
  return {name, needs, nullptr, map};
}
constexpr Method component(std::string_view name, Method::Needs needs,
                           at::Tensor (*map)(const MethodInput&)) {
  return {name, needs, nullptr, map, true};
}

constexpr std::array kMethods = {
    weighted("gradcam", kGradient, &gradcam),
    weighted("gradcam++", kGradient, &gradcam_plus_plus),
    weighted("gradcam++-paper", kGradient, &gradcam_plus_plus_paper),
    weighted("hirescam", kGradient, &hirescam),
    weighted("elementwise", kGradient, &elementwise),
    weighted("xgradcam", kGradient, &xgradcam),
    weighted("layercam", kGradient, &layercam),
    weighted("finercam", kRivals, &gradcam),
    weighted("shapleycam", kCurvature, &shapleycam),
    direct("odam", kBox, &odam),
    component("eigencam", kNothing, &eigencam),
    component("eigengradcam", kGradient, &eigengradcam),
    weighted("fem", kNothing, &fem),
    component("kpcacam", kNothing, &kpcacam),
    weighted("ablationcam", kTail, &ablationcam),
    direct("recipro-cam", kTail, &reciprocam),
    weighted("scorecam", kNetwork, &scorecam),
    direct("fullgrad", kNetworkAlone, &fullgrad),
};

static_assert(std::ranges::equal(kMethods, kMethodTable, {}, &Method::name, &MethodEntry::name),
              "one function for each of kMethodTable, in the same order");

}  // namespace

const Method& find_method(const std::string& name) {
  const auto* const found = std::ranges::find(kMethods, name, &Method::name);
  if (found != kMethods.end()) return *found;
  throw UserError(ExitCode::kUsage, "--method " + name + ": allowed: " + listed(method_names()));
}

std::vector<std::string> methods_without_gradient() {
  std::vector<std::string> names;
  for (const Method& method : kMethods) {
    if (!method.differentiates()) names.emplace_back(method.name);
  }
  return names;
}

at::Tensor map_of(const Method& method, const MethodInput& input, bool eigen) {
  if (method.map != nullptr) return method.map(input);
  const at::Tensor weights = method.weights(input);
  if (!eigen) return weighted_sum(weights, input.activation);
  return first_component((weights.dim() == 1 ? weights.view({-1, 1, 1}) : weights) *
                         input.activation);
}

at::Tensor weighted_sum(const at::Tensor& weights, const at::Tensor& activation) {
  if (weights.dim() == 3) return (weights * activation).sum(0);
  // One matrix-vector product where the places of a channel lie together.
  return at::mv(activation.flatten(1).t(), weights).view({activation.size(1), activation.size(2)});
}

}  // namespace gradcam
