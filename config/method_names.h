#pragma once

#include <array>

namespace gradcam {

/// The values of `--method`, in the order of the help. A new method is a name here and a function
/// of that name in stages/explain/methods.cpp. Standard library only.
inline constexpr std::array kMethodNames = {"gradcam"};

}  // namespace gradcam
