#pragma once

#include <string>
#include <vector>

#include "stages/explain/model/model.h"
#include "stages/frame/description.h"

namespace gradcam {

/// Finds out what the outputs of a network mean that nothing describes (`assumed`), as
/// guess_description() of tasks/ does, and completes the description. Runs the network once on a
/// picture. `names`: of its outputs in order, where its file has some. What was assumed; empty =
/// nothing, since it gives a row of scores, is of no known form, or cannot run, which whoever cuts
/// it will tell.
std::string find_format(const Model& model, const std::vector<std::string>& names,
                        ModelDescription& description);

}  // namespace gradcam
