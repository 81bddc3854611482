#include "stages/overlay/hud.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "config/named.h"
#include "config/text.h"
#include "stages/overlay/text.h"

namespace gradcam {
namespace {

const cv::Scalar kPlate(16, 12, 10);
const cv::Scalar kBright(255, 255, 255);
const cv::Scalar kDim(185, 178, 172);
const cv::Scalar kBar(150, 112, 70);
const cv::Scalar kTargetBar(30, 130, 245);
const cv::Scalar kTargetText(110, 195, 255);
const cv::Scalar kFailure(40, 32, 150);
constexpr double kPlateOpacity = 0.68;
constexpr double kBarOpacity = 0.85;
constexpr int kUnlimited = 1 << 20;

std::string number(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string class_name(const ClassScore& score) {
  return score.label.empty() ? "class " + std::to_string(score.index) : to_ascii(score.label);
}

/// A line of the HUD: a name in grey and what it is, or a bar with label and score.
struct Row {
  std::string name;
  std::string value;
  Keep keep = Keep::kBeginning;
  bool bar = false;
  bool target = false;
  float score = 0;
  bool gauge = false;  ///< the bar begins in the middle: a value of both signs
};

/// Lengths that follow from the line height, so that all grows with the picture.
struct Measures {
  int line;
  int title;
  int pad;
  int margin;
};

Measures measures_for(cv::Size picture) {
  const int line = line_height_for(picture);
  return {line, line + line / 3, line / 2, line / 2};
}

std::string latency_text(const HudText& text) {
  if (text.latency_p50_ms <= 0) return "";
  return number(text.latency_p50_ms, "%.0f ms") +
         (text.latency_p95_ms > 0 ? number(text.latency_p95_ms, " (p95 %.0f)") : "");
}

std::string map_age_text(const Explained& explained) {
  if (!explained.carried()) return "";
  return number(std::chrono::duration<double, std::milli>(explained.map_age).count(),
                "%.0f ms old");
}

std::vector<Row> rows_of(const Explained& explained, const HudText& text) {
  std::vector<Row> rows;
  const auto add = [&rows](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, to_ascii(value)});
  };
  add("stream", text.stream);
  if (text.frames_per_second > 0) add("rate", number(text.frames_per_second, "%.1f fps"));
  add("latency", latency_text(text));
  if (text.dropped > 0) add("drops", std::to_string(text.dropped));
  add("map", map_age_text(explained));
  add("model", text.model);
  if (!explained.explanation) return rows;
  const Explanation& explanation = *explained.explanation;
  add("layer", listed(explanation.layers));
  if (!explanation.layers.empty()) rows.back().keep = Keep::kEnd;  // what tells layers apart
  add("method", explanation.method);
  for (const ClassScore& score : explanation.top) {
    const bool target = std::any_of(explanation.targets.begin(), explanation.targets.end(),
                                    [&](const ClassScore& t) {
                                      // Of several boxes of a class, those with this score.
                                      return t.index == score.index && t.score == score.score;
                                    });
    rows.push_back({explanation.is_value && score.label.empty() ? "value" : class_name(score),
                    explanation.is_value ? number(score.score, "%+.3f") : score_text(score.score),
                    Keep::kBeginning, true, target, score.score, explanation.is_value});
  }
  return rows;
}

/// From the left by a score 0..1, or from the middle by a value -1..1.
cv::Rect filled_part(const Row& row, cv::Rect whole) {
  if (!row.gauge) {
    const float share = std::clamp(row.score, 0.0F, 1.0F);
    return {whole.tl(), cv::Size(cvRound(share * static_cast<float>(whole.width)), whole.height)};
  }
  const int middle = whole.x + whole.width / 2;
  const float share = std::clamp(row.score, -1.0F, 1.0F) / 2;
  const int end = middle + cvRound(share * static_cast<float>(whole.width));
  return {std::min(middle, end), whole.y, std::max(std::abs(end - middle), 2), whole.height};
}

void draw_bar(Drawing& drawing, const Row& row, cv::Rect line, int line_height) {
  const int gap = std::max(1, line_height / 10);
  const cv::Rect whole(line.x, line.y + gap, line.width, line.height - gap);
  drawing.plate(whole, kBright, 0.10, gap);
  drawing.plate(filled_part(row, whole), row.target ? kTargetBar : kBar, kBarOpacity, gap);
  const int text_y = whole.y + (whole.height - line_height) / 2;
  const int inset = line_height / 4;
  const int score_x = whole.br().x - inset - text_width(row.value, line_height);
  const int room = score_x - whole.x - 2 * inset;
  drawing.text(fitted(row.name, line_height, room), {whole.x + inset, text_y}, line_height,
               kBright);
  drawing.text(row.value, {score_x, text_y}, line_height, kBright);
}

void draw_row(Drawing& drawing, const Row& row, cv::Rect line, int line_height) {
  if (row.bar) return draw_bar(drawing, row, line, line_height);
  const int name_width = line.width >= 12 * line_height ? 4 * line_height : 0;
  std::string value = row.value;
  if (name_width > 0) {
    drawing.text(row.name, line.tl(), line_height, kDim);
  } else if (text_width(row.name + " " + value, line_height) <= line.width) {
    value = row.name + " " + value;
  }
  drawing.text(fitted(value, line_height, line.width - name_width, row.keep),
               {line.x + name_width, line.y}, line_height, kBright);
}

int height_of(const Row& row, const Measures& m) {
  return row.bar ? m.line * 5 / 4 : m.line * 9 / 8;
}

/// As many rows as fit below each other in `room`: what does not change gives way first, then the
/// last rows. `used` becomes the height they take.
std::vector<Row> fitting_rows(std::vector<Row> rows, const Measures& m, int room, int& used) {
  used = 0;
  for (const Row& row : rows) used += height_of(row, m);
  for (const std::string_view name : {"method", "model", "layer", "stream"}) {
    if (used <= room) return rows;
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const Row& r) { return !r.bar && r.name == name; });
    if (row == rows.end()) continue;
    used -= height_of(*row, m);
    rows.erase(row);
  }
  while (used > room) {
    used -= height_of(rows.back(), m);
    rows.pop_back();
  }
  return rows;
}

Drawing panel_of(cv::Size picture, const Explained& explained, const HudText& text) {
  Drawing drawing;
  const Measures m = measures_for(picture);
  const int width = std::min(15 * m.line, std::max(picture.width / 3, 9 * m.line));
  const cv::Point corner(m.margin + m.pad, m.margin + m.pad);
  const int inner_width = width - 2 * m.pad;

  std::string title;
  int title_line = m.title;
  if (explained.explanation) {
    const std::vector<ClassScore>& targets = explained.explanation->targets;
    const bool values = explained.explanation->is_value;
    if (text_width(target_text(targets, m.title, kUnlimited, values), m.title) > inner_width) {
      title_line = m.line;
    }
    title = target_text(targets, title_line, inner_width, values);
  }
  const int title_height = title.empty() ? 0 : m.title + m.line / 4;

  int rows_height = 0;
  const std::vector<Row> rows =
      fitting_rows(rows_of(explained, text), m,
                   picture.height * 4 / 5 - 2 * corner.y - title_height, rows_height);
  if (title_height + rows_height == 0) return drawing;
  drawing.plate({m.margin, m.margin, width, title_height + rows_height + 2 * m.pad}, kPlate,
                kPlateOpacity, m.pad);
  drawing.text(title, corner + cv::Point(0, (m.title - title_line) / 2), title_line, kTargetText);
  int y = corner.y + title_height;
  for (const Row& row : rows) {
    draw_row(drawing, row, {corner.x, y, inner_width, height_of(row, m)}, m.line);
    y += height_of(row, m);
  }
  return drawing;
}

/// One line on a plate of its own; at the bottom, or else at the top.
Drawing line_of(cv::Size picture, const std::string& line, bool at_bottom, const cv::Scalar& plate,
                const cv::Scalar& color) {
  Drawing drawing;
  const Measures m = measures_for(picture);
  if (line.empty()) return drawing;
  const int height = m.line + m.pad / 2 * 2;
  const int y = at_bottom ? picture.height - m.margin - height : m.margin;
  drawing.plate({m.margin, y, text_width(line, m.line) + 2 * m.pad, height}, plate,
                kPlateOpacity + 0.1, m.pad);
  drawing.text(line, {m.margin + m.pad, y + m.pad / 2}, m.line, color);
  return drawing;
}

}  // namespace

std::string score_text(float score) {
  if (is_share(score)) return number(100.0 * score, "%.1f %%");
  return number(score, "%.3g");
}

std::string target_text(const std::vector<ClassScore>& targets, int line_height, int max_width,
                        bool are_values) {
  if (targets.empty()) return "";
  const auto text_of = [&](const ClassScore& target) {
    return are_values ? number(static_cast<double>(target.score), "%+.3f")
                      : score_text(target.score);
  };
  const auto name_of = [&](const ClassScore& target) {
    return are_values && target.label.empty() ? "value" : class_name(target);
  };
  if (targets.size() == 1) {
    const std::string score = " " + text_of(targets[0]);
    const int room = max_width - text_width(score, line_height);
    return fitted(name_of(targets[0]), line_height, room) + score;
  }
  std::string all;
  for (const ClassScore& target : targets) {
    all += (all.empty() ? "" : ", ") + name_of(target) + " " + text_of(target);
  }
  return fitted(all, line_height, max_width);
}

std::vector<Drawing> hud_drawings(cv::Size picture, const Explained& explained,
                                  const HudText& text) {
  const Measures m = measures_for(picture);
  const int line_room = picture.width - 2 * (m.margin + m.pad);
  const bool small = picture.width < 320 || picture.height < 240;
  std::vector<Drawing> drawings;
  if (!small) drawings.push_back(panel_of(picture, explained, text));
  if (explained.frame().failed()) {
    const std::string message = "frame failed: " + to_ascii(explained.frame().error);
    drawings.push_back(
        line_of(picture, fitted(message, m.line, line_room), !small, kFailure, kBright));
  } else if (small && explained.explanation) {
    drawings.push_back(line_of(picture,
                               target_text(explained.explanation->targets, m.line, line_room,
                                           explained.explanation->is_value),
                               false, kPlate, kTargetText));
  }
  if (!explained.frame().failed() && !text.note.empty()) {
    drawings.push_back(
        line_of(picture, fitted(to_ascii(text.note), m.line, line_room), true, kPlate, kBright));
  }
  return drawings;
}

void draw_hud(cv::Mat& picture, const Explained& explained, const HudText& text) {
  for (const Drawing& drawing : hud_drawings(picture.size(), explained, text)) {
    drawing.paint(picture);
  }
}

}  // namespace gradcam
