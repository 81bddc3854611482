#pragma once

#include <string>

namespace gradcam {

/// What a LibTorch exception says, in one line of at most 160 characters: without its C++ and
/// TorchScript call stacks.
std::string torch_reason(const std::string& what);

}  // namespace gradcam
