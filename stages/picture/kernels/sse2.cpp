#include <emmintrin.h>

#include "stages/picture/kernels/tables.h"

namespace gradcam::kernels {
namespace {

using V = __m128i;
constexpr int kBytes = 16;

inline V load(const void* from) { return _mm_loadu_si128(static_cast<const V*>(from)); }
inline void store(void* to, V value) { _mm_storeu_si128(static_cast<V*>(to), value); }
inline V set16(int value) { return _mm_set1_epi16(static_cast<short>(value)); }
inline V set32(int value) { return _mm_set1_epi32(value); }
inline V set16x2(int even, int odd) { return _mm_set1_epi32((even & 0xFFFF) | (odd << 16)); }
inline V and_bits(V a, V b) { return _mm_and_si128(a, b); }
inline V low8(V a, V b) { return _mm_unpacklo_epi8(a, b); }
inline V high8(V a, V b) { return _mm_unpackhi_epi8(a, b); }
inline V low16(V a, V b) { return _mm_unpacklo_epi16(a, b); }
inline V high16(V a, V b) { return _mm_unpackhi_epi16(a, b); }
inline V pack16(V a, V b) { return _mm_packus_epi16(a, b); }
inline V pack32(V a, V b) { return _mm_packs_epi32(a, b); }
inline V narrow16(V a, V b) { return _mm_packus_epi16(a, b); }
inline V narrow32(V a, V b) { return _mm_packs_epi32(a, b); }
inline V add16(V a, V b) { return _mm_add_epi16(a, b); }
inline V sub16(V a, V b) { return _mm_sub_epi16(a, b); }
inline V add_saturated16(V a, V b) { return _mm_adds_epu16(a, b); }
inline V sub_saturated16(V a, V b) { return _mm_subs_epu16(a, b); }
inline V larger16(V a, V b) { return _mm_max_epi16(a, b); }
inline V add32(V a, V b) { return _mm_add_epi32(a, b); }
inline V product16(V a, V b) { return _mm_mullo_epi16(a, b); }
inline V high_product16(V a, V b) { return _mm_mulhi_epi16(a, b); }
inline V high_product_unsigned16(V a, V b) { return _mm_mulhi_epu16(a, b); }
inline V pair_products(V a, V b) { return _mm_madd_epi16(a, b); }
template <int kBits>
inline V shift_left16(V a) {
  return _mm_slli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right16(V a) {
  return _mm_srli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right_signed16(V a) {
  return _mm_srai_epi16(a, kBits);
}
template <int kBits>
inline V shift_right32(V a) {
  return _mm_srai_epi32(a, kBits);
}

inline V widened(const std::uint8_t* from) {
  return low8(_mm_loadl_epi64(reinterpret_cast<const V*>(from)), _mm_setzero_si128());
}
inline V load_part(const std::uint8_t* from, int left) {
  if (left >= kBytes) return load(from);
  std::uint8_t part[kBytes] = {};
  __builtin_memcpy(part, from, static_cast<std::size_t>(left));
  return load(part);
}
inline V widen_part(const std::uint8_t* from, int left) {
  if (left >= kBytes / 2) return widened(from);
  std::uint8_t part[kBytes] = {};
  __builtin_memcpy(part, from, static_cast<std::size_t>(left));
  return widened(part);
}
inline void store_part(std::uint8_t* to, int left, V value) {
  if (left >= kBytes) return store(to, value);
  std::uint8_t part[kBytes];
  store(part, value);
  __builtin_memcpy(to, part, static_cast<std::size_t>(left));
}
/// The bytes of a and b by turns.
inline void interleave(V a, V b, V& first, V& second) {
  first = low8(a, b);
  second = high8(a, b);
}

#include "stages/picture/kernels/vector_rows.inc"
// The order matters.
#include "stages/picture/kernels/vector_colors.inc"

/// The sums of four vectors of four.
inline V sums_of(V a, V b, V c, V d) {
  const V ab = add32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
  const V cd = add32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
  return add32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
}

/// Four outputs of each channel. `kTaps`: known to the compiler for the usual reductions; 0: any.
template <int kTaps, int kChannels>
inline void four_products(const std::uint8_t* const* rows, const int* first,
                          const std::int16_t* weights, int any_taps, V* out) {
  const int taps = kTaps > 0 ? kTaps : any_taps;
  V sums[4][kChannels];
  for (std::ptrdiff_t i = 0; i < 4; ++i) {
    V own[kChannels];
    for (V& sum : own) sum = set32(0);
    for (int k = 0; k < taps; k += kTapBlock) {
      const V weight = load(weights + i * taps + k);
      for (int c = 0; c < kChannels; ++c) {
        own[c] = add32(own[c], pair_products(widened(rows[c] + first[i] + k), weight));
      }
    }
    for (int c = 0; c < kChannels; ++c) sums[i][c] = own[c];
  }
  const V half = set32(1 << (kWeightBits - 1));
  for (int c = 0; c < kChannels; ++c) {
    const V sum = sums_of(sums[0][c], sums[1][c], sums[2][c], sums[3][c]);
    out[c] = shift_right32<kWeightBits>(add32(sum, half));
  }
}

template <int kTaps, int kChannels>
inline void dot_rows(const std::uint8_t* const* rows, const int* first, const std::int16_t* weights,
                     int taps, int count, std::uint8_t* const* outs) {
  for (int i = 0; i < count; i += kDotBlock) {
    V sums[4][kChannels];
    for (int k = 0; k < 4; ++k) {
      const std::ptrdiff_t at = i + 4 * k;
      four_products<kTaps, kChannels>(rows, first + at, weights + at * taps, taps, sums[k]);
    }
    for (int c = 0; c < kChannels; ++c) {
      store(outs[c] + i, pack16(pack32(sums[0][c], sums[1][c]), pack32(sums[2][c], sums[3][c])));
    }
  }
}

void dot_products(const std::uint8_t* const* rows, int channels, const int* first,
                  const std::int16_t* weights, int taps, int count, std::uint8_t* const* outs) {
  if (channels == 1) return dot_rows<0, 1>(rows, first, weights, taps, count, outs);
  switch (taps) {
    case 8:
      return dot_rows<8, 3>(rows, first, weights, taps, count, outs);
    case 16:
      return dot_rows<16, 3>(rows, first, weights, taps, count, outs);
    case 24:
      return dot_rows<24, 3>(rows, first, weights, taps, count, outs);
    case 40:
      return dot_rows<40, 3>(rows, first, weights, taps, count, outs);
    default:
      return dot_rows<0, 3>(rows, first, weights, taps, count, outs);
  }
}

/// Sixteen steps at once, then byte by byte: there is no shuffle by a register.
template <int kCount>
inline void look_up_in(const std::int16_t* heat, const std::uint8_t* const* tables, int width,
                       std::uint8_t* const* outs) {
  // In variables of its own: a byte that is written could be one of the pointers.
  const std::uint8_t* table[kCount];
  std::uint8_t* out[kCount];
  for (int p = 0; p < kCount; ++p) {
    table[p] = tables[p];
    out[p] = outs[p];
  }
  for (int x = 0; x < width; x += kBytes) {
    alignas(16) std::uint8_t steps[kBytes];
    store(steps, pack16(shift_right16<kHeatBits>(load(heat + x)),
                        shift_right16<kHeatBits>(load(heat + x + kHalf))));
    const int left = width - x < kBytes ? width - x : kBytes;
    int i = 0;
    for (; i + 8 <= left; i += 8) {
      std::uint64_t eight = 0;
      __builtin_memcpy(&eight, steps + i, sizeof eight);
      for (int k = 0; k < 8; ++k, eight >>= 8) {
        for (int p = 0; p < kCount; ++p) out[p][x + i + k] = table[p][eight & 255];
      }
    }
    for (; i < left; ++i) {
      for (int p = 0; p < kCount; ++p) out[p][x + i] = table[p][steps[i]];
    }
  }
}

void look_up(const std::int16_t* heat, const std::uint8_t* const* tables, int count, int width,
             std::uint8_t* const* outs) {
  if (count == 1) return look_up_in<1>(heat, tables, width, outs);
  look_up_in<2>(heat, tables, width, outs);
}

}  // namespace

const Table kSse2Table = {"SSE2",       split,         join,       chroma,       colors,
                          dot_products, weighted_rows, widen_heat, between_heat, mean_heat,
                          look_up,      mix,           lay,        luma_of,      chroma_of,
                          cover_luma,   cover_chroma};

}  // namespace gradcam::kernels
