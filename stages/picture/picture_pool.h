#pragma once

#include <cstddef>
#include <memory>

#include "stages/picture/picture.h"

namespace gradcam {

/// A picture that is being made: planes to write into, for one owner. Threads may write different
/// rows at once.
class PictureBuffer {
 public:
  PictureBuffer() = default;
  PictureBuffer(PictureBuffer&& other) noexcept;
  PictureBuffer& operator=(PictureBuffer&& other) noexcept;
  ~PictureBuffer();

  bool empty() const { return slot_ == nullptr; }
  /// Their bytes are those of some earlier picture.
  const PictureTarget& planes() const { return planes_; }
  /// BGR u8 of a buffer in BGR, for whoever draws with OpenCV; its memory.
  cv::Mat bgr() const;

  /// Hands the picture over: from here on nobody writes it. The buffer is empty then.
  Picture finish() &&;

 private:
  friend class PicturePool;
  struct Slot;
  struct Core;
  template <typename T>
  struct Allocator;
  PictureBuffer(Slot* slot, const PictureTarget& planes) : slot_(slot), planes_(planes) {}
  static void give_back(Slot* slot) noexcept;

  Slot* slot_ = nullptr;
  PictureTarget planes_;
};

/// Memory for pictures, used again when the last handle of a picture is gone: from then on frames
/// of the same size cost neither an allocation nor a page fault. Planes begin at multiples of
/// kAlignment bytes, and so do rows. Any thread. Buffers and pictures may outlive the pool.
class PicturePool {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Keeps so many buffers that nobody uses, at most: of those above it the one that lay longest is
  /// freed. How many are in use at once is up to the callers (as the graph's gate says).
  explicit PicturePool(std::size_t most_idle = 16);

  /// Throws std::invalid_argument on an empty size, std::bad_alloc.
  PictureBuffer take(PixelFormat format, cv::Size size, const ColorDescription& color = {});

  std::size_t idle() const;       ///< buffers that nobody uses
  std::size_t allocated() const;  ///< buffers asked of the system so far

 private:
  std::shared_ptr<PictureBuffer::Core> core_;
};

/// The one that all stages of a process share. Any thread.
PicturePool& picture_pool();

}  // namespace gradcam
