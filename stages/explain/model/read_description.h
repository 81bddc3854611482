#pragma once

#include <string>

#include "stages/frame/description.h"

namespace gradcam {

/// Reads a description from JSON text. `origin` names it in errors; a labels_file is looked for in
/// `folder`; what the text does not say is as in `usual`. Throws UserError(kModel): no JSON,
/// unknown key, value of the wrong kind or out of range.
ModelDescription parse_description(const std::string& json, const std::string& origin,
                                   const std::string& folder, const ModelDescription& usual = {});

/// The description of a model file: MODEL.json beside MODEL.pt, else the text embedded in the file,
/// else that of an Ultralytics classifier, else the defaults (with `assumed` set). Labels that it
/// lacks are those of `ultralytics`, as Model::ultralytics_config() has it. `usual`: what the file
/// itself tells.
ModelDescription find_description(const std::string& model_path, const std::string& embedded,
                                  const std::string& ultralytics = "",
                                  const ModelDescription& usual = {});

}  // namespace gradcam
