#include "stages/explain/methods.h"

#include <ATen/ops/mean.h>
#include <ATen/ops/tensordot.h>

#include <map>

#include "config/user_error.h"

namespace gradcam {

at::Tensor gradcam(const at::Tensor& activation, const at::Tensor& gradient) {
  const at::Tensor weights = gradient.mean({1, 2});
  return at::tensordot(weights, activation, {0}, {0});
}

CamMethod find_method(const std::string& name) {
  static const std::map<std::string, CamMethod> kMethods = {{"gradcam", &gradcam}};
  const auto found = kMethods.find(name);
  if (found != kMethods.end()) return found->second;
  std::string names;
  for (const auto& [known, function] : kMethods) names += (names.empty() ? "" : ", ") + known;
  throw UserError(ExitCode::kUsage, "--method " + name + ": allowed: " + names);
}

}  // namespace gradcam
