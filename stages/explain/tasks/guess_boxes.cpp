#include "stages/explain/tasks/guess_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

#include "stages/explain/tasks/box_formats.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

constexpr const char* kLetterboxed = "; pictures in a letterbox, RGB 0..1";

/// An output 1xROWSxCOLUMNS.
class Table {
 public:
  explicit Table(const NetworkOutput& output)
      : values_(&output.values), rows_(output.shape[1]), columns_(output.shape[2]) {}

  static bool is(const NetworkOutput& output) {
    return output.shape.size() == 3 && output.shape[0] == 1 && !output.values.empty();
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  float at(std::int64_t row, std::int64_t column) const {
    return (*values_)[static_cast<std::size_t>(row * columns_ + column)];
  }

  /// Whether `holds` says yes to all numbers of these rows and columns, the last ones excluded.
  template <class Holds>
  bool all(std::array<std::int64_t, 2> rows, std::array<std::int64_t, 2> columns,
           const Holds& holds) const {
    for (std::int64_t row = rows[0]; row < rows[1]; ++row) {
      for (std::int64_t column = columns[0]; column < columns[1]; ++column) {
        if (!holds(at(row, column))) return false;
      }
    }
    return true;
  }
  template <class Holds>
  bool all_rows(std::array<std::int64_t, 2> columns, const Holds& holds) const {
    return all({0, rows_}, columns, holds);
  }
  template <class Holds>
  bool all_columns(std::array<std::int64_t, 2> rows, const Holds& holds) const {
    return all(rows, {0, columns_}, holds);
  }

 private:
  const std::vector<float>* values_;
  std::int64_t rows_;
  std::int64_t columns_;
};

bool is_nearly_share(float value) { return value >= -0.001F && value <= 1.001F; }
/// Of a picture: boxes in pixels reach further, those in shares hardly beyond it.
bool is_near_picture(float value) { return value >= -1 && value <= 2; }

bool are_corners(const Table& table) {
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (table.at(row, 2) < table.at(row, 0) || table.at(row, 3) < table.at(row, 1)) return false;
  }
  return !table.all_rows({0, 4}, is_near_picture);
}

/// Cells of grids of these strides.
std::int64_t cells_of(const std::vector<int>& strides, const ModelDescription& d) {
  std::int64_t sum = 0;
  for (const int stride : strides) {
    sum += std::int64_t{d.input_height / stride} * (d.input_width / stride);
  }
  return sum;
}

/// Whether boxes are predicted at `cells` places: those of the grids that detectors have.
bool is_grid(std::int64_t cells, const ModelDescription& d) {
  static const std::vector<std::vector<int>> kStrides = {
      {8, 16, 32}, {8, 16, 32, 64}, {4, 8, 16, 32}, {16, 32}};
  return std::ranges::any_of(kStrides,
                             [&](const auto& strides) { return cells_of(strides, d) == cells; });
}

void read_as_boxes(ModelDescription& d, BoxFormat format, ScoreActivation scores) {
  d.task = &find_task("detection");
  d.threshold = d.task->usual_threshold;
  d.activation = scores;
  d.activation_given = true;
  d.boxes = {};
  d.boxes.format = format;
  d.boxes.scores = scores;
}

/// RGB 0..1, unless the file itself takes bytes.
void take_plain_pictures(ModelDescription& d, ResizeMode resize) {
  d.resize = resize;
  d.antialias = resize != ResizeMode::kLetterbox;
  d.mean = {0, 0, 0};
  d.std = {1, 1, 1};
}

std::string count_of(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : what.ends_with('s') ? "es" : "s");
}

std::string taken_for(const NetworkOutput& output, const ModelDescription& d,
                      const std::string& more) {
  std::string text = listed_outputs({output}) + " is taken for boxes of format ";
  return text.append(entry_of(d.boxes).name).append(more);
}

/// How many channels the maps have that masks are mixed of; 0 = there are none.
std::int64_t mask_maps(const std::vector<NetworkOutput>& outputs) {
  for (const NetworkOutput& output : outputs) {
    if (output.shape.size() == 4 && output.shape[0] == 1) return output.shape[1];
  }
  return 0;
}

/// How many of `numbers`, the class scores and what stands behind them, are class scores; null = it
/// cannot be told. `shares`: how many of the first ones lie in 0..1.
std::optional<std::int64_t> classes_among(std::int64_t numbers, std::int64_t shares,
                                          std::int64_t maps, std::int64_t labels) {
  const auto fits = [&](std::int64_t classes) { return classes >= 1 && classes <= shares; };
  if (maps > 0 && fits(numbers - maps)) return numbers - maps;
  const bool labelled = labels == numbers || labels == numbers - 1 || labels == shares;
  if (labelled && fits(labels)) return labels;
  const std::int64_t others = numbers - shares;
  const bool angle_or_points = others <= 1 || others % 3 == 0 || others % 2 == 0;
  return fits(shares) && angle_or_points ? std::optional(shares) : std::nullopt;
}

/// Notes what stands behind the class scores, and says it.
std::string read_beside(ModelDescription& d, std::int64_t classes, std::int64_t numbers,
                        bool may_turn) {
  d.boxes.classes = static_cast<int>(classes);
  d.boxes.extra = static_cast<int>(numbers - classes);
  d.boxes.rotated = may_turn && d.boxes.extra == 1;
  std::string text = ", " + count_of(classes, "class");
  if (d.boxes.rotated) return text + ", turned by an angle";
  if (d.boxes.extra > 0) text += ", " + count_of(d.boxes.extra, "number") + " behind their scores";
  return text;
}

std::string guess_end_to_end(const NetworkOutput& output, ModelDescription& d) {
  const Table table(output);
  constexpr std::int64_t kMostBoxes = 1000;
  if (table.rows() < 2 || table.rows() > kMostBoxes || table.columns() < 6) return "";
  const auto is_class = [](float value) { return value >= 0 && value == std::trunc(value); };
  bool falling = true;
  for (std::int64_t row = 1; row < table.rows(); ++row) {
    falling = falling && table.at(row, 4) <= table.at(row - 1, 4);
  }
  if (!falling || !table.all_rows({4, 5}, is_nearly_share) || !table.all_rows({5, 6}, is_class))
    return "";
  const bool shares = table.all_rows({0, 4}, is_near_picture);
  const bool rotated = table.columns() == 7;
  if (shares && table.all_rows({0, 6}, [](float value) { return value == 0; })) return "";
  if (!shares && !rotated && !are_corners(table)) return "";
  read_as_boxes(d, BoxFormat::kEndToEnd, ScoreActivation::kNone);
  d.boxes.rotated = rotated;
  if (shares) d.boxes.numbers = BoxNumbers::kShares;
  if (!shares && rotated) d.boxes.numbers = BoxNumbers::kCentre;
  take_plain_pictures(d, shares ? ResizeMode::kStretch : ResizeMode::kLetterbox);
  return taken_for(output, d,
                   shares    ? ", in shares of a stretched picture, RGB 0..1"
                   : rotated ? std::string(", turned by an angle") + kLetterboxed
                             : kLetterboxed);
}

/// 1x(4+C)xN.
std::string guess_columns(const NetworkOutput& output, std::int64_t maps, ModelDescription& d) {
  const Table table(output);
  if (!is_grid(table.columns(), d) || table.rows() < 5 || table.rows() >= table.columns()) {
    return "";
  }
  std::int64_t shares = 0;
  while (4 + shares < table.rows() &&
         table.all_columns({4 + shares, 5 + shares}, is_nearly_share)) {
    ++shares;
  }
  const std::int64_t numbers = table.rows() - 4;
  const auto classes = classes_among(numbers, shares, maps, std::ssize(d.labels));
  if (!classes) return "";
  read_as_boxes(d, BoxFormat::kYolov8, ScoreActivation::kNone);
  if (table.all_columns({0, 4}, is_near_picture)) d.boxes.numbers = BoxNumbers::kShares;
  take_plain_pictures(d, ResizeMode::kLetterbox);
  const std::string beside = read_beside(d, *classes, numbers, /*may_turn=*/true);
  return taken_for(output, d, beside + kLetterboxed);
}

/// 1xNx(5+C) with three boxes for each cell.
std::string guess_yolov5(const NetworkOutput& output, std::int64_t maps, ModelDescription& d) {
  const Table table(output);
  if (table.rows() % 3 != 0 || !is_grid(table.rows() / 3, d) || table.columns() < 6) return "";
  std::int64_t shares = 0;
  while (4 + shares < table.columns() &&
         table.all_rows({4 + shares, 5 + shares}, is_nearly_share)) {
    ++shares;
  }
  const std::int64_t numbers = table.columns() - 5;
  const auto classes = classes_among(numbers, shares - 1, maps, std::ssize(d.labels));
  if (!classes) return "";
  read_as_boxes(d, BoxFormat::kYolov5, ScoreActivation::kNone);
  take_plain_pictures(d, ResizeMode::kLetterbox);
  const std::string beside = read_beside(d, *classes, numbers, /*may_turn=*/false);
  return taken_for(output, d, beside + kLetterboxed);
}

/// 1xNx(5+C) with one box for each cell: YOLOX, or YOLOv6, whose objectness is always 1. Of a
/// yolov8 that lies the other way round, 1xNx(4+C), the number of classes alone tells them.
std::string guess_rows(const NetworkOutput& output, ModelDescription& d) {
  constexpr std::int64_t kCocoClasses = 80;
  const Table table(output);
  const std::int64_t classes = d.labels.empty() ? kCocoClasses : std::ssize(d.labels);
  const std::int64_t numbers = table.columns() - 4;
  if (!is_grid(table.rows(), d) || (numbers != classes && numbers != classes + 1)) return "";
  if (!table.all_rows({4, table.columns()}, is_nearly_share)) return "";
  const float far = static_cast<float>(std::max(d.input_height, d.input_width)) / 2;
  const bool decoded = !table.all_rows({0, 2}, [&](float value) { return value <= far; });
  const bool objectness = numbers == classes + 1;
  const auto is_one = [](float value) { return value == 1; };
  if (!decoded && !(objectness && table.rows() == cells_of({8, 16, 32}, d))) return "";
  const bool yolox = objectness && !(decoded && table.all_rows({4, 5}, is_one));
  read_as_boxes(d,
                yolox        ? BoxFormat::kYolox
                : objectness ? BoxFormat::kYolov5
                             : BoxFormat::kYolov8,
                ScoreActivation::kNone);
  d.boxes.classes = static_cast<int>(classes);
  d.boxes.decoded = decoded;
  take_plain_pictures(d, ResizeMode::kLetterbox);
  std::string more = ", " + count_of(classes, "class");
  if (!yolox) return taken_for(output, d, more + kLetterboxed);
  d.scale = 1;
  d.pad_align = PadAlign::kTopLeft;
  if (d.color == ColorOrder::kRgb) d.color = ColorOrder::kBgr;
  more += decoded ? " (decoded)" : " (not decoded)";
  return taken_for(output, d, more + "; pictures in a letterbox at the top left, BGR 0..255");
}

/// Boxes and class scores by their names, or else the first two outputs.
struct Pair {
  const NetworkOutput* boxes = nullptr;
  const NetworkOutput* scores = nullptr;
};

Pair pair_among(const std::vector<NetworkOutput>& outputs) {
  static const std::set<std::string> kBoxes = {"pred_boxes", "dets", "boxes"};
  static const std::set<std::string> kScores = {"logits", "pred_logits", "labels", "scores"};
  Pair pair;
  for (const NetworkOutput& output : outputs) {
    if (!Table::is(output)) continue;
    if (pair.boxes == nullptr && kBoxes.contains(output.name)) pair.boxes = &output;
    if (pair.scores == nullptr && kScores.contains(output.name)) pair.scores = &output;
  }
  if (pair.boxes == nullptr || pair.scores == nullptr) {
    if (outputs.size() < 2 || !Table::is(outputs[0]) || !Table::is(outputs[1])) return {};
    const bool boxes_first = outputs[0].shape[2] == 4;
    if (boxes_first == (outputs[1].shape[2] == 4)) return {};
    pair = {&outputs[boxes_first ? 0 : 1], &outputs[boxes_first ? 1 : 0]};
  }
  const bool fits = pair.boxes->shape[2] == 4 && pair.boxes->shape[1] == pair.scores->shape[1];
  return fits ? pair : Pair{};
}

/// The last class of a softmax says that there is nothing: it is the best of most boxes.
bool has_background(const Table& scores, std::int64_t labels) {
  constexpr std::int64_t kCocoAndNothing = 92;
  if (labels > 0) return scores.columns() == labels + 1;
  if (scores.columns() == kCocoAndNothing) return true;
  std::int64_t nothing = 0;
  for (std::int64_t row = 0; row < scores.rows(); ++row) {
    const float last = scores.at(row, scores.columns() - 1);
    const auto is_less = [&](float value) { return value < last; };
    // Above 0 it would be more than half sure of a class, were it a sigmoid's.
    if (last > 0 && scores.all({row, row + 1}, {0, scores.columns() - 1}, is_less)) ++nothing;
  }
  return scores.columns() > 1 && 2 * nothing > scores.rows();
}

}  // namespace

std::string guess_one_tensor(const std::vector<NetworkOutput>& outputs, ModelDescription& d) {
  const std::int64_t maps = mask_maps(outputs);
  for (const NetworkOutput& output : outputs) {
    if (!Table::is(output)) continue;
    for (const std::string& found : {guess_end_to_end(output, d), guess_columns(output, maps, d),
                                     guess_yolov5(output, maps, d), guess_rows(output, d)}) {
      if (found.empty()) continue;
      if (outputs.size() > 1) d.output = output.choice;
      return found;
    }
  }
  return "";
}

std::string guess_boxes_and_scores(const std::vector<NetworkOutput>& outputs, ModelDescription& d) {
  const Pair pair = pair_among(outputs);
  if (pair.boxes == nullptr) return "";
  const Table boxes(*pair.boxes);
  const Table scores(*pair.scores);
  const bool finished = scores.all_rows({0, scores.columns()}, is_nearly_share);
  const bool detr = boxes.all_rows({0, 4}, is_nearly_share);
  if (!detr && !(are_corners(boxes) && finished)) return "";
  const bool softmax = !finished && has_background(scores, std::ssize(d.labels));
  read_as_boxes(d, detr ? BoxFormat::kDetr : BoxFormat::kRawHeads,
                finished  ? ScoreActivation::kNone
                : softmax ? ScoreActivation::kSoftmax
                          : ScoreActivation::kSigmoid);
  d.output = {};
  d.output.parts = {pair.boxes->choice, pair.scores->choice};
  std::string text =
      listed_outputs({*pair.boxes, *pair.scores}) + " are taken for boxes of format ";
  text.append(entry_of(d.boxes).name).append(" and their scores");
  if (!detr) {
    take_plain_pictures(d, ResizeMode::kLetterbox);
    return text + kLetterboxed;
  }
  text += softmax ? ", a softmax whose last class is none" : finished ? "" : ", by a sigmoid";
  // RF-DETR, too, takes pictures as the classifiers of ImageNet do.
  if (softmax || pair.boxes->name == "dets") return text + "; pictures stretched, as of ImageNet";
  take_plain_pictures(d, ResizeMode::kStretch);
  return text + "; pictures stretched, RGB 0..1";
}

}  // namespace gradcam
