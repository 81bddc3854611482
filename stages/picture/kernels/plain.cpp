#include <cstddef>

#include "stages/picture/kernels/tables.h"

/// What the other files of this folder compute, one pixel after the other.
namespace gradcam::kernels {
namespace {

using std::int16_t;
using std::ptrdiff_t;
using std::size_t;
using std::uint16_t;
using std::uint8_t;

int16_t high_product(int a, int b) {
  return static_cast<int16_t>((static_cast<int16_t>(a) * static_cast<int16_t>(b)) >> 16);
}

template <typename Integer>
uint8_t to_byte(Integer value) {
  return static_cast<uint8_t>(value < 0 ? Integer{0} : value > 255 ? Integer{255} : value);
}

void split(const uint8_t* pairs, int samples, uint8_t* __restrict u, uint8_t* __restrict v) {
  for (ptrdiff_t i = 0; i < samples; ++i) {
    u[i] = pairs[2 * i];
    v[i] = pairs[2 * i + 1];
  }
}

void join(const uint8_t* u, const uint8_t* v, int samples, uint8_t* __restrict pairs) {
  for (ptrdiff_t i = 0; i < samples; ++i) {
    pairs[2 * i] = u[i];
    pairs[2 * i + 1] = v[i];
  }
}

/// Blue, green and red of so many pixels lie behind each other, so that a compiler makes vectors of
/// the loops where this file is all there is.
constexpr ptrdiff_t kBlock = 64;

void chroma(const uint8_t* __restrict u, const uint8_t* __restrict v, int samples, int each,
            const YuvFactors& factors, int16_t* __restrict out) {
  const YuvFactors f = factors;
  const ptrdiff_t step = kBlock / each;
  for (ptrdiff_t begin = 0; begin < samples; begin += step, out += 3 * kBlock) {
    const ptrdiff_t count = samples - begin < step ? samples - begin : step;
    int16_t sums[3][kBlock];
    for (ptrdiff_t i = 0; i < count; ++i) {
      const int from_u = (u[begin + i] - 128) * 256;
      const int from_v = (v[begin + i] - 128) * 256;
      sums[0][i] = high_product(from_u, f.blue_u);
      sums[1][i] =
          static_cast<int16_t>(high_product(from_u, f.green_u) + high_product(from_v, f.green_v));
      sums[2][i] = high_product(from_v, f.red_v);
    }
    for (ptrdiff_t c = 0; c < 3; ++c) {
      int16_t* const to = out + c * kBlock;
      if (each == 1) {
        for (ptrdiff_t i = 0; i < count; ++i) to[i] = sums[c][i];
      } else {
        for (ptrdiff_t i = 0; i < count; ++i) to[2 * i] = to[2 * i + 1] = sums[c][i];
      }
    }
  }
}

void colors(const uint8_t* __restrict luma, const int16_t* __restrict chroma, int width,
            const YuvFactors& factors, uint8_t* __restrict blue, uint8_t* __restrict green,
            uint8_t* __restrict red) {
  const YuvFactors f = factors;
  for (ptrdiff_t begin = 0; begin < width; begin += kBlock, chroma += 3 * kBlock) {
    const ptrdiff_t count = width - begin < kBlock ? width - begin : kBlock;
    uint8_t* const outs[3] = {blue + begin, green + begin, red + begin};
    for (ptrdiff_t c = 0; c < 3; ++c) {
      uint8_t* __restrict out = outs[c];
      const int16_t* __restrict add = chroma + c * kBlock;
      for (ptrdiff_t x = 0; x < count; ++x) {
        const int16_t sum = high_product((luma[begin + x] - f.luma_offset) * 128, f.luma);
        const auto rounded = static_cast<int16_t>(sum + add[x] + 16);
        out[x] = to_byte(static_cast<int16_t>(rounded >> 5));
      }
    }
  }
}

void dot_products(const uint8_t* const* rows, int channels, const int* first,
                  const int16_t* weights, int taps, int count, uint8_t* const* outs) {
  for (ptrdiff_t c = 0; c < channels; ++c) {
    for (ptrdiff_t i = 0; i < count; ++i) {
      const uint8_t* const pixels = rows[c] + first[i];
      const int16_t* const own = weights + i * taps;
      int sum = 1 << (kWeightBits - 1);
      for (ptrdiff_t k = 0; k < taps; ++k) sum += pixels[k] * own[k];
      outs[c][i] = to_byte(sum >> kWeightBits);
    }
  }
}

void weighted_rows(const uint8_t* const* rows, const int16_t* weights, int count, int width,
                   uint8_t* __restrict out) {
  for (ptrdiff_t x = 0; x < width; ++x) {
    int sum = 1 << (kWeightBits - 1);
    for (ptrdiff_t k = 0; k < count; ++k) sum += rows[k][x] * weights[k];
    out[x] = to_byte(sum >> kWeightBits);
  }
}

int16_t between(int a, int b, int toward) {
  return static_cast<int16_t>(a + high_product(2 * (b - a), toward));
}

void widen_heat(const int16_t* heat, const HeatCell* cells, int count, const int16_t* toward,
                int16_t* out) {
  for (ptrdiff_t c = 0; c < count; ++c) {
    for (ptrdiff_t x = cells[c].begin; x < cells[c + 1].begin; ++x) {
      out[x] = between(heat[cells[c].first], heat[cells[c].second], toward[x]);
    }
  }
}

void between_heat(const int16_t* a, const int16_t* b, int toward, int width, int16_t* out) {
  for (ptrdiff_t x = 0; x < width; ++x) out[x] = between(a[x], b[x], toward);
}

void mean_heat(const int16_t* a, const int16_t* b, int samples, int16_t* out) {
  for (ptrdiff_t i = 0; i < samples; ++i, a += 2, b += 2) {
    out[i] = static_cast<int16_t>((a[0] + a[1] + b[0] + b[1] + 2) >> 2);
  }
}

void look_up(const int16_t* heat, const uint8_t* const* tables, int count, int width,
             uint8_t* const* outs) {
  for (ptrdiff_t p = 0; p < count; ++p) {
    const uint8_t* const table = tables[p];
    uint8_t* const out = outs[p];
    for (ptrdiff_t x = 0; x < width; ++x) out[x] = table[(heat[x] >> kHeatBits) & 255];
  }
}

void mix(const uint8_t* picture, const uint8_t* color, int share, int width, uint8_t* out) {
  for (ptrdiff_t x = 0; x < width; ++x) {
    out[x] = static_cast<uint8_t>((picture[x] * (256 - share) + color[x] * share + 128) >> 8);
  }
}

void lay(const uint16_t* keep, const uint16_t* add, int width, uint8_t* row) {
  for (ptrdiff_t x = 0; x < width; ++x) {
    row[x] = static_cast<uint8_t>(static_cast<uint16_t>(row[x] * keep[x] + add[x]) >> 8);
  }
}

void luma_of(const uint8_t* blue, const uint8_t* green, const uint8_t* red, int width,
             const BgrFactors& factors, uint8_t* __restrict luma) {
  const BgrFactors f = factors;
  const auto part = [](uint8_t value, uint16_t factor) {
    return static_cast<uint16_t>((static_cast<unsigned>(value << 8) * factor) >> 16);
  };
  for (ptrdiff_t x = 0; x < width; ++x) {
    const auto sum = static_cast<uint16_t>(f.luma_start + part(blue[x], f.luma_b) +
                                           part(green[x], f.luma_g) + part(red[x], f.luma_r));
    luma[x] = static_cast<uint8_t>(sum >> 8);
  }
}

void chroma_of(const uint8_t* const* rows, int samples, const BgrFactors& factors, uint8_t* u,
               uint8_t* v) {
  constexpr int kShift = kWeightBits + 2;  // of four pixels
  constexpr int kStart = (128 << kShift) + (1 << (kShift - 1));
  for (ptrdiff_t i = 0; i < samples; ++i) {
    int sums[3];
    for (ptrdiff_t c = 0; c < 3; ++c) {
      sums[c] = rows[c][2 * i] + rows[c][2 * i + 1] + rows[3 + c][2 * i] + rows[3 + c][2 * i + 1];
    }
    const int from_u = sums[0] * factors.u_b + sums[1] * factors.u_g + sums[2] * factors.u_r;
    const int from_v = sums[0] * factors.v_b + sums[1] * factors.v_g + sums[2] * factors.v_r;
    u[i] = to_byte((kStart + from_u) >> kShift);
    v[i] = to_byte((kStart + from_v) >> kShift);
  }
}

/// What is added, as much of it as 16 bits hold beside what stays of a byte.
uint16_t fitted(int add, int alpha) {
  const int most = 255 * alpha + 255;
  return static_cast<uint16_t>(add < 0 ? 0 : add > most ? most : add);
}

void cover_luma(const uint8_t* const* channels, int width, const BgrFactors& factors,
                uint16_t* keep, uint16_t* add) {
  for (ptrdiff_t x = 0; x < width; ++x) {
    const int alpha = channels[3][x] + (channels[3][x] >> 7);  // 0..256
    const int color = ((channels[0][x] * factors.luma_b) >> 8) +
                      ((channels[1][x] * factors.luma_g) >> 8) +
                      ((channels[2][x] * factors.luma_r) >> 8);
    keep[x] = static_cast<uint16_t>(256 - alpha);
    add[x] = fitted(color + factors.luma_offset * alpha + kCoverRounding, alpha);
  }
}

void cover_chroma(const uint8_t* const* rows, int samples, const BgrFactors& factors,
                  uint16_t* keep, uint16_t* add_u, uint16_t* add_v) {
  constexpr int kShift = kWeightBits + 2 - 8;
  for (ptrdiff_t i = 0; i < samples; ++i) {
    int sums[4];
    for (int c = 0; c < 4; ++c) {
      sums[c] = rows[c][2 * i] + rows[c][2 * i + 1] + rows[4 + c][2 * i] + rows[4 + c][2 * i + 1];
    }
    const int alpha = ((sums[3] * 64 + 127) * 257) >> 16;  // the mean as 0..256, rounded
    const int from_u = sums[0] * factors.u_b + sums[1] * factors.u_g + sums[2] * factors.u_r;
    const int from_v = sums[0] * factors.v_b + sums[1] * factors.v_g + sums[2] * factors.v_r;
    keep[i] = static_cast<uint16_t>(256 - alpha);
    add_u[i] = fitted(128 * alpha + kCoverRounding + (from_u >> kShift), alpha);
    add_v[i] = fitted(128 * alpha + kCoverRounding + (from_v >> kShift), alpha);
  }
}

}  // namespace

const Table kPlainTable = {"plain",      split,         join,       chroma,       colors,
                           dot_products, weighted_rows, widen_heat, between_heat, mean_heat,
                           look_up,      mix,           lay,        luma_of,      chroma_of,
                           cover_luma,   cover_chroma};

}  // namespace gradcam::kernels
