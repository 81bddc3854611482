#include <immintrin.h>

#include "stages/picture/kernels/tables.h"

namespace gradcam::kernels {
namespace {

using V = __m512i;
constexpr int kBytes = 64;

inline V load(const void* from) { return _mm512_loadu_si512(from); }
inline void store(void* to, V value) { _mm512_storeu_si512(to, value); }
inline V set16(int value) { return _mm512_set1_epi16(static_cast<short>(value)); }
inline V set32(int value) { return _mm512_set1_epi32(value); }
inline V set16x2(int even, int odd) { return _mm512_set1_epi32((even & 0xFFFF) | (odd << 16)); }
inline V and_bits(V a, V b) { return _mm512_and_si512(a, b); }
inline V low8(V a, V b) { return _mm512_unpacklo_epi8(a, b); }
inline V high8(V a, V b) { return _mm512_unpackhi_epi8(a, b); }
inline V low16(V a, V b) { return _mm512_unpacklo_epi16(a, b); }
inline V high16(V a, V b) { return _mm512_unpackhi_epi16(a, b); }
inline V pack16(V a, V b) { return _mm512_packus_epi16(a, b); }
inline V pack32(V a, V b) { return _mm512_packs_epi32(a, b); }
/// What packing within each 128 bits mixes up, in order again.
inline V in_order(V packed) {
  return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), packed);
}
inline V narrow16(V a, V b) { return in_order(_mm512_packus_epi16(a, b)); }
inline V narrow32(V a, V b) { return in_order(_mm512_packs_epi32(a, b)); }
inline V add16(V a, V b) { return _mm512_add_epi16(a, b); }
inline V sub16(V a, V b) { return _mm512_sub_epi16(a, b); }
inline V add_saturated16(V a, V b) { return _mm512_adds_epu16(a, b); }
inline V sub_saturated16(V a, V b) { return _mm512_subs_epu16(a, b); }
inline V larger16(V a, V b) { return _mm512_max_epi16(a, b); }
inline V add32(V a, V b) { return _mm512_add_epi32(a, b); }
inline V product16(V a, V b) { return _mm512_mullo_epi16(a, b); }
inline V high_product16(V a, V b) { return _mm512_mulhi_epi16(a, b); }
inline V high_product_unsigned16(V a, V b) { return _mm512_mulhi_epu16(a, b); }
inline V pair_products(V a, V b) { return _mm512_madd_epi16(a, b); }
template <int kBits>
inline V shift_left16(V a) {
  return _mm512_slli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right16(V a) {
  return _mm512_srli_epi16(a, kBits);
}
template <int kBits>
inline V shift_right_signed16(V a) {
  return _mm512_srai_epi16(a, kBits);
}
template <int kBits>
inline V shift_right32(V a) {
  return _mm512_srai_epi32(a, kBits);
}

inline V widened(const std::uint8_t* from) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline __mmask64 first_of(int left) { return left >= 64 ? ~0ULL : (1ULL << left) - 1; }
inline V load_part(const std::uint8_t* from, int left) {
  return _mm512_maskz_loadu_epi8(first_of(left), from);
}
inline V widen_part(const std::uint8_t* from, int left) {
  return _mm512_cvtepu8_epi16(_mm512_castsi512_si256(
      _mm512_maskz_loadu_epi8(first_of(left < kBytes / 2 ? left : kBytes / 2), from)));
}
inline void store_part(std::uint8_t* to, int left, V value) {
  _mm512_mask_storeu_epi8(to, first_of(left), value);
}
/// The bytes of a and b by turns.
inline void interleave(V a, V b, V& first, V& second) {
  const V front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const V back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  first = _mm512_permutex2var_epi64(low8(a, b), front, high8(a, b));
  second = _mm512_permutex2var_epi64(low8(a, b), back, high8(a, b));
}

#include "stages/picture/kernels/dot_products_256.inc"
#include "stages/picture/kernels/vector_rows.inc"
// The order matters.
#include "stages/picture/kernels/vector_colors.inc"

/// A table in four registers: each instruction looks up in two of them.
struct Entries {
  explicit Entries(const std::uint8_t* table)
      : quarters{load(table), load(table + 64), load(table + 128), load(table + 192)} {}
  V at(V steps) const {
    const V low = _mm512_permutex2var_epi8(quarters[0], steps, quarters[1]);
    const V high = _mm512_permutex2var_epi8(quarters[2], steps, quarters[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(steps), low, high);
  }
  V quarters[4];
};

inline V steps_of(const std::int16_t* heat) {
  return narrow16(shift_right16<kHeatBits>(load(heat)),
                  shift_right16<kHeatBits>(load(heat + kHalf)));
}

void look_up(const std::int16_t* heat, const std::uint8_t* const* tables, int count, int width,
             std::uint8_t* const* outs) {
  const Entries first(tables[0]);
  const Entries second(tables[count - 1]);
  for (int x = 0; x < width; x += kBytes) {
    const V steps = steps_of(heat + x);
    store_part(outs[0] + x, width - x, first.at(steps));
    if (count > 1) store_part(outs[1] + x, width - x, second.at(steps));
  }
}

}  // namespace

const Table kAvx512Table = {"AVX-512",    split,         join,       chroma,       colors,
                            dot_products, weighted_rows, widen_heat, between_heat, mean_heat,
                            look_up,      mix,           lay,        luma_of,      chroma_of,
                            cover_luma,   cover_chroma};

}  // namespace gradcam::kernels
