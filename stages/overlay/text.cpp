#include "stages/overlay/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "stages/picture/recent.h"

namespace gradcam {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kFontCapitals = 21;  ///< height of the font's capitals at scale 1
constexpr double kCapitals = 0.58;    ///< height of capitals / line height
constexpr double kBaseline = 0.74;    ///< of the line height, from the top
constexpr double kStroke = 0.085;     ///< thickness / line height
constexpr double kSpace = 0.3;        ///< between words / line height; the font's own is too wide

double font_scale(double line_height) { return line_height * kCapitals / kFontCapitals; }

/// Plain letters for U+00C0 .. U+017F; '?' where there is none.
constexpr std::string_view kPlainLetters =
    "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNn"
    "OoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static_assert(kPlainLetters.size() == 0x180 - 0xC0);

std::string plain(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return std::string(1, static_cast<char>(code));
  if (code < 0x20 || code == 0xA0 || code == 0x2009 || code == 0x202F) return " ";
  if (code >= 0xC0 && code < 0x180) return std::string(1, kPlainLetters[code - 0xC0]);
  if (code >= 0x2010 && code <= 0x2015) return "-";
  if (code == 0x2018 || code == 0x2019) return "'";
  if (code == 0x201C || code == 0x201D) return "\"";
  if (code == 0x2026) return "...";
  if (code == 0xB7 || code == 0x2022) return "-";
  return "?";
}

/// Reads one code point and moves past it; bytes that are not UTF-8 give one '?' each.
char32_t next_code(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (lead < 0x80) return lead;
  const int following = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (following == 0 || text.size() < static_cast<std::size_t>(following)) return '?';
  char32_t code = lead & (0x3Fu >> following);
  for (int i = 0; i < following; ++i) {
    const auto byte = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    if ((byte & 0xC0) != 0x80) return '?';
    code = code << 6 | (byte & 0x3Fu);
  }
  text.remove_prefix(static_cast<std::size_t>(following));
  return code;
}

/// A word of a line and where it begins, in pixels.
struct Word {
  std::string text;
  double x;
};

/// The words of a line; `end` becomes where the line ends.
std::vector<Word> set_words(const std::string& text, double line_height, double& end) {
  constexpr double kFiner = 16;  // OpenCV measures in whole pixels
  std::vector<Word> words;
  double x = kStroke * line_height;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      x += kSpace * line_height;
      ++i;
      continue;
    }
    const std::size_t word_end = std::min(text.find(' ', i), text.size());
    words.push_back({text.substr(i, word_end - i), x});
    const double scale = font_scale(line_height * kFiner);
    x += cv::getTextSize(words.back().text, kFont, scale, 0, nullptr).width / kFiner;
    i = word_end;
  }
  end = x + kStroke * line_height;
  return words;
}

/// u8 coverage of each pixel. Drawn several times as large and shrunk: the font's own antialiasing
/// knows whole-pixel strokes only, which look ragged at small sizes.
cv::Mat drawn_mask(const std::string& text, cv::Size size, int line_height) {
  const int fine = line_height < 30 ? 4 : 2;
  const double height = line_height * fine;
  cv::Mat large = cv::Mat::zeros(size * fine, CV_8U);
  const int thickness = std::max(1, cvRound(kStroke * height));
  double end = 0;
  for (const Word& word : set_words(text, height, end)) {
    cv::putText(large, word.text, {cvRound(word.x), cvRound(kBaseline * height)}, kFont,
                font_scale(height), 255, thickness, cv::LINE_8);
  }
  cv::Mat mask;
  cv::resize(large, mask, size, 0, 0, cv::INTER_AREA);
  return mask;
}

/// The same; those that were drawn last are kept, since most words stay from frame to frame.
std::shared_ptr<const cv::Mat> text_mask(const std::string& text, cv::Size size, int line_height) {
  constexpr std::size_t kMost = 96;
  // Never destroyed: exit() may be called while other threads are at work.
  static auto& recent = *new Recent<std::pair<std::string, int>, cv::Mat>(kMost);
  return recent.get({text, line_height}, [&] { return drawn_mask(text, size, line_height); });
}

/// target += (color - target) * share, share in 0..255.
template <int Channels>
void mix_row(uchar* target, const uchar* share, int count, const cv::Vec4i& color) {
  for (int x = 0; x < count; ++x, target += Channels) {
    if (share[x] == 0) continue;
    for (int c = 0; c < Channels; ++c) {
      const int old = target[c];
      target[c] = static_cast<uchar>(old + (color[c] - old) * share[x] / 255);
    }
  }
}

/// `length` letters of the text and "...", without a gap or comma between the two.
std::string shortened(const std::string& text, std::size_t length, Keep keep) {
  if (keep == Keep::kEnd) {
    const std::size_t first = text.find_first_not_of(" ,.", text.size() - length);
    return first == std::string::npos ? "..." : "..." + text.substr(first);
  }
  const std::size_t last = text.substr(0, length).find_last_not_of(" ,");
  return last == std::string::npos ? "..." : text.substr(0, last + 1) + "...";
}

/// With what alpha becomes where the colour covers all.
cv::Vec4i to_ints(const cv::Scalar& color) {
  return {cvRound(color[0]), cvRound(color[1]), cvRound(color[2]), 255};
}

/// Pixels by which a rounded corner shortens the row that lies `row` rows from the nearer edge.
int corner_inset(int row, int radius) {
  if (row >= radius) return 0;
  const double from_center = radius - row - 0.5;
  return cvRound(radius - std::sqrt(radius * radius - from_center * from_center));
}

}  // namespace

int line_height_for(cv::Size frame) {
  const double width = frame.width;
  const double height = frame.height;
  const double roomy = std::min(width, height * 16 / 9) / 58;
  const double small = std::clamp(std::min(width / 42, height / 18), 11.0, 15.0);
  return static_cast<int>(std::lround(std::max(roomy, small)));
}

std::string to_ascii(std::string_view utf8) {
  std::string result;
  while (!utf8.empty()) result += plain(next_code(utf8));
  return result;
}

int text_width(const std::string& text, int line_height) {
  double end = 0;
  set_words(text, line_height, end);
  return static_cast<int>(std::ceil(end));
}

std::string fitted(const std::string& text, int line_height, int max_width, Keep keep) {
  const auto fits = [&](const std::string& t) { return text_width(t, line_height) <= max_width; };
  const std::size_t most = static_cast<std::size_t>(std::max(0, max_width));  // 1 px per letter
  if (text.size() <= most && fits(text)) return text;
  std::string best;
  std::size_t low = 1;
  std::size_t high = std::min(text.size(), most);
  while (low <= high) {
    const std::size_t length = (low + high) / 2;
    const std::string part = shortened(text, length, keep);
    if (fits(part)) {
      best = part;
      low = length + 1;
    } else {
      high = length - 1;
    }
  }
  return best;
}

void draw_text(cv::Mat& picture, const std::string& text, cv::Point at, int line_height,
               const cv::Scalar& color) {
  if (text.empty()) return;
  const cv::Rect box(at, cv::Size(text_width(text, line_height), line_height));
  const cv::Rect shown = box & cv::Rect({0, 0}, picture.size());
  if (shown.empty()) return;
  const auto mask = text_mask(text, box.size(), line_height);
  const auto mix = picture.channels() == 4 ? mix_row<4> : mix_row<3>;
  for (int y = 0; y < shown.height; ++y) {
    mix(picture.ptr(shown.y + y, shown.x), mask->ptr(shown.y - box.y + y) + (shown.x - box.x),
        shown.width, to_ints(color));
  }
}

void draw_plate(cv::Mat& picture, cv::Rect area, const cv::Scalar& color, double opacity,
                int radius) {
  const cv::Rect shown = area & cv::Rect({0, 0}, picture.size());
  radius = std::min({radius, area.width / 2, area.height / 2});
  const auto keep = static_cast<std::uint16_t>(cvRound(256 * (1 - opacity)));
  const int channels = picture.channels();
  cv::Vec4i share = to_ints(color * (256 - keep));
  share[3] = 255 * (256 - keep);
  // One value per byte of a row, so that the compiler can work on many at once.
  std::vector<std::uint16_t> added(static_cast<std::size_t>(shown.width * channels));
  for (std::size_t i = 0; i < added.size(); ++i) {
    added[i] = static_cast<std::uint16_t>(share[static_cast<int>(i) % channels]);
  }
  for (int y = shown.y; y < shown.br().y; ++y) {
    const int inset = corner_inset(std::min(y - area.y, area.br().y - 1 - y), radius);
    const int begin = std::max(shown.x, area.x + inset);
    const int end = std::min(shown.br().x, area.br().x - inset);
    uchar* row = picture.ptr(y, begin);
    for (int i = 0; i < channels * (end - begin); ++i) {
      row[i] = static_cast<uchar>((row[i] * keep + added[static_cast<std::size_t>(i)]) >> 8);
    }
  }
}

}  // namespace gradcam
