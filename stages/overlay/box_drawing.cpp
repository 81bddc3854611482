#include "stages/overlay/box_drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "stages/overlay/hud.h"
#include "stages/overlay/text.h"

namespace gradcam {
namespace {

const cv::Scalar kDark(16, 12, 10);
const cv::Scalar kBright(255, 255, 255);
constexpr double kEdgeOpacity = 0.6;
constexpr double kPlateOpacity = 0.78;

/// Lengths that follow from the line height, so that all grows with the frame.
struct Measures {
  int line;
  int pad;   ///< left and right of a label
  int edge;  ///< of the dark line on both sides of the coloured one
  int thin;
  int broad;
};

Measures measures_for(cv::Size frame) {
  const int line = line_height_for(frame);
  const auto share = [line](int part) { return std::max(1, (line + part / 2) / part); };
  return {line, share(4), share(15), share(10), share(5)};
}

/// Of a colour, 0..1.
struct Strength {
  double saturation;
  double value;
};

/// An object with what is drawn of it.
struct Shape {
  const DetectedObject* object;
  int width;       ///< of the coloured line
  cv::Rect outer;  ///< of the line with its dark edges; within the frame
  std::string text;
  cv::Rect label;
};

cv::Rect pixels_of(const Box& box, cv::Size frame) {
  const cv::Point corner(cvRound(box.x1), cvRound(box.y1));
  const cv::Point opposite(cvRound(box.x2), cvRound(box.y2));
  if (box.area() <= 0) return {};
  return cv::Rect(corner, opposite) & cv::Rect({0, 0}, frame);
}

cv::Rect grown(cv::Rect area, int by) {
  return {area.x - by, area.y - by, area.width + 2 * by, area.height + 2 * by};
}

/// The explained ones first, then by score: the order in which labels take their places, and the
/// reverse of that in which boxes are drawn.
std::vector<const DetectedObject*> by_importance(const std::vector<DetectedObject>& objects) {
  std::vector<const DetectedObject*> order;
  order.reserve(objects.size());
  for (const DetectedObject& object : objects) order.push_back(&object);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->explained != b->explained ? a->explained : a->score > b->score;
  });
  return order;
}

/// The label's text and place, if there is one. An explained object's may cover others.
void lay_out_label(Shape& shape, cv::Size frame, const Measures& m,
                   const std::vector<cv::Rect>& taken) {
  const int room = std::min(frame.width, std::max(shape.outer.width, 12 * m.line)) - 2 * m.pad;
  shape.text = box_text(*shape.object, m.line, room);
  if (shape.text.empty()) return;
  const cv::Size label(text_width(shape.text, m.line) + 2 * m.pad, m.line);
  auto place = label_place(shape.outer, label, frame, taken);
  if (!place && shape.object->explained) place = label_place(shape.outer, label, frame, {});
  if (place) shape.label = *place;
}

std::vector<Shape> lay_out(const std::vector<DetectedObject>& objects, cv::Size frame,
                           const Measures& m) {
  std::vector<Shape> shapes;
  std::vector<cv::Rect> taken;
  std::vector<cv::Rect> explained;
  for (const DetectedObject* object : by_importance(objects)) {
    const cv::Rect box = pixels_of(object->box, frame);
    if (box.empty()) continue;
    if (!object->explained) {  // no label of these lies on what is explained
      taken.insert(taken.end(), explained.begin(), explained.end());
      explained.clear();
    }
    const int width = object->explained ? m.broad : m.thin;
    const cv::Rect outer = grown(box, width / 2 + m.edge) & cv::Rect({0, 0}, frame);
    Shape shape{object, width, outer, "", {}};
    lay_out_label(shape, frame, m, taken);
    if (!shape.label.empty()) taken.push_back(shape.label);
    if (object->explained) explained.push_back(outer);
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

/// A line of `width` pixels just inside `outer`.
void draw_ring(Drawing& drawing, cv::Rect outer, int width, const cv::Scalar& color,
               double opacity) {
  const int across = std::min(width, (outer.width + 1) / 2);
  const int down = std::min(width, (outer.height + 1) / 2);
  const cv::Rect middle(outer.x, outer.y + down, outer.width, std::max(0, outer.height - 2 * down));
  const auto fill = [&](cv::Rect area) { drawing.plate(area, color, opacity, 0); };
  fill({outer.x, outer.y, outer.width, down});
  fill({outer.x, middle.br().y, outer.width, outer.br().y - middle.br().y});
  fill({middle.x, middle.y, across, middle.height});
  fill({outer.br().x - across, middle.y, across, middle.height});
}

/// Black or white, whichever stands out more from the colour.
cv::Scalar text_color_on(const cv::Scalar& color) {
  const double brightness = 0.114 * color[0] + 0.587 * color[1] + 0.299 * color[2];
  return brightness > 140 ? cv::Scalar(0, 0, 0) : kBright;
}

void draw_line(Drawing& drawing, const Shape& shape, const Measures& m) {
  const cv::Rect colored = grown(shape.outer, -m.edge);
  draw_ring(drawing, shape.outer, m.edge, kDark, kEdgeOpacity);
  draw_ring(drawing, colored, shape.width, class_color(shape.object->index), 1);
  draw_ring(drawing, grown(colored, -shape.width), m.edge, kDark, kEdgeOpacity);
}

void draw_label(Drawing& drawing, const Shape& shape, const Measures& m) {
  if (shape.label.empty()) return;
  const bool explained = shape.object->explained;
  const cv::Scalar color = class_color(shape.object->index);
  drawing.plate(shape.label, explained ? color : kDark, explained ? 1 : kPlateOpacity, m.line / 6);
  drawing.text(shape.text, shape.label.tl() + cv::Point(m.pad, 0), m.line,
               explained ? text_color_on(color) : kBright);
}

}  // namespace

cv::Scalar class_color(int index) {
  // Steps of the golden section never come back to the same hue, and neighbours lie far apart.
  // Classes 5, 8 and 13 apart come near: those differ in strength.
  static constexpr std::array<Strength, 3> kStrengths = {{{0.8, 1}, {0.45, 1}, {0.75, 0.85}}};
  const int number = std::max(0, index);
  const double hue = std::fmod(0.02 + 0.618033988749895 * number, 1.0);
  const Strength strength = kStrengths.at(static_cast<std::size_t>(number % 3));
  const auto channel = [&](double sixths) {
    const double k = std::fmod(sixths + 6 * hue, 6.0);
    return std::round(255 * strength.value *
                      (1 - strength.saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0)));
  };
  return {channel(1), channel(3), channel(5)};
}

std::string box_text(const DetectedObject& object, int line_height, int max_width) {
  const std::string score = is_share(object.score)
                                ? std::to_string(std::lround(100 * object.score)) + " %"
                                : score_text(object.score);
  const std::string number = object.id > 0 ? "#" + std::to_string(object.id) + " " : "";
  const std::string label =
      object.label.empty() ? "class " + std::to_string(object.index) : to_ascii(object.label);
  for (const std::string& kept : {number + score, score}) {
    const std::string after_label = " " + kept;
    const int room = max_width - text_width(after_label, line_height);
    const std::string shown = fitted(label, line_height, room);
    if (!shown.empty() && shown != "...") return shown + after_label;
    if (text_width(kept, line_height) <= max_width) return kept;
  }
  return "";
}

std::optional<cv::Rect> label_place(cv::Rect box, cv::Size label, cv::Size frame,
                                    const std::vector<cv::Rect>& taken) {
  const int x = std::clamp(box.x, 0, std::max(0, frame.width - label.width));
  const bool roomy = box.height >= 2 * label.height;
  for (const int y : {box.y - label.height, box.br().y, roomy ? box.y : -1}) {
    const cv::Rect place({x, y}, label);
    if ((place & cv::Rect({0, 0}, frame)) != place) continue;
    const bool clear = std::none_of(taken.begin(), taken.end(), [&](const cv::Rect& other) {
      return !(other & place).empty();
    });
    if (clear) return place;
  }
  return std::nullopt;
}

Drawing boxes_drawing(cv::Size picture, const std::vector<DetectedObject>& objects) {
  Drawing drawing;
  const Measures m = measures_for(picture);
  const std::vector<Shape> shapes = lay_out(objects, picture, m);
  for (auto shape = shapes.rbegin(); shape != shapes.rend(); ++shape) draw_line(drawing, *shape, m);
  for (auto shape = shapes.rbegin(); shape != shapes.rend(); ++shape)
    draw_label(drawing, *shape, m);
  return drawing;
}

void draw_boxes(cv::Mat& picture, const std::vector<DetectedObject>& objects) {
  boxes_drawing(picture.size(), objects).paint(picture);
}

}  // namespace gradcam
