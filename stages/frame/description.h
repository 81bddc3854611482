#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "stages/explain/detections.h"
#include "stages/explain/score_activation.h"

namespace gradcam {

enum class ResizeMode { kStretch, kLetterbox, kCenterCrop };
enum class ColorOrder { kRgb, kBgr };
enum class Task {
  kClassification,
  kMultilabel,    ///< each class on its own: several may be there, or none
  kRegression,    ///< one number, or a few: a steering angle
  kSegmentation,  ///< a class for each place: scores [C, h, w]
  kDetection,     ///< boxes
  kEmbedding,     ///< a vector that is compared with that of a reference picture
};
enum class PadAlign { kCenter, kTopLeft };

/// Which tensor of what forward returns is the output: that of a tuple or list by its place (the
/// first unless said), that of a dict by its key (the only one unless said).
struct OutputChoice {
  std::optional<int> index;
  std::string name;
  /// Several instead of one, joined at their last dimension: the boxes and the scores of a
  /// detector.
  std::vector<OutputChoice> parts{};
};

/// The places of an activation that comes as tokens, as transformers give it: [T, C], or
/// [height, width, C] as a Swin does.
struct TokenGrid {
  int drop = 0;  ///< tokens in front that are no places: class and register tokens
  int height = 0;
  int width = 0;
};

/// What a network expects and what its output means. The defaults are those of torchvision's
/// ImageNet classifiers; x = (pixel / scale - mean) / std.
struct ModelDescription {
  int input_height = 224;
  int input_width = 224;
  ResizeMode resize = ResizeMode::kStretch;
  bool antialias = true;
  int pad_value = 114;
  PadAlign pad_align = PadAlign::kCenter;
  /// Fractions of the frame (top, left, bottom, right) cut out before resizing.
  std::array<double, 4> crop{0, 0, 1, 1};
  ColorOrder color = ColorOrder::kRgb;
  double scale = 255;
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
  Task task = Task::kClassification;
  ScoreActivation activation = ScoreActivation::kSoftmax;
  OutputChoice output;
  BoxLayout boxes;         ///< of a detector
  double threshold = 0.3;  ///< least score of a box, or of a label that counts as there
  std::optional<TokenGrid> tokens;
  std::vector<std::string> layers;  ///< empty = chosen automatically
  std::vector<std::string> labels;
  std::string name;
  std::string note;      ///< for whoever looks at the pictures
  bool assumed = false;  ///< nothing described the network: these are the defaults
};

/// Reads a description from JSON text. `origin` names it in errors; a labels_file is looked for in
/// `folder`. Throws UserError(kModel): no JSON, unknown key, value of the wrong kind or out of
/// range.
ModelDescription parse_description(const std::string& json, const std::string& origin,
                                   const std::string& folder);

/// The description of a model file: MODEL.json beside MODEL.pt, else the text embedded in the file,
/// else the defaults (with `assumed` set).
ModelDescription find_description(const std::string& model_path, const std::string& embedded);

}  // namespace gradcam
