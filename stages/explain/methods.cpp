#include "stages/explain/methods.h"

#include <ATen/ops/mean.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "config/method_names.h"
#include "config/user_error.h"

namespace gradcam {

at::Tensor gradcam(const at::Tensor& activation, const at::Tensor& gradient) {
  // As from a head that only averages: there is nothing to take the mean of.
  const bool same_everywhere = gradient.stride(1) == 0 && gradient.stride(2) == 0;
  const at::Tensor weights =
      same_everywhere ? gradient.select(2, 0).select(1, 0) : gradient.mean({1, 2});
  // One matrix-vector product where the places of a channel lie together.
  return at::mv(activation.flatten(1).t(), weights).view({activation.size(1), activation.size(2)});
}

namespace {

struct Method {
  std::string_view name;
  CamMethod function;
};

constexpr std::array kMethods = {Method{"gradcam", &gradcam}};

static_assert(std::ranges::equal(kMethods, kMethodNames, {}, &Method::name),
              "one function for each of kMethodNames, in the same order");

}  // namespace

CamMethod find_method(const std::string& name) {
  const auto* const found = std::ranges::find(kMethods, name, &Method::name);
  if (found != kMethods.end()) return found->function;
  std::string names;
  for (const Method& method : kMethods) {
    names += names.empty() ? "" : ", ";
    names += method.name;
  }
  throw UserError(ExitCode::kUsage, "--method " + name + ": allowed: " + names);
}

}  // namespace gradcam
