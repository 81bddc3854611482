#pragma once

#include <map>
#include <string>

#include "stages/frame/description.h"

namespace gradcam {

/// Reads a description from JSON text. `origin` names it in errors; a labels_file is looked for in
/// `folder`; what the text does not say is as in `usual`. Throws UserError(kModel): no JSON,
/// unknown key, value of the wrong kind or out of range.
ModelDescription parse_description(const std::string& json, const std::string& origin,
                                   const std::string& folder, const ModelDescription& usual = {});

/// The description of a model file: MODEL.json beside MODEL.pt, else the text embedded in the file,
/// else what Ultralytics's exporter noted (`metadata`, as ultralytics_metadata() gives it), else
/// the defaults (with `assumed` set). Labels that it lacks are those of `metadata`; so is the size
/// of one that is assumed. `usual`: what the file itself tells.
ModelDescription find_description(const std::string& model_path, const std::string& embedded,
                                  const std::map<std::string, std::string>& metadata = {},
                                  const ModelDescription& usual = {});

}  // namespace gradcam
