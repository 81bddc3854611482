#include "stages/picture/kernels/kernels.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "stages/overlay/heat_axis.h"
#include "stages/picture/color.h"
#include "stages/picture/taps.h"

namespace gradcam::kernels {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::int16_t>;

constexpr int kWidths[] = {1,  2,  3,  7,  8,  15, 16,  17,  31,  32,  33,
                           47, 63, 64, 65, 96, 97, 127, 128, 129, 300, 1919};

Bytes random_bytes(cv::RNG& random, int count) {
  Bytes bytes(static_cast<std::size_t>(count + kPadding));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.uniform(0, 256));
  return bytes;
}

Words random_words(cv::RNG& random, int count, int below) {
  Words words(static_cast<std::size_t>(count + kPadding));
  for (std::int16_t& word : words) word = static_cast<std::int16_t>(random.uniform(0, below));
  return words;
}

/// A row to write that must end at its length: what lies behind is looked at afterwards.
struct StrictRow {
  explicit StrictRow(int width)
      : count(static_cast<std::size_t>(width)), bytes(count + 80, std::uint8_t{0xEE}) {}
  std::uint8_t* data() { return bytes.data() + 1; }  // nor does it begin anywhere round
  Bytes row() const { return {bytes.begin() + 1, bytes.begin() + 1 + count}; }
  bool whole() const {
    return bytes.front() == 0xEE &&
           Bytes(bytes.begin() + 1 + count, bytes.end()) == Bytes(79, std::uint8_t{0xEE});
  }
  std::ptrdiff_t count;
  Bytes bytes;
};

/// As large as the row itself, so that a sanitizer sees every byte read behind it.
Bytes cut(const Bytes& padded, int width) { return {padded.begin(), padded.begin() + width}; }

Bytes beginning(const Bytes& bytes, int count) { return cut(bytes, count); }
Words beginning(const Words& words, int count) { return {words.begin(), words.begin() + count}; }

class Kernels : public ::testing::TestWithParam<Set> {
 protected:
  void SetUp() override {
    if (table_of(GetParam()) == nullptr) GTEST_SKIP() << "this machine lacks the set";
    table_ = table_of(GetParam());
  }
  const Table* table_ = nullptr;
  const Table& plain_ = *table_of(Set::kPlain);
  cv::RNG random_{11};
};

std::string name_of(const ::testing::TestParamInfo<Set>& info) {
  constexpr const char* kNames[] = {"Plain", "Sse2", "Avx2", "Avx512"};
  return kNames[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Sets, Kernels, ::testing::ValuesIn(kSets), name_of);

TEST_P(Kernels, PairsAreTakenApartAndPutTogether) {
  for (const int samples : kWidths) {
    const Bytes pairs = cut(random_bytes(random_, 2 * samples), 2 * samples);
    Bytes u(static_cast<std::size_t>(samples + kPadding));
    Bytes v = u;
    table_->split(pairs.data(), samples, u.data(), v.data());
    for (std::size_t i = 0; i < static_cast<std::size_t>(samples); ++i) {
      ASSERT_EQ(u[i], pairs[2 * i]) << samples;
      ASSERT_EQ(v[i], pairs[2 * i + 1]) << samples;
    }
    StrictRow joined(2 * samples);
    table_->join(u.data(), v.data(), samples, joined.data());
    ASSERT_EQ(joined.row(), pairs) << samples;
    ASSERT_TRUE(joined.whole()) << samples;
  }
}

TEST_P(Kernels, ColorsEqualPlainOnes) {
  for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
    const YuvFactors factors = yuv_factors(yuv_scale({YuvMatrix::kBt709, range}));
    for (const int width : kWidths) {
      for (const int each : {1, 2}) {
        const int samples = (width + each - 1) / each;
        const Bytes luma = cut(random_bytes(random_, width), width);
        const Bytes u = cut(random_bytes(random_, samples), samples);
        const Bytes v = cut(random_bytes(random_, samples), samples);
        std::vector<Bytes> results;
        for (const Table* table : {&plain_, table_}) {
          Words chroma(3 * static_cast<std::size_t>(width + 1 + kPadding));
          table->chroma(u.data(), v.data(), samples, each, factors, chroma.data());
          std::vector<Bytes> rows(3, Bytes(static_cast<std::size_t>(width + kPadding)));
          table->colors(luma.data(), chroma.data(), width, factors, rows[0].data(), rows[1].data(),
                        rows[2].data());
          for (const Bytes& row : rows) results.push_back(beginning(row, width));
        }
        for (std::size_t c = 0; c < 3; ++c) {
          ASSERT_EQ(results[c], results[3 + c]) << width << " pixels, " << each << " to a sample";
        }
      }
    }
  }
}

TEST_P(Kernels, DotProductsEqualPlainOnes) {
  for (const int width : {5, 64, 97, 640, 1919}) {
    for (const int out : {1, 3, 16, 50, 224}) {
      const Taps taps = triangle_taps(width, out, 0, out, true, kTapBlock, kDotBlock);
      const int outputs = static_cast<int>(taps.first.size());
      std::vector<Bytes> rows(3);
      for (Bytes& row : rows) row = random_bytes(random_, width + taps.padded);
      const std::uint8_t* sources[3] = {rows[0].data(), rows[1].data(), rows[2].data()};
      for (const int channels : {1, 3}) {
        std::vector<Bytes> results(6, Bytes(static_cast<std::size_t>(outputs)));
        std::uint8_t* expected[3] = {results[0].data(), results[1].data(), results[2].data()};
        std::uint8_t* found[3] = {results[3].data(), results[4].data(), results[5].data()};
        plain_.dot_products(sources, channels, taps.first.data(), taps.weights.data(), taps.padded,
                            outputs, expected);
        table_->dot_products(sources, channels, taps.first.data(), taps.weights.data(), taps.padded,
                             outputs, found);
        for (std::size_t c = 0; c < 3; ++c) {
          ASSERT_EQ(results[c], results[3 + c]) << width << " to " << out << ", channel " << c;
        }
      }
    }
  }
}

TEST_P(Kernels, WeightedRowsEqualPlainOnes) {
  for (const int width : kWidths) {
    for (const int out : {1, 2, 7, 20}) {
      const Taps taps = triangle_taps(20, out, 0, out, true, 2, 1);
      std::vector<Bytes> rows(static_cast<std::size_t>(taps.padded));
      std::vector<const std::uint8_t*> sources(rows.size());
      for (std::size_t k = 0; k < rows.size(); ++k) {
        rows[k] = random_bytes(random_, width);
        sources[k] = rows[k].data();
      }
      Bytes expected(static_cast<std::size_t>(width + kPadding));
      Bytes found = expected;
      plain_.weighted_rows(sources.data(), taps.weights.data(), taps.padded, width,
                           expected.data());
      table_->weighted_rows(sources.data(), taps.weights.data(), taps.padded, width, found.data());
      ASSERT_EQ(beginning(expected, width), beginning(found, width)) << width;
    }
  }
}

TEST_P(Kernels, HeatEqualsPlainHeat) {
  constexpr int kBelow = (255 << kHeatBits) + 1;
  for (const int width : kWidths) {
    for (const int values : {1, 7, 224}) {
      const Mapping mapping{width, 1, {0, 0, width * 1.0, 1}, {0, 0, 224, 1}};
      const HeatAxis axis = heat_axes(mapping, {values, 1}, {224, 1}).x;
      const int cells = static_cast<int>(axis.cells.size()) - 1;
      const Words heat = random_words(random_, values, kBelow);
      const Words other = random_words(random_, width, kBelow);
      std::vector<Words> results;
      for (const Table* table : {&plain_, table_}) {
        Words wide(static_cast<std::size_t>(width + kPadding));
        Words between = wide;
        Words means = wide;
        table->widen_heat(heat.data(), axis.cells.data(), cells, axis.toward.data(), wide.data());
        results.push_back(beginning(wide, width));
        table->between_heat(wide.data(), other.data(), 12345, width, between.data());
        results.push_back(beginning(between, width));
        table->mean_heat(wide.data(), other.data(), width / 2, means.data());
        results.push_back(beginning(means, width / 2));
      }
      for (std::size_t i = 0; i < 3; ++i) {
        ASSERT_EQ(results[i], results[3 + i]) << width << " pixels of " << values << ", part " << i;
      }
    }
  }
}

TEST_P(Kernels, LooksUpWhatPlainDoesAndWritesNoFurther) {
  alignas(64) std::uint8_t tables[2][256];
  for (int i = 0; i < 256; ++i) {
    tables[0][i] = static_cast<std::uint8_t>(random_.uniform(0, 256));
    tables[1][i] = static_cast<std::uint8_t>(random_.uniform(0, 256));
  }
  const std::uint8_t* const both[2] = {tables[0], tables[1]};
  for (const int width : kWidths) {
    for (const bool smooth : {true, false}) {
      Words heat = random_words(random_, width, (255 << kHeatBits) + 1);
      for (int x = 0; smooth && x < width; ++x) {
        heat[static_cast<std::size_t>(x)] = static_cast<std::int16_t>(x * 16320 / width);
      }
      for (const int count : {1, 2}) {
        std::vector<StrictRow> rows(4, StrictRow(width));
        std::uint8_t* expected[2] = {rows[0].data(), rows[1].data()};
        std::uint8_t* found[2] = {rows[2].data(), rows[3].data()};
        plain_.look_up(heat.data(), both, count, width, expected);
        table_->look_up(heat.data(), both, count, width, found);
        for (std::size_t p = 0; p < 2; ++p) {
          ASSERT_EQ(rows[p].row(), rows[2 + p].row()) << width << " pixels, table " << p;
          ASSERT_TRUE(rows[2 + p].whole()) << width;
        }
      }
    }
  }
}

TEST_P(Kernels, MixesAndLaysAsPlainDoesAndWritesNoFurther) {
  for (const int width : kWidths) {
    const Bytes picture = cut(random_bytes(random_, width), width);
    const Bytes color = random_bytes(random_, width);
    for (const int share : {0, 1, 77, 128, 255, 256}) {
      StrictRow expected(width);
      StrictRow found(width);
      plain_.mix(picture.data(), color.data(), share, width, expected.data());
      table_->mix(picture.data(), color.data(), share, width, found.data());
      ASSERT_EQ(expected.row(), found.row()) << width << " pixels, share " << share;
      ASSERT_TRUE(found.whole());
    }
    std::vector<std::uint16_t> keep;
    std::vector<std::uint16_t> add;
    for (int x = 0; x < width; ++x) {
      keep.push_back(static_cast<std::uint16_t>(random_.uniform(0, 257)));
      add.push_back(static_cast<std::uint16_t>(random_.uniform(0, 65536 - 255 * keep.back())));
    }
    StrictRow expected(width);
    StrictRow found(width);
    std::copy(picture.begin(), picture.end(), expected.data());
    std::copy(picture.begin(), picture.end(), found.data());
    plain_.lay(keep.data(), add.data(), width, expected.data());
    table_->lay(keep.data(), add.data(), width, found.data());
    ASSERT_EQ(expected.row(), found.row()) << width;
    ASSERT_TRUE(found.whole());
  }
}

TEST_P(Kernels, LumaAndChromaOfColorsEqualPlainOnes) {
  for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
    const BgrFactors factors = bgr_factors(yuv_scale({YuvMatrix::kBt601, range}));
    for (const int width : kWidths) {
      std::vector<Bytes> rows(6);
      const std::uint8_t* sources[6];
      for (std::size_t i = 0; i < 6; ++i) {
        rows[i] = random_bytes(random_, 2 * width);
        sources[i] = rows[i].data();
      }
      std::vector<StrictRow> results(6, StrictRow(width));
      std::size_t at = 0;
      for (const Table* table : {&plain_, table_}) {
        std::uint8_t* const luma = results[at++].data();
        std::uint8_t* const u = results[at++].data();
        std::uint8_t* const v = results[at++].data();
        table->luma_of(sources[0], sources[1], sources[2], width, factors, luma);
        table->chroma_of(sources, width, factors, u, v);
      }
      for (std::size_t i = 0; i < 3; ++i) {
        ASSERT_EQ(results[i].row(), results[3 + i].row()) << width << ", row " << i;
        ASSERT_TRUE(results[3 + i].whole()) << width;
      }
    }
  }
}

TEST_P(Kernels, CoverAsPlainOnesDo) {
  for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
    const BgrFactors factors = bgr_factors(yuv_scale({YuvMatrix::kBt2020, range}));
    for (const int width : kWidths) {
      std::vector<Bytes> rows(8);
      const std::uint8_t* sources[8];
      for (std::size_t i = 0; i < 8; ++i) {
        rows[i] = random_bytes(random_, 2 * width);  // some of it brighter than its alpha
        sources[i] = rows[i].data();
      }
      std::vector<std::vector<std::uint16_t>> results;
      for (const Table* table : {&plain_, table_}) {
        std::vector<std::vector<std::uint16_t>> rows_out(
            5, std::vector<std::uint16_t>(static_cast<std::size_t>(width) + kPadding));
        table->cover_luma(sources, width, factors, rows_out[0].data(), rows_out[1].data());
        table->cover_chroma(sources, width, factors, rows_out[2].data(), rows_out[3].data(),
                            rows_out[4].data());
        for (auto& row : rows_out) {
          row.resize(static_cast<std::size_t>(width));
          results.push_back(std::move(row));
        }
      }
      for (std::size_t i = 0; i < 5; ++i) {
        ASSERT_EQ(results[i], results[5 + i]) << width << ", row " << i;
      }
    }
  }
}

TEST(KernelTables, TheBestIsTheWidestOfThisMachine) {
  const Table* widest = nullptr;
  for (const Set set : kSets) {
    if (table_of(set) != nullptr) widest = table_of(set);
  }
  EXPECT_EQ(&best(), widest);
  EXPECT_STREQ(table_of(Set::kPlain)->name, "plain");
#if defined(__x86_64__)
  EXPECT_NE(table_of(Set::kSse2), nullptr);
#endif
}

// By hand: 100 * (256 - 64) / 256 + 200 * 64 / 256 = 125; 10 to 20 by half is 15.
TEST(PlainKernels, GiveTheNumbersOfTheirFormulas) {
  const Table& plain = *table_of(Set::kPlain);
  const std::uint8_t picture[] = {100, 0, 255};
  const std::uint8_t color[] = {200, 255, 0};
  std::uint8_t out[3];
  plain.mix(picture, color, 64, 3, out);
  EXPECT_EQ(out[0], 125);
  EXPECT_EQ(out[1], 64);   // 63.75
  EXPECT_EQ(out[2], 191);  // 191.25

  const std::int16_t a[] = {10, 0, 16320};
  const std::int16_t b[] = {20, 16320, 0};
  std::int16_t between[3];
  plain.between_heat(a, b, 16384, 3, between);
  EXPECT_EQ(between[0], 15);
  EXPECT_EQ(between[1], 8160);
  EXPECT_EQ(between[2], 8160);

  std::int16_t mean[1];
  plain.mean_heat(a, b, 1, mean);
  EXPECT_EQ(mean[0], (10 + 0 + 20 + 16320 + 2) / 4);

  const std::uint8_t upper[] = {10, 20};
  const std::uint8_t lower[] = {30, 41};
  const std::uint8_t* rows[] = {upper, lower};
  const std::int16_t weights[] = {8192, 24576};  // a quarter, three quarters
  std::uint8_t sums[2];
  plain.weighted_rows(rows, weights, 2, 2, sums);
  EXPECT_EQ(sums[0], 25);
  EXPECT_EQ(sums[1], 36);  // 35.75
}

}  // namespace
}  // namespace gradcam::kernels
