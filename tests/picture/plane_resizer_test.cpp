#include "stages/picture/plane_resizer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <ostream>
#include <stdexcept>

#include "stages/preprocess/resize.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

struct Case {
  PixelFormat format;
  cv::Size picture;
  cv::Rect crop;  // empty: all
  cv::Size scaled;
  cv::Rect used;  // empty: all
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << format_info(c.format).name << " " << c.picture << " " << c.crop << " to "
             << c.scaled << " " << c.used;
}

ResizePlan plan_of(const Case& c) {
  return {c.picture, c.crop.empty() ? cv::Rect({0, 0}, c.picture) : c.crop, c.scaled,
          c.used.empty() ? cv::Rect({0, 0}, c.scaled) : c.used};
}

/// What preprocess does with the picture in BGR, in RGB.
cv::Mat expected_of(const PictureView& picture, const ResizePlan& plan) {
  cv::Mat rgb;
  const cv::Mat resized = resize_antialiased(to_bgr(picture)(plan.crop), plan.scaled);
  cv::cvtColor(resized(plan.used), rgb, cv::COLOR_BGR2RGB);
  return rgb;
}

class PlaneResize : public ::testing::TestWithParam<Case> {};

TEST_P(PlaneResize, EqualsConversionAndResizeButForALevelHereAndThere) {
  const Case& c = GetParam();
  const ResizePlan plan = plan_of(c);
  MadePicture picture = c.format == PixelFormat::kGray
                            ? MadePicture(c.format, c.picture)
                            : exact_yuv(film_like(c.picture), c.format, kHd);
  if (c.format == PixelFormat::kGray) picture.fill_randomly(0, 256);
  const cv::Mat expected = expected_of(picture.view(), plan);
  const PlaneResizer resizer(plan);
  cv::Mat first;
  for (const kernels::Table* table : tables()) {
    cv::Mat blob(plan.used.height + 2, plan.used.width + 2, CV_8UC3, cv::Scalar::all(114));
    const cv::Mat target = blob(cv::Rect({1, 1}, plan.used.size()));
    resizer(picture.view(), PixelOrder::kRgb, target, *table);
    cv::Mat apart;
    cv::absdiff(target, expected, apart);
    EXPECT_LE(cv::norm(apart, cv::NORM_INF), 1) << table->name;
    EXPECT_LE(cv::sum(apart.reshape(1))[0], 0.02 * static_cast<double>(apart.total() * 3) + 1)
        << table->name;
    EXPECT_EQ(blob.at<cv::Vec3b>(0, 1), cv::Vec3b(114, 114, 114));
    EXPECT_EQ(blob.at<cv::Vec3b>(1, blob.cols - 1), cv::Vec3b(114, 114, 114));
    if (first.empty()) first = target.clone();
    EXPECT_EQ(cv::norm(target, first, cv::NORM_INF), 0) << table->name << " and plain";
  }
}

constexpr PixelFormat kI420 = PixelFormat::kI420;
INSTANTIATE_TEST_SUITE_P(
    Pictures, PlaneResize,
    ::testing::Values(Case{kI420, {960, 540}, {}, {224, 224}, {}},
                      Case{kI420, {1919, 1079}, {}, {224, 224}, {}},
                      Case{PixelFormat::kNv12, {961, 539}, {}, {224, 224}, {}},
                      Case{PixelFormat::kI422, {641, 361}, {}, {224, 224}, {}},
                      Case{PixelFormat::kI444, {641, 361}, {}, {224, 224}, {}},
                      Case{PixelFormat::kGray, {641, 361}, {}, {224, 224}, {}},
                      Case{kI420, {360, 640}, {}, {112, 112}, {}},  // columns first
                      Case{PixelFormat::kNv12, {101, 801}, {}, {64, 48}, {}},
                      Case{PixelFormat::kGray, {101, 801}, {}, {64, 48}, {}},
                      Case{kI420, {640, 360}, {101, 33, 301, 251}, {128, 96}, {}},   // odd crop
                      Case{kI420, {640, 360}, {}, {455, 256}, {115, 16, 224, 224}},  // the middle
                      Case{kI420, {360, 640}, {7, 9, 251, 601}, {112, 199}, {0, 44, 112, 112}},
                      Case{kI420, {100, 60}, {}, {224, 224}, {}},  // larger
                      Case{kI420, {224, 300}, {}, {224, 224}, {}},
                      Case{kI420, {300, 224}, {}, {224, 224}, {}},
                      Case{kI420, {1, 1}, {}, {3, 2}, {}}, Case{kI420, {5, 3}, {}, {1, 1}, {}}));

TEST(PlaneResize, OrdersOfChannels) {
  const MadePicture picture = exact_yuv(film_like({90, 70}), kI420, kSd);
  const ResizePlan plan = plan_of({kI420, {90, 70}, {}, {31, 30}, {}});
  const PlaneResizer resizer(plan);
  cv::Mat rgb(30, 31, CV_8UC3);
  cv::Mat bgr(30, 31, CV_8UC3);
  cv::Mat gray(30, 31, CV_8UC1);
  resizer(picture.view(), PixelOrder::kRgb, rgb);
  resizer(picture.view(), PixelOrder::kBgr, bgr);
  resizer(picture.view(), PixelOrder::kGray, gray);
  cv::Mat turned;
  cv::cvtColor(rgb, turned, cv::COLOR_RGB2BGR);
  EXPECT_EQ(cv::norm(bgr, turned, cv::NORM_INF), 0);
  // As preprocess makes it: luma of each pixel, then resized.
  cv::Mat luma;
  cv::cvtColor(to_bgr(picture.view()), luma, cv::COLOR_BGR2GRAY);
  cv::Mat three;
  cv::cvtColor(luma, three, cv::COLOR_GRAY2BGR);
  cv::Mat expected;
  cv::extractChannel(resize_antialiased(three, {31, 30}), expected, 0);
  EXPECT_LE(cv::norm(gray, expected, cv::NORM_INF), 1);
}

TEST(PlaneResize, TakesPicturesInBgrToo) {
  const cv::Mat film = film_like({200, 120});
  const ResizePlan plan = plan_of({PixelFormat::kBgr, film.size(), {}, {64, 64}, {}});
  cv::Mat found(64, 64, CV_8UC3);
  PlaneResizer{plan}(view_of(film), PixelOrder::kBgr, found);
  EXPECT_LE(cv::norm(found, resize_antialiased(film, {64, 64}), cv::NORM_INF), 1);
}

TEST(PlaneResize, WithoutAntialiasIsOpencvsLinear) {
  const MadePicture picture = exact_yuv(film_like({317, 203}), kI420, kHd);
  ResizePlan plan = plan_of({kI420, {317, 203}, {}, {96, 80}, {}});
  plan.antialias = false;
  cv::Mat found(80, 96, CV_8UC3);
  PlaneResizer{plan}(picture.view(), PixelOrder::kBgr, found);
  cv::Mat expected;
  cv::resize(to_bgr(picture.view()), expected, {96, 80}, 0, 0, cv::INTER_LINEAR);
  EXPECT_LE(cv::norm(found, expected, cv::NORM_INF), 1);
}

TEST(PlaneResize, OneResizerServesManyPicturesInTurn) {
  const PlaneResizer wide(plan_of({kI420, {640, 360}, {}, {224, 224}, {}}));
  const PlaneResizer small(plan_of({kI420, {33, 90}, {}, {20, 24}, {}}));
  const MadePicture a = exact_yuv(film_like({640, 360}), kI420, kHd);
  const MadePicture b = exact_yuv(film_like({33, 90}), kI420, kSd);
  cv::Mat first(224, 224, CV_8UC3);
  cv::Mat again(224, 224, CV_8UC3);
  cv::Mat other(24, 20, CV_8UC3);
  wide(a.view(), PixelOrder::kRgb, first);
  small(b.view(), PixelOrder::kRgb, other);
  wide(a.view(), PixelOrder::kRgb, again);
  EXPECT_EQ(cv::norm(first, again, cv::NORM_INF), 0);
}

TEST(PlaneResize, RefusesWhatDoesNotFit) {
  const auto made = [](cv::Rect crop, cv::Rect used) {
    return PlaneResizer({{40, 30}, crop, {8, 8}, used});
  };
  EXPECT_THROW(made({0, 0, 41, 30}, {0, 0, 8, 8}), std::invalid_argument);
  EXPECT_THROW(made({0, 0, 0, 0}, {0, 0, 8, 8}), std::invalid_argument);
  EXPECT_THROW(made({0, 0, 40, 30}, {4, 4, 5, 5}), std::invalid_argument);
  const PlaneResizer resizer = made({0, 0, 40, 30}, {0, 0, 8, 8});
  const MadePicture smaller(kI420, {38, 30});
  const MadePicture picture(kI420, {40, 30});
  const MadePicture deep(PixelFormat::kI420P10, {40, 30});
  const cv::Mat target(8, 8, CV_8UC3);
  EXPECT_THROW(resizer(smaller.view(), PixelOrder::kRgb, target), std::invalid_argument);
  EXPECT_THROW(resizer(deep.view(), PixelOrder::kRgb, target), std::invalid_argument);
  EXPECT_THROW(resizer(picture.view(), PixelOrder::kGray, target), std::invalid_argument);
  EXPECT_THROW(resizer(picture.view(), PixelOrder::kRgb, target.colRange(0, 7)),
               std::invalid_argument);
}

// By hand: 4 to 2, support 2. Output 0 is at 1.0: inputs 0, 1, 2 at distances 0.5, 0.5, 1.5 of 2
// weigh 0.75, 0.75, 0.25.
TEST(Taps, AreThoseOfTheTriangle) {
  const Taps taps = triangle_taps(4, 2, 0, 2, true, 8, 1);
  ASSERT_EQ(taps.padded, 8);
  EXPECT_EQ(taps.first, (std::vector<int>{0, 1}));
  EXPECT_EQ(taps.used, (std::vector<int>{3, 3}));
  EXPECT_NEAR(taps.weights[0], 32768 * 0.75 / 1.75, 1);
  EXPECT_NEAR(taps.weights[1], 32768 * 0.75 / 1.75, 1);
  EXPECT_NEAR(taps.weights[2], 32768 * 0.25 / 1.75, 1);
  EXPECT_EQ(taps.weights[3], 0);
}

TEST(Taps, AddUpToOne) {
  for (const int in : {1, 2, 5, 223, 1080, 1919, 3840}) {
    for (const int out : {1, 7, 224}) {
      const Taps taps = triangle_taps(in, out, 0, out, true, 8, 16);
      EXPECT_EQ(taps.first.size() % 16, 0U);
      for (int i = 0; i < out; ++i) {
        const auto begin = taps.weights.begin() + static_cast<std::ptrdiff_t>(i) * taps.padded;
        const int sum = std::accumulate(begin, begin + taps.padded, 0);
        ASSERT_GE(sum, 32767) << in << " to " << out;
        ASSERT_LE(sum, 32768) << in << " to " << out;
        ASSERT_LE(taps.first[static_cast<std::size_t>(i)] + taps.used[static_cast<std::size_t>(i)],
                  in);
      }
    }
  }
}

}  // namespace
}  // namespace gradcam
