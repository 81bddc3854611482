#include "pipeline/frame_memory.h"

#include <new>
#include <opencv2/core/mat.hpp>

namespace gradcam {
namespace {

constexpr std::align_val_t kAlignment{64};  // a cache line, and the widest vector register

/// cv::Mat's own allocator, on memory of a FrameMemory.
class MatMemory : public cv::MatAllocator {
 public:
  explicit MatMemory(FrameMemory& memory) : memory_(memory) {}

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, std::size_t* steps,
                         cv::AccessFlag access, cv::UMatUsageFlags usage) const override {
    if (data != nullptr) {
      return standard_->allocate(dims, sizes, type, data, steps, access, usage);
    }
    std::size_t bytes = CV_ELEM_SIZE(type);
    for (int i = dims - 1; i >= 0; --i) {
      if (steps != nullptr) steps[i] = bytes;
      bytes *= static_cast<std::size_t>(sizes[i]);
    }
    void* const block = memory_.allocate(bytes, static_cast<std::size_t>(kAlignment));
    // Told that the data is the caller's, the standard allocator leaves it alone.
    cv::UMatData* const made = standard_->allocate(dims, sizes, type, block, steps, access, usage);
    made->currAllocator = this;
    return made;
  }

  bool allocate(cv::UMatData* made, cv::AccessFlag access,
                cv::UMatUsageFlags usage) const override {
    return standard_->allocate(made, access, usage);
  }

  void deallocate(cv::UMatData* made) const override {
    if (made == nullptr) return;
    memory_.deallocate(made->origdata, made->size, static_cast<std::size_t>(kAlignment));
    standard_->deallocate(made);
  }

 private:
  cv::MatAllocator* standard_ = cv::Mat::getStdAllocator();
  FrameMemory& memory_;
};

}  // namespace

FrameMemory::~FrameMemory() { give_back_idle(); }

std::size_t FrameMemory::fetched() const {
  const std::scoped_lock lock(mutex_);
  return fetched_;
}

std::size_t FrameMemory::idle_bytes() const {
  const std::scoped_lock lock(mutex_);
  return idle_bytes_;
}

bool FrameMemory::kept(std::size_t bytes, std::size_t alignment) const {
  return bytes >= smallest_ && alignment <= static_cast<std::size_t>(kAlignment);
}

void* FrameMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (!kept(bytes, alignment)) return ::operator new (bytes, std::align_val_t{alignment});
  const std::scoped_lock lock(mutex_);
  if (auto& blocks = idle_[bytes]; !blocks.empty()) {
    void* const block = blocks.back();
    blocks.pop_back();
    idle_bytes_ -= bytes;
    return block;
  }
  ++fetched_;
  return ::operator new(bytes, kAlignment);
}

void FrameMemory::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
  if (!kept(bytes, alignment)) return ::operator delete (block, std::align_val_t{alignment});
  const std::scoped_lock lock(mutex_);
  idle_[bytes].push_back(block);
  idle_bytes_ += bytes;
  if (idle_bytes_ > most_idle_) give_back_idle();
}

void FrameMemory::give_back_idle() {
  for (const auto& [bytes, blocks] : idle_) {
    for (void* const block : blocks) ::operator delete(block, kAlignment);
  }
  idle_.clear();
  idle_bytes_ = 0;
}

void recycle_frame_memory() {
  // Never destroyed: whatever outlives main() still gives its pictures back.
  static auto& memory = *new FrameMemory;
  static auto& mats = *new MatMemory(memory);
  std::pmr::set_default_resource(&memory);
  cv::Mat::setDefaultAllocator(&mats);
}

}  // namespace gradcam
