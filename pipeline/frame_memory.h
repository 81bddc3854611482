#pragma once

#include <cstddef>
#include <map>
#include <memory_resource>
#include <mutex>
#include <vector>

namespace gradcam {

/// Keeps the large blocks that are freed (pictures, network inputs, heat maps) for the next frame,
/// which needs the same sizes. So from the second frame on the system need not hand out and clear
/// pages. Thread-safe.
class FrameMemory : public std::pmr::memory_resource {
 public:
  /// Blocks below `smallest` bytes are left to malloc. When more than `most_idle` bytes lie unused
  /// (their sizes are no longer needed), all unused blocks are freed.
  explicit FrameMemory(std::size_t smallest = 64U << 10U, std::size_t most_idle = 512U << 20U)
      : smallest_(smallest), most_idle_(most_idle) {}
  ~FrameMemory() override;
  FrameMemory(const FrameMemory&) = delete;
  FrameMemory& operator=(const FrameMemory&) = delete;

  /// Blocks asked of the system so far.
  std::size_t fetched() const;
  /// Bytes that lie unused.
  std::size_t idle_bytes() const;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  bool kept(std::size_t bytes, std::size_t alignment) const;
  void give_back_idle();

  const std::size_t smallest_;
  const std::size_t most_idle_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> idle_;  // by size
  std::size_t idle_bytes_ = 0;
  std::size_t fetched_ = 0;
};

/// From here on every cv::Mat and every std::pmr container of this process, thus all buffers of
/// frames, takes its memory from one FrameMemory that lives until the process ends. To be called
/// once, before the first frame.
void recycle_frame_memory();

}  // namespace gradcam
