#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gradcam {

/// Names of `have` that `wanted` may have meant, nearest first: equal but for case, then those that
/// begin with it, those that contain it, those a few typing errors away, and those it begins with.
/// Among equals the shorter or nearer one, then the order of `have`. Standard library only.
std::vector<std::string> near_names(const std::string& wanted, const std::vector<std::string>& have,
                                    std::size_t most = 5);

/// "; did you mean 'a' or 'b'?" or nothing: the end of a message about an unknown name. `prefix` is
/// put before each name shown.
std::string did_you_mean(const std::string& wanted, const std::vector<std::string>& have,
                         const std::string& prefix = "");

}  // namespace gradcam
