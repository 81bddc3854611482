#pragma once

#include <c10/core/Device.h>

#include <stop_token>
#include <string>

#include "stages/explain/import/network_file.h"
#include "stages/frame/description.h"

namespace gradcam {

/// Holds a network's two forms against each other on one picture of noise: their outputs, and the
/// gradient that LibTorch finds with differences of what OpenVINO computes, along that gradient.
/// Rounding inside has no differences: of quantised networks the outputs alone are compared. Takes
/// about as long as compiling the network and running it a dozen times. `path` names the file.
/// Throws UserError(kModel) that says what differs, and Stopped.
void check_import(const ImportedNetwork& network, const ModelDescription& description,
                  c10::Device device, const std::string& path, const std::stop_token& stop = {});

}  // namespace gradcam
