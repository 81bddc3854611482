#include "stages/explain/model/write_description.h"

#include <nlohmann/json.hpp>

namespace gradcam {
namespace {

const char* name_of(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::kStretch:
      return "stretch";
    case ResizeMode::kLetterbox:
      return "letterbox";
    case ResizeMode::kCenterCrop:
      return "center-crop";
  }
  return "";
}

const char* name_of(ColorOrder color) {
  switch (color) {
    case ColorOrder::kRgb:
      return "rgb";
    case ColorOrder::kBgr:
      return "bgr";
    case ColorOrder::kGray:
      return "gray";
  }
  return "";
}

}  // namespace

std::string input_as_json(const ModelDescription& description) {
  const ModelDescription& d = description;
  nlohmann::ordered_json input = {{"input_size", {d.input_height, d.input_width}},
                                  {"resize", name_of(d.resize)},
                                  {"antialias", d.antialias}};
  if (d.resize == ResizeMode::kLetterbox) {
    input["pad_value"] = d.pad_value;
    input["pad_align"] = d.pad_align == PadAlign::kCenter ? "center" : "top-left";
  }
  if (d.crop != ModelDescription().crop) input["crop"] = d.crop;
  input["color"] = name_of(d.color);
  input["scale"] = d.scale;
  input["mean"] = d.mean;
  input["std"] = d.std;
  return input.dump();
}

}  // namespace gradcam
