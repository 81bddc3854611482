#include "stages/explain/maps/faithfulness.h"

#include <gtest/gtest.h>

#include <array>

#include "stages/explain/maps/augmentation.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/tasks/stream_memory.h"

namespace gradcam {
namespace {

/// Two pixels, grey 200 and 100.
const Blob kBlob{1, 2, {200, 200, 200, 100, 100, 100}};
constexpr std::array<float, 3> kGround{120, 120, 120};

TEST(Faithfulness, MaskedKeepsWhatIsHotAndTurnsTheRestToTheGround) {
  const Blob result = masked(kBlob, {1, 2, {1, 0.25F}}, kGround);
  EXPECT_EQ(result.pixels[0], 200);
  EXPECT_EQ(result.pixels[3], 115);  // 120 - 20 / 4
}

TEST(Faithfulness, PlacesGoByHeatAndThenByReadingOrder) {
  EXPECT_EQ(hottest_first({1, 4, {0.2F, 0.9F, 0.2F, 1}}), (std::vector<std::size_t>{3, 1, 0, 2}));
}

TEST(Faithfulness, ExchangedTakesTheFirstPlacesOnly) {
  const Blob black{1, 2, {0, 0, 0, 0, 0, 0}};
  const std::array<std::size_t, 2> order{1, 0};
  EXPECT_EQ(exchanged(kBlob, black, order, 1).pixels,
            (std::pmr::vector<std::uint8_t>{200, 200, 200, 0, 0, 0}));
  EXPECT_EQ(exchanged(kBlob, black, order, 0).pixels, kBlob.pixels);
}

TEST(Faithfulness, BlurredIsTheMeanOfEachSquare) {
  Blob blob{16, 16, {}};
  for (int i = 0; i < 16 * 16; ++i) {
    const auto value = static_cast<std::uint8_t>(i % 2 == 0 ? 10 : 30);
    blob.pixels.insert(blob.pixels.end(), {value, 0, 255});
  }
  const Blob soft = blurred(blob);  // squares of two pixels
  for (std::size_t i = 0; i < soft.pixels.size() / 3; ++i) {
    EXPECT_EQ(soft.pixels[3 * i], 20);
    EXPECT_EQ(soft.pixels[3 * i + 2], 255);
  }
}

TEST(Faithfulness, AreaUnderIsTheMeanOfTrapezia) {
  EXPECT_DOUBLE_EQ(area_under(std::array{1.0, 0.5, 0.0}), 0.5);
  EXPECT_DOUBLE_EQ(area_under(std::array{1.0, 0.0, 0.0}), 0.25);
}

TEST(Faithfulness, CorrelationOfMaps) {
  const HeatMap rising{1, 3, {0, 1, 2}};
  EXPECT_NEAR(correlation(rising, {1, 3, {5, 7, 9}}), 1, 1e-9);
  EXPECT_NEAR(correlation(rising, {1, 3, {2, 1, 0}}), -1, 1e-9);
  EXPECT_EQ(correlation(rising, {1, 3, {1, 1, 1}}), 0);
  EXPECT_EQ(correlation({1, 1, {0}}, {1, 1, {4}}), 1);
}

TEST(Augmentation, MirroredVariantIsTurnedAndContrastGoesFromTheMean) {
  ModelDescription description;
  description.scale = 1;
  description.mean = {120, 120, 120};
  description.std = {1, 1, 1};
  const Blob changed = varied(kBlob, {true, 1.1F}, Normalisation(description));
  EXPECT_EQ(changed.pixels, (std::pmr::vector<std::uint8_t>{98, 98, 98, 208, 208, 208}));
}

TEST(Augmentation, MeanTurnsTheHeatOfMirrorImagesBack) {
  std::vector<HeatMap> heats;
  for (const Variant& variant : variants()) {
    heats.push_back(variant.mirrored ? HeatMap{1, 2, {0, 1}} : HeatMap{1, 2, {1, 0}});
  }
  ASSERT_EQ(heats.size(), 6U);
  const HeatMap mean = mean_of(heats);
  EXPECT_NEAR(mean.values[0], 1, 1e-6);
  EXPECT_NEAR(mean.values[1], 0, 1e-6);
}

TEST(StreamMemory, MapWithAFreeSignAgreesWithTheLastOne) {
  HeatMap last;
  HeatMap first{1, 2, {-1, 3}};
  align_sign(first, last);
  EXPECT_EQ(first.values[1], 3);
  HeatMap second{1, 2, {1.1F, -2.9F}};
  align_sign(second, last);
  EXPECT_FLOAT_EQ(second.values[1], 2.9F);
  HeatMap third{1, 2, {-1, 2}};
  align_sign(third, last);
  EXPECT_FLOAT_EQ(third.values[1], 2);
}

}  // namespace
}  // namespace gradcam
