#include "stages/picture/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <stdexcept>

#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

const ColorDescription kColors[] = {kSd, kHd, kUhd, kJpeg, kHdFull, kUhdFull};
const cv::Size kSizes[] = {{1, 1}, {2, 2}, {3, 5}, {65, 33}, {1919, 11}, {640, 360}};

/// By the formulas of BT.601, 2.5, in floating point; of three planes.
cv::Mat exact_bgr(const PictureView& picture) {
  const FormatInfo& info = format_info(picture.format);
  const YuvScale scale = yuv_scale(picture.color);
  const double kg = 1 - scale.kr - scale.kb;
  cv::Mat bgr(picture.size(), CV_8UC3);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const auto chroma = [&](std::size_t plane) {
        const int sample = picture.planes[plane].row(y >> info.chroma_y)[x >> info.chroma_x];
        return 255.0 * (sample - 128) / scale.chroma_scale;
      };
      const double luma =
          255.0 * (picture.planes[0].row(y)[x] - scale.luma_offset) / scale.luma_scale;
      const double blue = luma + 2 * (1 - scale.kb) * chroma(1);
      const double red = luma + 2 * (1 - scale.kr) * chroma(2);
      const double green = (luma - scale.kb * blue - scale.kr * red) / kg;
      bgr.at<cv::Vec3b>(y, x) =
          cv::Vec3b(cv::saturate_cast<std::uint8_t>(blue), cv::saturate_cast<std::uint8_t>(green),
                    cv::saturate_cast<std::uint8_t>(red));
    }
  }
  return bgr;
}

double largest(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

TEST(ToBgr, FollowsTheFormulaWithinOneLevel) {
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kI422, PixelFormat::kI444}) {
    for (const cv::Size size : kSizes) {
      for (const ColorDescription& color : kColors) {
        MadePicture picture(format, size, color);
        picture.fill_randomly(0, 256);
        const cv::Mat expected = exact_bgr(picture.view());
        const cv::Mat first = to_bgr(picture.view(), *tables()[0]);
        ASSERT_LE(largest(first, expected), 1) << format_info(format).name << " " << size;
        for (const kernels::Table* table : tables()) {
          ASSERT_EQ(largest(to_bgr(picture.view(), *table), first), 0)
              << format_info(format).name << " " << size << " " << table->name;
        }
        picture.expect_guards();
      }
    }
  }
}

struct Sample {
  int y, u, v;
  ColorDescription color;
  cv::Vec3b bgr;
};

// By hand.
TEST(ToBgr, GivesTheColoursOfTheStandards) {
  const Sample samples[] = {{16, 128, 128, kSd, {0, 0, 0}},
                            {235, 128, 128, kSd, {255, 255, 255}},
                            {126, 128, 128, kSd, {128, 128, 128}},
                            {81, 90, 240, kSd, {0, 0, 254}},    // red
                            {145, 54, 34, kSd, {0, 255, 0}},    // green
                            {41, 240, 110, kSd, {255, 0, 0}},   // blue
                            {63, 102, 240, kHd, {0, 0, 255}},   // red
                            {173, 42, 26, kHd, {0, 255, 1}},    // green
                            {32, 240, 118, kHd, {255, 1, 1}},   // blue
                            {76, 85, 255, kJpeg, {0, 0, 254}},  // red
                            {255, 128, 128, kJpeg, {255, 255, 255}},
                            {0, 128, 128, kJpeg, {0, 0, 0}},
                            {255, 255, 0, kSd, {255, 255, 74}},  // outside RGB
                            {0, 0, 255, kSd, {0, 0, 184}}};
  for (const Sample& sample : samples) {
    MadePicture picture(PixelFormat::kI420, {2, 1}, sample.color);
    picture.samples(0).setTo(sample.y);
    picture.samples(1).setTo(sample.u);
    picture.samples(2).setTo(sample.v);
    const cv::Vec3b bgr = to_bgr(picture.view()).at<cv::Vec3b>(0, 1);
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(bgr[i], sample.bgr[i], 1)
          << sample.y << " " << sample.u << " " << sample.v << ", channel " << i;
    }
  }
}

TEST(ToBgr, InterleavedChromaGivesTheSame) {
  for (const cv::Size size : kSizes) {
    MadePicture planar(PixelFormat::kI420, size, kHd);
    planar.fill_randomly(0, 256);
    MadePicture pairs(PixelFormat::kNv12, size, kHd);
    convert(planar.view(), pairs.target());
    pairs.expect_guards();
    EXPECT_EQ(largest(to_bgr(pairs.view()), to_bgr(planar.view())), 0) << size;
    MadePicture back(PixelFormat::kI420, size, kHd);
    convert(pairs.view(), back.target());
    EXPECT_EQ(difference(back, planar), 0) << size;
  }
}

struct Colour {
  int y, u, v;
  ColorDescription color;
  cv::Vec3b bgr;
};

std::ostream& operator<<(std::ostream& out, const Colour& c) {
  return out << c.y << " " << c.u << " " << c.v << " " << c.bgr;
}

class Colours : public ::testing::TestWithParam<Colour> {};

TEST_P(Colours, FollowTheStandardsBothWays) {
  const Colour& c = GetParam();
  MadePicture picture(PixelFormat::kI444, {1, 1}, c.color);
  picture.samples(0).setTo(c.y);
  picture.samples(1).setTo(c.u);
  picture.samples(2).setTo(c.v);
  const auto bgr = to_bgr(picture.view()).at<cv::Vec3b>(0, 0);
  const cv::Mat pixel(1, 1, CV_8UC3, cv::Scalar(c.bgr));
  MadePicture back(PixelFormat::kI444, {1, 1}, c.color);
  convert(view_of(pixel), back.target());
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(bgr[i], c.bgr[i], 1) << "channel " << i;
    EXPECT_NEAR(back.samples(i).at<std::uint8_t>(0), i == 0 ? c.y : i == 1 ? c.u : c.v, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Standards, Colours,
    ::testing::Values(
        Colour{16, 128, 128, kSd, {0, 0, 0}}, Colour{235, 128, 128, kUhd, {255, 255, 255}},
        Colour{126, 128, 128, kHd, {128, 128, 128}}, Colour{81, 90, 240, kSd, {0, 0, 255}},
        Colour{145, 54, 34, kSd, {0, 255, 0}}, Colour{41, 240, 110, kSd, {255, 0, 0}},
        Colour{63, 102, 240, kHd, {0, 0, 255}}, Colour{173, 42, 26, kHd, {0, 255, 0}},
        Colour{32, 240, 118, kHd, {255, 0, 0}}, Colour{74, 97, 240, kUhd, {0, 0, 255}},
        Colour{76, 85, 255, kJpeg, {0, 0, 254}}, Colour{255, 128, 128, kHdFull, {255, 255, 255}},
        Colour{0, 128, 128, kJpeg, {0, 0, 0}}));

TEST(ToYuv, IsWithinALevelOfTheExactFormula) {
  for (const PixelFormat format :
       {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI422, PixelFormat::kI444}) {
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(64, 20), cv::Size(131, 35)}) {
      for (const ColorDescription& color : kColors) {
        cv::Mat bgr(size, CV_8UC3);
        cv::RNG(5).fill(bgr, cv::RNG::UNIFORM, 0, 256);
        const MadePicture expected = exact_yuv(bgr, format, color);
        for (const kernels::Table* table : tables()) {
          MadePicture found(format, size, color);
          convert(view_of(bgr), found.target(), *table);
          found.expect_guards();
          ASSERT_LE(difference(found, expected), 1)
              << format_info(format).name << " " << size << " " << table->name;
        }
      }
    }
  }
}

TEST(ToYuv, GrayHasNoChroma) {
  MadePicture gray(PixelFormat::kGray, {5, 3});
  gray.fill_randomly(0, 256);
  MadePicture yuv(PixelFormat::kI420, {5, 3}, kHd);
  convert(gray.view(), yuv.target());
  EXPECT_EQ(largest(yuv.samples(1), cv::Mat(2, 3, CV_8U, cv::Scalar(128))), 0);
  EXPECT_EQ(largest(yuv.samples(2), cv::Mat(2, 3, CV_8U, cv::Scalar(128))), 0);
  for (int x = 0; x < 5; ++x) {
    const int level = gray.samples(0).at<std::uint8_t>(2, x);
    EXPECT_NEAR(yuv.samples(0).at<std::uint8_t>(2, x), 16 + level * 219 / 255.0, 0.51);
  }
}

TEST(ToBgr, GrayAndFourBytePixelsKeepTheirLevels) {
  MadePicture gray(PixelFormat::kGray, {3, 2}, kSd);
  gray.samples(0).setTo(200);
  EXPECT_EQ(largest(to_bgr(gray.view()), cv::Mat(2, 3, CV_8UC3, cv::Scalar::all(200))), 0);
  MadePicture four(PixelFormat::kBgrx, {3, 2});
  cv::Mat(2, 3, CV_8UC4, four.target().planes[0].data,
          static_cast<std::size_t>(four.target().planes[0].stride))
      .setTo(cv::Scalar(1, 2, 3, 99));
  EXPECT_EQ(largest(to_bgr(four.view()), cv::Mat(2, 3, CV_8UC3, cv::Scalar(1, 2, 3))), 0);
}

void put10(const MadePicture& picture, int plane, std::ptrdiff_t x, int y, int value) {
  const FormatInfo& info = format_info(picture.view().format);
  const auto word = static_cast<std::uint16_t>(value << info.shift);
  std::uint8_t* const row = picture.target().planes[static_cast<std::size_t>(plane)].row(y);
  row[2 * x] = static_cast<std::uint8_t>(word & 255);
  row[2 * x + 1] = static_cast<std::uint8_t>(word >> 8);
}

TEST(Repack, TenBitsAreRounded) {
  MadePicture planar(PixelFormat::kI420P10, {2, 2}, kHd);
  MadePicture pairs(PixelFormat::kP010, {2, 2}, kHd);
  const int luma[] = {64, 65, 66, 1023};  // 16, 16.25, 16.5, 255.75
  for (int i = 0; i < 4; ++i) {
    put10(planar, 0, i % 2, i / 2, luma[i]);
    put10(pairs, 0, i % 2, i / 2, luma[i]);
  }
  put10(planar, 1, 0, 0, 402);
  put10(planar, 2, 0, 0, 960);
  put10(pairs, 1, 0, 0, 402);
  put10(pairs, 1, 1, 0, 960);
  for (const MadePicture* from : {&planar, &pairs}) {
    for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNv12}) {
      MadePicture to(format, {2, 2}, kHd);
      convert(from->view(), to.target());
      EXPECT_EQ(to.samples(0).at<std::uint8_t>(0, 0), 16);
      EXPECT_EQ(to.samples(0).at<std::uint8_t>(0, 1), 16);
      EXPECT_EQ(to.samples(0).at<std::uint8_t>(1, 0), 17);
      EXPECT_EQ(to.samples(0).at<std::uint8_t>(1, 1), 255);
      const bool together = format == PixelFormat::kNv12;
      EXPECT_EQ(to.samples(1).at<std::uint8_t>(0, 0), 101);  // 100.5
      EXPECT_EQ(to.samples(together ? 1 : 2).at<std::uint8_t>(0, together ? 1 : 0), 240);
      EXPECT_EQ(largest(to_bgr(from->view()), to_bgr(to.view())), 0);
    }
  }
}

TEST(Repack, ChromaIsTheMeanOfItsPixels) {
  MadePicture full(PixelFormat::kI444, {3, 3}, kHd);
  full.fill_randomly(0, 256);
  MadePicture less(PixelFormat::kI420, {3, 3}, kHd);
  convert(full.view(), less.target());
  less.expect_guards();
  EXPECT_EQ(largest(less.samples(0), full.samples(0)), 0);
  for (int p = 1; p < 3; ++p) {
    const auto at = [&](int x, int y) { return int{full.samples(p).at<std::uint8_t>(y, x)}; };
    EXPECT_EQ(less.samples(p).at<std::uint8_t>(0, 0),
              (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4);
    EXPECT_EQ(less.samples(p).at<std::uint8_t>(1, 0), (at(0, 2) + at(1, 2) + 1) / 2);
    EXPECT_EQ(less.samples(p).at<std::uint8_t>(0, 1), (at(2, 0) + at(2, 1) + 1) / 2);
    EXPECT_EQ(less.samples(p).at<std::uint8_t>(1, 1), at(2, 2));
  }
  MadePicture halves(PixelFormat::kI422, {3, 3}, kHd);
  convert(full.view(), halves.target());
  MadePicture from_halves(PixelFormat::kNv12, {3, 3}, kHd);
  convert(halves.view(), from_halves.target());
  EXPECT_EQ(from_halves.samples(1).at<std::uint8_t>(1, 1),
            halves.samples(2).at<std::uint8_t>(2, 0));
}

TEST(Repack, RefusesWhatWouldNotBeTheSamePicture) {
  MadePicture i420(PixelFormat::kI420, {4, 4}, kHd);
  MadePicture other_matrix(PixelFormat::kI420, {4, 4}, kSd);
  MadePicture other_range(PixelFormat::kI420, {4, 4}, kHdFull);
  MadePicture more_chroma(PixelFormat::kI444, {4, 4}, kHd);
  MadePicture larger(PixelFormat::kI420, {6, 4}, kHd);
  for (const MadePicture* to : {&other_matrix, &other_range, &more_chroma, &larger}) {
    EXPECT_THROW(convert(i420.view(), to->target()), std::invalid_argument);
  }
}

TEST(DrawBgr, IsTheConversionWhereTheSizeIsThePictures) {
  MadePicture picture(PixelFormat::kI420, {67, 31}, kHd);
  picture.fill_randomly(0, 256);
  cv::Mat target(31, 67, CV_8UC3);
  draw_bgr(picture.view(), target);
  EXPECT_EQ(largest(target, to_bgr(picture.view())), 0);
}

TEST(DrawBgr, ResizesAsTheConvertedPictureWould) {
  const cv::Mat film = film_like({320, 180});
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI444}) {
    const MadePicture picture = exact_yuv(film, format, kHd);
    const cv::Mat bgr = to_bgr(picture.view());
    for (const cv::Size size : {cv::Size(160, 90), cv::Size(123, 77), cv::Size(500, 300)}) {
      cv::Mat expected;
      cv::resize(bgr, expected, size, 0, 0, size.width < 320 ? cv::INTER_AREA : cv::INTER_LINEAR);
      cv::Mat window(size.height + 4, size.width + 6, CV_8UC3, cv::Scalar::all(7));
      cv::Mat target = window(cv::Rect({3, 2}, size));
      draw_bgr(picture.view(), target);
      cv::Mat apart;
      cv::absdiff(target, expected, apart);
      EXPECT_LE(cv::mean(apart)[0], 1.0) << format_info(format).name << " " << size;
      EXPECT_LE(largest(target, expected), 16) << format_info(format).name << " " << size;
      EXPECT_EQ(window.at<cv::Vec3b>(1, 3), cv::Vec3b(7, 7, 7));
    }
  }
}

TEST(Fill, GivesOneColour) {
  MadePicture yuv(PixelFormat::kNv12, {5, 3}, kSd);
  fill(yuv.target(), {0, 0, 255});
  yuv.expect_guards();
  EXPECT_EQ(yuv.samples(0).at<std::uint8_t>(2, 4), 81);
  EXPECT_EQ(yuv.samples(1).at<std::uint8_t>(1, 4), 90);
  EXPECT_EQ(yuv.samples(1).at<std::uint8_t>(1, 5), 240);
  cv::Mat bgr(2, 2, CV_8UC3);
  fill(target_of(bgr), {1, 2, 3});
  EXPECT_EQ(bgr.at<cv::Vec3b>(1, 1), cv::Vec3b(1, 2, 3));
}

}  // namespace
}  // namespace gradcam
