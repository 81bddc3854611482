#include <immintrin.h>

#include "stages/picture/kernels/tables.h"

namespace gradcam::kernels {
namespace {

using V = __m256i;
constexpr int kBytes = 32;

inline V load(const void* from) { return _mm256_loadu_si256(static_cast<const V*>(from)); }
inline void store(void* to, V value) { _mm256_storeu_si256(static_cast<V*>(to), value); }
inline V set16(int value) { return _mm256_set1_epi16(static_cast<short>(value)); }
inline V set32(int value) { return _mm256_set1_epi32(value); }
inline V set16x2(int even, int odd) { return _mm256_set1_epi32((even & 0xFFFF) | (odd << 16)); }
inline V and_bits(V a, V b) { return _mm256_and_si256(a, b); }
inline V low8(V a, V b) { return _mm256_unpacklo_epi8(a, b); }
inline V high8(V a, V b) { return _mm256_unpackhi_epi8(a, b); }
inline V low16(V a, V b) { return _mm256_unpacklo_epi16(a, b); }
inline V high16(V a, V b) { return _mm256_unpackhi_epi16(a, b); }
inline V pack16(V a, V b) { return _mm256_packus_epi16(a, b); }
inline V pack32(V a, V b) { return _mm256_packs_epi32(a, b); }
inline V narrow16(V a, V b) { return _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8); }
inline V narrow32(V a, V b) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8); }
inline V add16(V a, V b) { return _mm256_add_epi16(a, b); }
inline V sub16(V a, V b) { return _mm256_sub_epi16(a, b); }
inline V add_saturated16(V a, V b) { return _mm256_adds_epu16(a, b); }
inline V sub_saturated16(V a, V b) { return _mm256_subs_epu16(a, b); }
inline V larger16(V a, V b) { return _mm256_max_epi16(a, b); }
inline V add32(V a, V b) { return _mm256_add_epi32(a, b); }
inline V product16(V a, V b) { return _mm256_mullo_epi16(a, b); }
inline V high_product16(V a, V b) { return _mm256_mulhi_epi16(a, b); }
inline V high_product_unsigned16(V a, V b) { return _mm256_mulhi_epu16(a, b); }
inline V pair_products(V a, V b) { return _mm256_madd_epi16(a, b); }
template <int kBits>
inline V shift_left16(V a) {
  return _mm256_slli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right16(V a) {
  return _mm256_srli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right_signed16(V a) {
  return _mm256_srai_epi16(a, kBits);
}
template <int kBits>
inline V shift_right32(V a) {
  return _mm256_srai_epi32(a, kBits);
}

inline V widened(const std::uint8_t* from) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
inline V load_part(const std::uint8_t* from, int left) {
  if (left >= kBytes) return load(from);
  std::uint8_t part[kBytes] = {};
  __builtin_memcpy(part, from, static_cast<std::size_t>(left));
  return load(part);
}
inline V widen_part(const std::uint8_t* from, int left) {
  if (left >= kBytes / 2) return widened(from);
  std::uint8_t part[kBytes / 2] = {};
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
  first = _mm256_permute2x128_si256(low8(a, b), high8(a, b), 0x20);
  second = _mm256_permute2x128_si256(low8(a, b), high8(a, b), 0x31);
}

#include "stages/picture/kernels/dot_products_256.inc"
#include "stages/picture/kernels/vector_rows.inc"
// The order matters.
#include "stages/picture/kernels/vector_colors.inc"

inline int lowest_byte(__m128i bytes) {
  const __m128i even = _mm_and_si128(bytes, _mm_set1_epi16(255));
  const __m128i least = _mm_minpos_epu16(_mm_min_epu8(even, _mm_srli_epi16(bytes, 8)));
  return _mm_cvtsi128_si32(least) & 255;
}

struct Steps {
  V all;
  int lowest_sixteenth, highest_sixteenth;
};

/// The steps of kBytes pixels.
inline Steps steps_of(const std::int16_t* heat) {
  const V steps =
      narrow16(shift_right16<kHeatBits>(load(heat)), shift_right16<kHeatBits>(load(heat + kHalf)));
  const __m128i low = _mm256_castsi256_si128(steps);
  const __m128i high = _mm256_extracti128_si256(steps, 1);
  const __m128i inverse = _mm_xor_si128(_mm_max_epu8(low, high), _mm_set1_epi8(-1));
  return {steps, lowest_byte(_mm_min_epu8(low, high)) >> 4, (255 - lowest_byte(inverse)) >> 4};
}

/// A shuffle looks up in sixteen entries. Heat is smooth, so neighbours need one or two of the
/// table's sixteenths, seldom more.
template <int kCount>
inline void look_up_in(const std::int16_t* heat, const std::uint8_t* const* tables, int width,
                       std::uint8_t* const* outs) {
  const V out_of_range = _mm256_set1_epi8(0x70);
  for (int x = 0; x < width; x += kBytes) {
    const Steps steps = steps_of(heat + x);
    V found[kCount];
    for (V& bytes : found) bytes = _mm256_setzero_si256();
    for (int k = steps.lowest_sixteenth; k <= steps.highest_sixteenth; ++k) {
      // Saturated, what is not in this sixteenth has its highest bit set, which gives zero.
      const V from_begin = _mm256_sub_epi8(steps.all, _mm256_set1_epi8(static_cast<char>(16 * k)));
      const V at = _mm256_adds_epu8(from_begin, out_of_range);
      for (int p = 0; p < kCount; ++p) {
        const __m128i entries =
            _mm_load_si128(reinterpret_cast<const __m128i*>(tables[p] + std::ptrdiff_t{16} * k));
        const V looked_up = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), at);
        found[p] = _mm256_or_si256(found[p], looked_up);
      }
    }
    for (int p = 0; p < kCount; ++p) store_part(outs[p] + x, width - x, found[p]);
  }
}

void look_up(const std::int16_t* heat, const std::uint8_t* const* tables, int count, int width,
             std::uint8_t* const* outs) {
  if (count == 1) return look_up_in<1>(heat, tables, width, outs);
  look_up_in<2>(heat, tables, width, outs);
}

}  // namespace

const Table kAvx2Table = {"AVX2",       split,         join,       chroma,       colors,
                          dot_products, weighted_rows, widen_heat, between_heat, mean_heat,
                          look_up,      mix,           lay,        luma_of,      chroma_of,
                          cover_luma,   cover_chroma};

}  // namespace gradcam::kernels
