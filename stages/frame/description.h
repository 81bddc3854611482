#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace gradcam {

struct Task;  // what the output's numbers mean: stages/explain/tasks/task.h

/// How the scores that a network gives become shares 0..1.
enum class ScoreActivation {
  kSoftmax,  ///< one class of all: ImageNet's classifiers, the boxes of an SSD
  kSigmoid,  ///< each class on its own: several labels, the boxes of a RetinaNet
  kNone,     ///< they are shares already, or no shares at all
};

enum class ResizeMode { kStretch, kLetterbox, kCenterCrop };
enum class ColorOrder {
  kRgb,
  kBgr,
  kGray,  ///< one channel: the luma of ITU-R BT.601, as Pillow's convert("L")
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

/// What one box's numbers in the output are, N boxes of C classes. The objectness is 0..1; so are
/// the class scores (a sigmoid or softmax is part of the network) but for kRawHeads and kDetr,
/// where BoxLayout::scores says what they are, and a background class counts as one of C. Behind
/// them may come BoxLayout::extra numbers more.
enum class BoxFormat {
  kYolox,     ///< [N, 5+C]: cx, cy, w, h, objectness, class scores
  kYolov5,    ///< [N, 5+C]: the same columns
  kYolov8,    ///< [4+C, N]: cx, cy, w, h, class scores (v8 to v12); see decode() for [N, 4+C]
  kRawHeads,  ///< [N, 4+C]: x1, y1, x2, y2, class scores
  kEndToEnd,  ///< [N, 6]: x1, y1, x2, y2, score, class; the network chose them (v10, v26)
  kDetr,      ///< [N, 4+C]: cx, cy, w, h in 0..1, class scores; one box for each object
};

/// What the first four numbers of a box are.
enum class BoxNumbers {
  kCorners,  ///< x1, y1, x2, y2 in pixels of the network's input
  kCentre,   ///< cx, cy, w, h in pixels
  kShares,   ///< cx, cy, w, h as shares 0..1 of the input's width and height
};

/// A description's `output.format` and what goes with it.
struct BoxLayout {
  BoxFormat format = BoxFormat::kYolox;
  /// Boxes are in pixels of the network's input. Else they are offsets: of kYolox in the cells of
  /// grids of 8, 16 and 32 pixels, cx = (x + column) * stride, w = exp(w) * stride; of kRawHeads
  /// from `anchors`, cx = anchor.cx + variances[0] * x * anchor.w, w = anchor.w *
  /// exp(variances[2] * w) (Ren 2015, Liu 2016). The other formats have none.
  bool decoded = true;
  std::optional<BoxNumbers> numbers{};  ///< null = those of the format
  ScoreActivation scores = ScoreActivation::kNone;
  int background = -1;  ///< the class that says that there is nothing; -1 = none does
  int classes = 0;      ///< C; 0 = as many as the output holds
  /// Numbers of a box behind its class scores: a mask's coefficients, key points, an angle.
  int extra = 0;
  /// The last of them turns the box (cx, cy, w, h) around its centre, in radians; what is drawn is
  /// the upright box around that.
  bool rotated = false;
  /// Ultralytics wrote the file: it gives kYolov8, kEndToEnd or kDetr, which the shape of the
  /// output tells, see settle_format().
  bool of_ultralytics = false;
  std::vector<std::array<float, 4>> anchors{};    ///< cx, cy, w, h in pixels, one for each box
  std::array<float, 4> variances = {1, 1, 1, 1};  ///< of cx, cy, w, h; SSD: 0.1, 0.1, 0.2, 0.2
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
  /// Of a network with one channel the mean of the three counts.
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
  const Task* task = nullptr;  ///< null = classification; task_of() gives it
  ScoreActivation activation = ScoreActivation::kSoftmax;
  /// Somebody said so. Else what the network shows counts more: found_activation.h.
  bool activation_given = false;
  /// Of a classifier that gives one number: the class that it speaks for; the other of the two is
  /// the contrary. Set when the network is loaded.
  std::optional<int> speaks_for;
  OutputChoice output;
  BoxLayout boxes;  ///< of a detector
  /// Least score of a box, of a label that counts as there, or of a place that a mask of one
  /// channel holds (there 0.5 unless the description says it).
  double threshold = 0.3;
  std::optional<TokenGrid> tokens;
  std::vector<std::string> layers;  ///< empty = chosen automatically
  std::vector<std::string> labels;
  std::string name;
  std::string note;      ///< for whoever looks at the pictures
  bool assumed = false;  ///< nothing described the network: these are the defaults
  /// Of such a network: each of its outputs, where what they mean is not known either; for messages.
  std::vector<std::string> outputs;

  /// Of the network's input.
  int channels() const { return color == ColorOrder::kGray ? 1 : 3; }
};

}  // namespace gradcam
