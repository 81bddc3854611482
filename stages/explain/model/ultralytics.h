#pragma once

#include <map>
#include <optional>
#include <string>

#include "stages/frame/description.h"

/// What Ultralytics's exporter, and YOLOv5's, note with a network: texts by key, such as task,
/// imgsz, names. They stand in a TorchScript file (extra file config.txt, JSON), in an ONNX file
/// (metadata_props, values as Python prints them) and beside an OpenVINO IR (metadata.yaml). Pure;
/// any thread; never throws for what a text holds: one that cannot be read is as none.
namespace gradcam {

/// The entries of config.txt or metadata.yaml; lists and maps are in YAML's flow form, which reads
/// JSON and what Python prints, too. Empty if the text is neither.
std::map<std::string, std::string> ultralytics_metadata(const std::string& text);

/// How a network of Ultralytics with these entries is read: its task, the size and the channels of
/// its picture, its labels. Which of its formats a detector gives is told by the shape of its
/// output: settle_format() of tasks/box_formats.h. Null without task and imgsz, and for tasks that
/// are none here, such as depth.
std::optional<ModelDescription> ultralytics_description(
    const std::map<std::string, std::string>& metadata);

/// Labels and the size of the picture, as far as the entries tell them: all that YOLOv5 notes. A
/// description that has labels keeps them; the size is taken where nothing described the network.
void fill_by_ultralytics(const std::map<std::string, std::string>& metadata,
                         ModelDescription& description);

}  // namespace gradcam
