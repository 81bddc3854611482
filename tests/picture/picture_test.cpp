#include "stages/picture/picture.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "stages/picture/picture_pool.h"
#include "stages/picture/recent.h"
#include "tests/picture/made_picture.h"

namespace gradcam {
namespace {

TEST(Planes, SizesAndPartsOfEachFormat) {
  EXPECT_EQ(plane_size(PixelFormat::kI420, {1919, 1079}, 0), cv::Size(1919, 1079));
  EXPECT_EQ(plane_size(PixelFormat::kI420, {1919, 1079}, 2), cv::Size(960, 540));
  EXPECT_EQ(plane_size(PixelFormat::kI422, {1919, 1079}, 1), cv::Size(960, 1079));
  EXPECT_EQ(plane_size(PixelFormat::kI444P10, {1919, 1079}, 1), cv::Size(1919, 1079));
  EXPECT_EQ(packed_bytes(PixelFormat::kNv12, {4, 4}), 24U);
  EXPECT_EQ(packed_bytes(PixelFormat::kP010, {3, 3}), 34U);  // 9 and 4 pairs, two bytes each
  EXPECT_EQ(packed_bytes(PixelFormat::kBgr, {5, 2}), 30U);
  for (const PixelFormat format :
       {PixelFormat::kBgr, PixelFormat::kBgrx, PixelFormat::kGray, PixelFormat::kI420,
        PixelFormat::kNv12, PixelFormat::kI422, PixelFormat::kI444, PixelFormat::kI420P10,
        PixelFormat::kP010, PixelFormat::kI422P10, PixelFormat::kI444P10}) {
    const MadePicture whole(format, {9, 7});
    for (const MadePicture* picture : {&whole}) EXPECT_NO_THROW(check_planes(picture->view()));
    const PictureView part = part_of(whole.view(), {2, 4, 7, 3});
    EXPECT_NO_THROW(check_planes(part)) << format_info(format).name;
    const FormatInfo& info = format_info(format);
    const int last = info.planes - 1;
    const auto place = static_cast<std::size_t>(last);
    const std::ptrdiff_t x = last > 0 ? 2 >> info.chroma_x : 2;
    const int y = last > 0 ? 4 >> info.chroma_y : 4;
    EXPECT_EQ(part.planes[place].data, whole.view().planes[place].row(y) + x * info.bytes[place]);
  }
}

TEST(Planes, PartsBeginOnChromaSamples) {
  const MadePicture picture(PixelFormat::kI420, {9, 7});
  EXPECT_THROW(part_of(picture.view(), {1, 2, 4, 4}), std::invalid_argument);
  EXPECT_THROW(part_of(picture.view(), {2, 1, 4, 4}), std::invalid_argument);
  EXPECT_THROW(part_of(picture.view(), {2, 2, 8, 4}), std::invalid_argument);
  EXPECT_THROW(part_of(picture.view(), {2, 2, 0, 4}), std::invalid_argument);
  EXPECT_EQ(on_samples(PixelFormat::kI420, {3, 5, 4, 2}), cv::Rect(2, 4, 5, 3));
  EXPECT_EQ(on_samples(PixelFormat::kI422, {3, 5, 4, 2}), cv::Rect(2, 5, 5, 2));
  EXPECT_EQ(on_samples(PixelFormat::kBgr, {3, 5, 4, 2}), cv::Rect(3, 5, 4, 2));
}

TEST(Planes, MustBeWhole) {
  MadePicture made(PixelFormat::kI420, {8, 6});
  PictureView broken = made.view();
  broken.planes[2].data = nullptr;
  EXPECT_THROW(check_planes(broken), std::invalid_argument);
  broken = made.view();
  broken.planes[1].height = 2;
  EXPECT_THROW(check_planes(broken), std::invalid_argument);
  broken = made.view();
  broken.planes[0].stride = 7;
  EXPECT_THROW(Picture(broken, nullptr), std::invalid_argument);
  EXPECT_THROW(check_planes({}), std::invalid_argument);
}

TEST(Picture, KeepsItsOwnerAndConvertsOnce) {
  auto made = std::make_shared<MadePicture>(PixelFormat::kNv12, cv::Size(8, 6), kHd);
  made->fill_randomly(0, 256);
  const cv::Mat expected = to_bgr(made->view());
  const std::weak_ptr<MadePicture> watched = made;
  Picture picture(made->view(), made);
  made.reset();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(picture.format(), PixelFormat::kNv12);
  EXPECT_EQ(picture.size(), cv::Size(8, 6));
  EXPECT_EQ(picture.color(), kHd);

  const Picture copy = picture;
  const cv::Mat& bgr = picture.bgr();
  EXPECT_EQ(cv::norm(bgr, expected, cv::NORM_INF), 0);
  EXPECT_EQ(copy.bgr().data, bgr.data);
  const cv::Mat kept = copy.bgr();
  picture = Picture();
  EXPECT_TRUE(picture.empty());
  const Picture part = copy.part({2, 2, 4, 4});
  EXPECT_EQ(cv::norm(part.bgr(), expected(cv::Rect(2, 2, 4, 4)), cv::NORM_INF), 0);
  EXPECT_EQ(kept.at<cv::Vec3b>(3, 3), expected.at<cv::Vec3b>(3, 3));
  EXPECT_FALSE(watched.expired());
}

TEST(Picture, LetsItsOwnerGoWithTheLastHandle) {
  auto made = std::make_shared<MadePicture>(PixelFormat::kI420, cv::Size(8, 6));
  const std::weak_ptr<MadePicture> watched = made;
  Picture part = Picture(made->view(), made).part({0, 0, 4, 4});
  made.reset();
  EXPECT_FALSE(watched.expired());
  part = Picture();
  EXPECT_TRUE(watched.expired());
}

TEST(Picture, InBgrIsItsOwnPixels) {
  cv::Mat image = film_like({20, 10});
  const cv::Mat before = image.clone();
  const Picture picture(image, kHd);
  EXPECT_EQ(picture.bgr().data, image.data);
  EXPECT_EQ(picture.color(), kHd);
  const Picture part = picture.part({3, 1, 5, 5});
  EXPECT_EQ(part.bgr().data, image.ptr(1, 3));
  const cv::Mat kept = picture.bgr();  // longer than the picture is kept, as OpenCV's users do
  image.release();
  EXPECT_EQ(cv::norm(kept, before, cv::NORM_INF), 0);
}

TEST(Picture, ManyThreadsGetOneConversion) {
  MadePicture made(PixelFormat::kI420, {64, 64}, kHd);
  made.fill_randomly(0, 256);
  const Picture picture(made.view(), nullptr);
  std::vector<const std::uint8_t*> seen(8);
  std::vector<std::thread> threads;
  threads.reserve(seen.size());
  for (auto& data : seen) threads.emplace_back([&] { data = Picture(picture).bgr().data; });
  for (std::thread& thread : threads) thread.join();
  for (const std::uint8_t* data : seen) EXPECT_EQ(data, seen[0]);
}

TEST(Recent, KeepsWhatWasAskedForLast) {
  Recent<int, int> recent(2);
  int made = 0;
  const auto get = [&](int key) {
    return *recent.get(key, [&] {
      ++made;
      return 10 * key;
    });
  };
  EXPECT_EQ(get(1), 10);
  EXPECT_EQ(get(2), 20);
  EXPECT_EQ(get(1), 10);
  EXPECT_EQ(made, 2);
  EXPECT_EQ(get(3), 30);  // 2 is the one that was asked for longest ago
  EXPECT_EQ(get(1), 10);
  EXPECT_EQ(made, 3);
  EXPECT_EQ(get(2), 20);
  EXPECT_EQ(made, 4);
}

TEST(PicturePool, UsesMemoryAgainWhenTheLastHandleIsGone) {
  PicturePool pool;
  PictureBuffer buffer = pool.take(PixelFormat::kI420, {1919, 1079}, kHd);
  const std::uint8_t* const memory = buffer.planes().planes[0].data;
  buffer.planes().planes[2].row(539)[959] = 77;
  Picture picture = std::move(buffer).finish();
  EXPECT_TRUE(buffer.empty());  // NOLINT(bugprone-use-after-move): finish() says so
  EXPECT_EQ(picture.color(), kHd);
  EXPECT_EQ(picture.planes().planes[2].row(539)[959], 77);
  Picture part = picture.part({0, 0, 2, 2});
  picture = Picture();
  EXPECT_EQ(pool.idle(), 0U);
  EXPECT_NE(pool.take(PixelFormat::kI420, {1919, 1079}).planes().planes[0].data, memory);
  part = Picture();
  EXPECT_EQ(pool.idle(), 2U);
  EXPECT_EQ(pool.take(PixelFormat::kI420, {1919, 1079}).planes().planes[0].data, memory);
  EXPECT_EQ(pool.allocated(), 2U);
}

TEST(PicturePool, PlanesAndRowsAreAligned) {
  PicturePool pool;
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kBgr}) {
    const PictureBuffer buffer = pool.take(format, {101, 33});
    EXPECT_NO_THROW(check_planes(view_of(buffer.planes())));
    for (int p = 0; p < format_info(format).planes; ++p) {
      const WritablePlane& plane = buffer.planes().planes[static_cast<std::size_t>(p)];
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(plane.data) % PicturePool::kAlignment, 0U);
      EXPECT_EQ(plane.stride % static_cast<std::ptrdiff_t>(PicturePool::kAlignment), 0);
    }
  }
  EXPECT_THROW(pool.take(PixelFormat::kI420, {0, 5}), std::invalid_argument);
}

TEST(PicturePool, KeepsNoMoreThanItMay) {
  PicturePool pool(2);
  {
    std::vector<PictureBuffer> buffers;
    buffers.reserve(5);
    for (int i = 0; i < 5; ++i) buffers.push_back(pool.take(PixelFormat::kI420, {16, 16}));
    buffers[0] = std::move(buffers[4]);  // gives its own back
    EXPECT_EQ(pool.idle(), 1U);
  }
  EXPECT_EQ(pool.idle(), 2U);
  EXPECT_EQ(pool.allocated(), 5U);
  const PictureBuffer other = pool.take(PixelFormat::kI420, {128, 16});  // another size
  EXPECT_EQ(pool.allocated(), 6U);
  EXPECT_EQ(pool.idle(), 2U);
}

TEST(PicturePool, PicturesOutliveIt) {
  Picture picture;
  PictureBuffer buffer;
  {
    PicturePool pool;
    picture = pool.take(PixelFormat::kBgr, {4, 4}).finish();
    buffer = pool.take(PixelFormat::kBgr, {4, 4});
  }
  buffer.bgr().setTo(cv::Scalar(1, 2, 3));
  EXPECT_EQ(std::move(buffer).finish().bgr().at<cv::Vec3b>(3, 3), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(picture.bgr().rows, 4);
}

TEST(PicturePool, ServesManyThreads) {
  PicturePool pool(8);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 200; ++i) {
        PictureBuffer buffer = pool.take(PixelFormat::kI420, {16 + 16 * (i % 2), 16});
        buffer.planes().planes[0].row(15)[15] = static_cast<std::uint8_t>(t);
        const Picture picture = std::move(buffer).finish();
        ASSERT_EQ(picture.planes().planes[0].row(15)[15], t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(pool.idle(), 8U);
  EXPECT_LE(pool.allocated(), 16U);
}

}  // namespace
}  // namespace gradcam
