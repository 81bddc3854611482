#include "stages/capture/yuv.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core/hal/hal.hpp>
#include <vector>

namespace gradcam {
namespace {

/// Sums are kept in 16 bits, in 1/32 of a grey level, so that the compiler can put eight into one
/// instruction; a factor is applied as the upper half of a 16-bit product.
constexpr int kUnit = 32;
constexpr int kLumaShift = 7;
constexpr int kChromaShift = 8;

struct Factors {
  std::int16_t luma, red_v, green_u, green_v, blue_u;
  std::int16_t luma_offset;
};

Factors factors_of(const YuvCoding& coding) {
  const auto factor = [](double value, int shift) {
    return static_cast<std::int16_t>(std::lround(value * kUnit * 65536 / (1 << shift)));
  };
  const double kg = 1 - coding.kr - coding.kb;
  const double red = 2 * (1 - coding.kr) * 255 / coding.chroma_scale;
  const double blue = 2 * (1 - coding.kb) * 255 / coding.chroma_scale;
  return {factor(255.0 / coding.luma_scale, kLumaShift),
          factor(red, kChromaShift),
          factor(-coding.kb * blue / kg, kChromaShift),
          factor(-coding.kr * red / kg, kChromaShift),
          factor(blue, kChromaShift),
          static_cast<std::int16_t>(coding.luma_offset)};
}

inline std::int16_t product(int a, std::int16_t factor) {
  return static_cast<std::int16_t>((static_cast<std::int16_t>(a) * factor) >> 16);
}

inline std::uint8_t to_byte(int sum) {
  const auto rounded =
      static_cast<std::int16_t>(static_cast<std::int16_t>(sum + kUnit / 2) / kUnit);
  return static_cast<std::uint8_t>(std::clamp<std::int16_t>(rounded, 0, 255));
}

/// What the chroma of one line of samples adds to each colour, once for all pixels of a sample.
struct ChromaRow {
  ChromaRow(int samples, int pixels_each)
      : count(static_cast<std::size_t>(samples)),
        each(pixels_each),
        blue(count * static_cast<std::size_t>(each)),
        green(blue),
        red(blue),
        half(each == 1 ? 0 : 3 * count) {}

  void fill(const std::uint8_t* u, const std::uint8_t* v, const Factors& f) {
    if (each == 1) return add(u, v, f, blue.data(), green.data(), red.data());
    std::int16_t* b = half.data();
    std::int16_t* g = b + count;
    std::int16_t* r = g + count;
    add(u, v, f, b, g, r);
    for (std::size_t i = 0; i < count; ++i) {
      blue[2 * i] = blue[2 * i + 1] = b[i];
      green[2 * i] = green[2 * i + 1] = g[i];
      red[2 * i] = red[2 * i + 1] = r[i];
    }
  }

  void add(const std::uint8_t* u, const std::uint8_t* v, const Factors& f, std::int16_t* b,
           std::int16_t* g, std::int16_t* r) const {
    for (std::size_t i = 0; i < count; ++i) {
      const int cu = (u[i] - 128) * (1 << kChromaShift);
      const int cv = (v[i] - 128) * (1 << kChromaShift);
      b[i] = product(cu, f.blue_u);
      g[i] = static_cast<std::int16_t>(product(cu, f.green_u) + product(cv, f.green_v));
      r[i] = product(cv, f.red_v);
    }
  }

  const std::size_t count;
  const int each;  ///< pixels of a sample: 1 or 2
  std::vector<std::int16_t> blue, green, red;
  std::vector<std::int16_t> half;
};

void add_luma(const std::uint8_t* luma, const std::int16_t* chroma, int width, const Factors& f,
              std::uint8_t* colour) {
  for (int x = 0; x < width; ++x) {
    const int y = (luma[x] - f.luma_offset) * (1 << kLumaShift);
    colour[x] = to_byte(product(y, f.luma) + chroma[x]);
  }
}

/// `samples`: rows of chroma.
void convert_rows(const PlanarYuv& picture, const cv::Range& samples, const Factors& f,
                  cv::Mat& bgr) {
  const int each = 1 << picture.chroma_x;
  const std::ptrdiff_t rows = std::ptrdiff_t{1} << picture.chroma_y;
  ChromaRow chroma((picture.width + each - 1) / each, each);
  const auto width = static_cast<std::size_t>(picture.width);
  std::vector<std::uint8_t> buffer(3 * width);
  std::uint8_t* planes[3] = {buffer.data(), buffer.data() + width, buffer.data() + 2 * width};
  for (std::ptrdiff_t sample = samples.start; sample < samples.end; ++sample) {
    chroma.fill(picture.planes[1] + sample * picture.strides[1],
                picture.planes[2] + sample * picture.strides[2], f);
    const std::ptrdiff_t end = std::min<std::ptrdiff_t>(rows * (sample + 1), picture.height);
    for (std::ptrdiff_t row = rows * sample; row < end; ++row) {
      const std::uint8_t* luma = picture.planes[0] + row * picture.strides[0];
      add_luma(luma, chroma.blue.data(), picture.width, f, planes[0]);
      add_luma(luma, chroma.green.data(), picture.width, f, planes[1]);
      add_luma(luma, chroma.red.data(), picture.width, f, planes[2]);
      const std::uint8_t* sources[3] = {planes[0], planes[1], planes[2]};
      cv::hal::merge8u(sources, bgr.ptr<std::uint8_t>(static_cast<int>(row)), picture.width, 3);
    }
  }
}

}  // namespace

cv::Mat yuv_to_bgr(const PlanarYuv& picture, const YuvCoding& coding) {
  const Factors factors = factors_of(coding);
  const int rows = 1 << picture.chroma_y;
  cv::Mat bgr(picture.height, picture.width, CV_8UC3);
  cv::parallel_for_(cv::Range(0, (picture.height + rows - 1) / rows),
                    [&](const cv::Range& part) { convert_rows(picture, part, factors, bgr); });
  return bgr;
}

}  // namespace gradcam
