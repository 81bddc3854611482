#pragma once

#include <cstdint>

/// The loops over pixels, once for each set of instructions. Standard C++ in plain.cpp is what the
/// others are held against: all give the same bytes. Each of them is a file that is compiled with
/// flags of its own, so nothing inline from a header may be used there: of several copies of a
/// function the linker keeps one, which could be one that this machine cannot run.
///
/// Rows of pictures are read and written from 0 to their length only. Rows called padded are the
/// caller's own scratch, and may be read and written up to kPadding elements further. All functions
/// are pure; any thread.
namespace gradcam::kernels {

inline constexpr int kPadding = 192;

/// Weights are in 1/32768.
inline constexpr int kWeightBits = 15;
/// Heat is in 1/64 of a step of the colour table, which has 256: 0 .. 16320.
inline constexpr int kHeatBits = 6;
/// Half of what lay() cuts off.
inline constexpr int kCoverRounding = 128;
/// dot_products() works off so many at once.
inline constexpr int kDotBlock = 16;
/// Each output of dot_products() has a multiple of so many weights.
inline constexpr int kTapBlock = 8;

/// How luma and chroma become colours, in 16 bits: yuv_factors() in color.h makes them.
struct YuvFactors {
  std::int16_t luma, red_v, green_u, green_v, blue_u;
  std::int16_t luma_offset;
};

/// How colours become luma (in 1/65536) and chroma (in 1/32768): bgr_factors() in color.h.
struct BgrFactors {
  std::uint16_t luma_b, luma_g, luma_r;
  std::uint16_t luma_start;  ///< offset and rounding, in 1/256
  std::uint16_t luma_offset;
  std::int16_t u_b, u_g, u_r;
  std::int16_t v_b, v_g, v_r;
};

/// Pixels from `begin` to the begin of the next cell lie between the same two values of heat.
struct HeatCell {
  int begin, first, second;
};

struct Table {
  const char* name;

  /// U and V that lie by turns in one row, taken apart. Outputs: padded.
  void (*split)(const std::uint8_t* pairs, int samples, std::uint8_t* u, std::uint8_t* v);

  /// The reverse. Inputs: padded.
  void (*join)(const std::uint8_t* u, const std::uint8_t* v, int samples, std::uint8_t* pairs);

  /// What a row of chroma samples adds to blue, green and red of its pixels, `each` (1 or 2) to a
  /// sample. `out`: padded, 3 * (samples * each) and more; its order is the table's own, for
  /// colors() of the same table.
  void (*chroma)(const std::uint8_t* u, const std::uint8_t* v, int samples, int each,
                 const YuvFactors& factors, std::int16_t* out);

  /// A row of luma with that chroma as colours 0..255, the arithmetic of 16-bit sums in 1/32 of a
  /// level. Outputs: padded.
  void (*colors)(const std::uint8_t* luma, const std::int16_t* chroma, int width,
                 const YuvFactors& factors, std::uint8_t* blue, std::uint8_t* green,
                 std::uint8_t* red);

  /// outs[c][i] = sum of rows[c][first[i] + k] * weights[i * taps + k], rounded to a byte, for one
  /// or three channels. `taps`: a multiple of kTapBlock; `count`: of kDotBlock. Rows are readable
  /// for all taps, also those of weight 0.
  void (*dot_products)(const std::uint8_t* const* rows, int channels, const int* first,
                       const std::int16_t* weights, int taps, int count, std::uint8_t* const* outs);

  /// out[x] = sum of rows[k][x] * weights[k], rounded to a byte. `count`: even. All padded.
  void (*weighted_rows)(const std::uint8_t* const* rows, const std::int16_t* weights, int count,
                        int width, std::uint8_t* out);

  /// A row of heat enlarged sideways: from first to second of each cell by toward[x] (1/32768).
  /// `cells` has one more, whose begin is the width. `toward`, `out`: padded.
  void (*widen_heat)(const std::int16_t* heat, const HeatCell* cells, int count,
                     const std::int16_t* toward, std::int16_t* out);

  /// out = from a to b by `toward` (1/32768). All padded.
  void (*between_heat)(const std::int16_t* a, const std::int16_t* b, int toward, int width,
                       std::int16_t* out);

  /// out[i] = mean of a[2i], a[2i+1], b[2i], b[2i+1]. All padded.
  void (*mean_heat)(const std::int16_t* a, const std::int16_t* b, int samples, std::int16_t* out);

  /// outs[p][x] = tables[p][step of heat[x]], for one or two tables of 256 bytes, which lie at
  /// multiples of 64. `heat`: padded.
  void (*look_up)(const std::int16_t* heat, const std::uint8_t* const* tables, int count, int width,
                  std::uint8_t* const* outs);

  /// out = picture * (1 - share / 256) + color * share / 256, rounded. `color`: padded.
  void (*mix)(const std::uint8_t* picture, const std::uint8_t* color, int share, int width,
              std::uint8_t* out);

  /// row = (row * keep + add) / 256, where that fits 16 bits.
  void (*lay)(const std::uint16_t* keep, const std::uint16_t* add, int width, std::uint8_t* row);

  /// Inputs: padded.
  void (*luma_of)(const std::uint8_t* blue, const std::uint8_t* green, const std::uint8_t* red,
                  int width, const BgrFactors& factors, std::uint8_t* luma);

  /// The chroma of the mean of two pixels in each of two rows. rows: blue, green, red of the upper
  /// one, then of the lower one; padded.
  void (*chroma_of)(const std::uint8_t* const* rows, int samples, const BgrFactors& factors,
                    std::uint8_t* u, std::uint8_t* v);

  /// What lay() takes, of premultiplied colours: channels are blue, green, red, alpha. All padded.
  void (*cover_luma)(const std::uint8_t* const* channels, int width, const BgrFactors& factors,
                     std::uint16_t* keep, std::uint16_t* add);

  /// The same of the mean of two pixels in each of two rows: the four channels of the upper one,
  /// then those of the lower one. All padded.
  void (*cover_chroma)(const std::uint8_t* const* rows, int samples, const BgrFactors& factors,
                       std::uint16_t* keep, std::uint16_t* add_u, std::uint16_t* add_v);
};

/// Sets of instructions, each wider than the one before it.
enum class Set { kPlain, kSse2, kAvx2, kAvx512 };

inline constexpr Set kSets[] = {Set::kPlain, Set::kSse2, Set::kAvx2, Set::kAvx512};

/// Null where this machine or this build lacks the set.
const Table* table_of(Set set);

/// The widest that this machine has.
const Table& best();

}  // namespace gradcam::kernels
