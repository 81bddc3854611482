#include "pipeline/frame_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <thread>
#include <vector>

namespace gradcam {
namespace {

constexpr std::size_t kLarge = 100'000;

TEST(FrameMemory, GivesABlockOfTheSameSizeAgain) {
  FrameMemory memory;
  void* const first = memory.allocate(kLarge);
  memory.deallocate(first, kLarge);
  EXPECT_EQ(memory.idle_bytes(), kLarge);
  EXPECT_EQ(memory.allocate(kLarge), first);
  EXPECT_EQ(memory.idle_bytes(), 0U);
  void* const second = memory.allocate(kLarge);
  EXPECT_NE(second, first);
  EXPECT_EQ(memory.fetched(), 2U);
  memory.deallocate(first, kLarge);
  memory.deallocate(second, kLarge);
}

TEST(FrameMemory, DoesNotGiveABlockOfAnotherSize) {
  FrameMemory memory;
  memory.deallocate(memory.allocate(kLarge), kLarge);
  void* const larger = memory.allocate(kLarge + 1);
  EXPECT_EQ(memory.fetched(), 2U);
  memory.deallocate(larger, kLarge + 1);
}

TEST(FrameMemory, LeavesSmallBlocksToMalloc) {
  FrameMemory memory;
  memory.deallocate(memory.allocate(100), 100);
  EXPECT_EQ(memory.fetched(), 0U);
  EXPECT_EQ(memory.idle_bytes(), 0U);
}

TEST(FrameMemory, GivesBackWhatNobodyAsksForAnyLonger) {
  FrameMemory memory(1000, 5000);
  std::vector<void*> blocks;
  blocks.reserve(4);
  for (int i = 0; i < 4; ++i) blocks.push_back(memory.allocate(2000));
  memory.deallocate(blocks[0], 2000);
  memory.deallocate(blocks[1], 2000);
  EXPECT_EQ(memory.idle_bytes(), 4000U);
  memory.deallocate(blocks[2], 2000);
  EXPECT_EQ(memory.idle_bytes(), 0U);
  memory.deallocate(blocks[3], 2000);
}

TEST(FrameMemory, ServesSeveralThreads) {
  FrameMemory memory;
  std::vector<std::jthread> threads;
  for (std::uint8_t id = 1; id <= 4; ++id) {
    threads.emplace_back([&memory, id] {
      for (int i = 0; i < 200; ++i) {
        std::pmr::vector<std::uint8_t> pixels(kLarge, id, &memory);
        for (std::size_t at = 0; at < kLarge; at += 999) ASSERT_EQ(pixels[at], id);
      }
    });
  }
  threads.clear();
  EXPECT_LE(memory.fetched(), 4U);
}

/// What the program does; in a process of its own, as ctest runs each test.
TEST(RecycleFrameMemory, ServesPicturesAndMaps) {
  recycle_frame_memory();
  const std::uint8_t* pixels = nullptr;
  {
    cv::Mat picture(480, 640, CV_8UC3, cv::Scalar(1, 2, 3));
    pixels = picture.data;
    const cv::Mat part = picture(cv::Rect(10, 10, 20, 20));
    picture.release();
    EXPECT_EQ(part.at<cv::Vec3b>(19, 19), cv::Vec3b(1, 2, 3));  // the block is still in use
    EXPECT_NE(cv::Mat(480, 640, CV_8UC3).data, pixels);
  }
  const cv::Mat again(480, 640, CV_8UC3);
  const cv::Mat other(480, 640, CV_8UC3);
  EXPECT_TRUE(again.data == pixels || other.data == pixels);
  EXPECT_TRUE(again.isContinuous());
  EXPECT_EQ(again.step[0], 640U * 3);

  const auto* const resource = dynamic_cast<FrameMemory*>(std::pmr::get_default_resource());
  ASSERT_NE(resource, nullptr);
  const std::size_t before = resource->fetched();
  for (int i = 0; i < 3; ++i) std::pmr::vector<float> map(std::size_t{224} * 224);
  EXPECT_EQ(resource->fetched(), before + 1);
}

TEST(RecycleFrameMemory, LeavesPixelsOfOthersAlone) {
  recycle_frame_memory();
  std::vector<std::uint8_t> own(std::size_t{64} * 64 * 3, 7);
  {
    const cv::Mat view(64, 64, CV_8UC3, own.data());
    EXPECT_EQ(view.data, own.data());
  }
  EXPECT_EQ(own[100], 7);
}

}  // namespace
}  // namespace gradcam
