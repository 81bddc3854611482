#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

#include "stages/overlay/heat_on_planes.h"
#include "stages/picture/picture_pool.h"
#include "stages/picture/plane_resizer.h"
#include "stages/picture/tile.h"
#include "tests/picture/made_picture.h"

namespace {
std::atomic<int> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* const memory =
      std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Not inlined: of a pair of which it inlines one, g++ says that the other does not fit.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

namespace gradcam {
namespace {

TEST(Frames, AllocateNothingFromTheSecondOneOn) {
  cv::setNumThreads(1);
  const cv::Size size(322, 180);
  PicturePool pool;
  const MadePicture input = exact_yuv(film_like(size), PixelFormat::kNv12, kHd);
  const PlaneResizer resizer({size, {{0, 0}, size}, {64, 64}, {0, 0, 64, 64}});
  const HeatOnPlanes overlay({size.width, size.height, {0, 0, 322, 180}, {0, 0, 64, 64}}, {7, 7},
                             {64, 64});
  const HeatMap heat{7, 7, std::pmr::vector<float>(49, 0.4F)};
  const HeatColors colors = heat_colors({}, kHd);
  const cv::Mat drawn(40, 60, CV_8UC4, cv::Scalar::all(100));
  cv::Mat blob(64, 64, CV_8UC3);
  Tile tile;
  const auto frame = [&] {
    resizer(input.view(), PixelOrder::kRgb, blob);
    PictureBuffer buffer = pool.take(PixelFormat::kNv12, size, kHd);
    overlay.draw(input.view(), heat, colors, 128, buffer.planes());
    tile.draw(drawn, Alpha::kPremultiplied, PixelFormat::kNv12, kHd);
    tile.lay(buffer.planes(), {16, 16});
    const Picture picture = std::move(buffer).finish();
    EXPECT_EQ(picture.size(), size);
  };
  frame();
  const int before = allocations;
  for (int i = 0; i < 3; ++i) frame();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(pool.allocated(), 1U);
}

}  // namespace
}  // namespace gradcam
