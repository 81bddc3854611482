#include "stages/picture/picture_pool.h"

#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "stages/picture/picture_state.h"

namespace gradcam {
namespace {

constexpr auto kAlign = std::align_val_t{PicturePool::kAlignment};

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + PicturePool::kAlignment - 1) / PicturePool::kAlignment * PicturePool::kAlignment;
}

/// The planes behind each other from `data` on (null: only to count), rows and planes aligned.
PictureTarget lay_out(PixelFormat format, cv::Size size, const ColorDescription& color,
                      std::uint8_t* data, std::size_t& bytes) {
  const FormatInfo& info = format_info(format);
  PictureTarget target{format, size.width, size.height, color};
  bytes = 0;
  for (int p = 0; p < info.planes; ++p) {
    const auto place = static_cast<std::size_t>(p);
    const cv::Size plane = plane_size(format, size, p);
    const std::size_t stride = rounded_up(static_cast<std::size_t>(plane.width) *
                                          static_cast<std::size_t>(info.bytes[place]));
    target.planes[place] = {data == nullptr ? nullptr : data + bytes,
                            static_cast<std::ptrdiff_t>(stride), plane.width, plane.height};
    bytes += stride * static_cast<std::size_t>(plane.height);
  }
  return target;
}

}  // namespace

/// Memory of one picture, and of what its handles share. Its address is that of its use.
struct PictureBuffer::Slot {
  explicit Slot(std::size_t size)
      : bytes(size), data(static_cast<std::uint8_t*>(::operator new(size, kAlign))) {}
  ~Slot() { ::operator delete(data, kAlign); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  const std::size_t bytes;
  std::uint8_t* const data;
  std::shared_ptr<Core> core;  ///< while it is in use
  alignas(std::max_align_t) std::byte state[512];
};

struct PictureBuffer::Core {
  explicit Core(std::size_t most) : most_idle(most) { idle.reserve(most + 1); }

  const std::size_t most_idle;
  std::mutex mutex;
  std::vector<std::unique_ptr<Slot>> idle;  ///< the one given back last is at the end
  std::size_t allocated = 0;
};

/// Places what the handles share, and its counters, into the slot. It is freed when the last of
/// them is gone: then the slot is free, too.
template <typename T>
struct PictureBuffer::Allocator {
  using value_type = T;  // NOLINT(readability-identifier-naming): the standard's name

  explicit Allocator(Slot* memory) : slot(memory) {}
  template <typename Other>
  Allocator(const Allocator<Other>& other)  // NOLINT(google-explicit-constructor): the standard's
      : slot(other.slot) {}

  T* allocate(std::size_t count) const {
    static_assert(sizeof(T) <= sizeof(Slot::state) && alignof(T) <= alignof(std::max_align_t));
    if (count != 1) throw std::bad_alloc();
    return reinterpret_cast<T*>(slot->state);
  }
  void deallocate(T*, std::size_t) const noexcept { give_back(slot); }
  bool operator==(const Allocator& other) const = default;

  Slot* slot;
};

PictureBuffer::PictureBuffer(PictureBuffer&& other) noexcept
    : slot_(std::exchange(other.slot_, nullptr)), planes_(std::exchange(other.planes_, {})) {}

PictureBuffer& PictureBuffer::operator=(PictureBuffer&& other) noexcept {
  if (this == &other) return *this;
  if (slot_ != nullptr) give_back(slot_);
  slot_ = std::exchange(other.slot_, nullptr);
  planes_ = std::exchange(other.planes_, {});
  return *this;
}

PictureBuffer::~PictureBuffer() {
  if (slot_ != nullptr) give_back(slot_);
}

cv::Mat PictureBuffer::bgr() const {
  CV_Assert(!empty() && planes_.format == PixelFormat::kBgr);
  return {planes_.height, planes_.width, CV_8UC3, planes_.planes[0].data,
          static_cast<std::size_t>(planes_.planes[0].stride)};
}

Picture PictureBuffer::finish() && {
  CV_Assert(!empty());
  // The allocator gives the slot back, also if the constructor throws.
  Slot* const slot = std::exchange(slot_, nullptr);
  const PictureTarget planes = std::exchange(planes_, {});
  return Picture(std::allocate_shared<const Picture::State>(Allocator<Picture::State>(slot),
                                                            view_of(planes), nullptr));
}

void PictureBuffer::give_back(Slot* slot) noexcept {
  // The pool may be gone: then this is the last that holds its core, which frees the slot.
  const std::shared_ptr<Core> core = std::move(slot->core);
  std::unique_ptr<Slot> freed(slot);
  const std::lock_guard lock(core->mutex);
  core->idle.push_back(std::move(freed));
  if (core->idle.size() <= core->most_idle) return;
  freed = std::move(core->idle.front());
  core->idle.erase(core->idle.begin());
}

PicturePool::PicturePool(std::size_t most_idle)
    : core_(std::make_shared<PictureBuffer::Core>(most_idle)) {}

PictureBuffer PicturePool::take(PixelFormat format, cv::Size size, const ColorDescription& color) {
  if (size.width <= 0 || size.height <= 0) throw std::invalid_argument("a picture without pixels");
  std::size_t bytes = 0;
  lay_out(format, size, color, nullptr, bytes);
  std::unique_ptr<PictureBuffer::Slot> slot;
  {
    const std::lock_guard lock(core_->mutex);
    auto& idle = core_->idle;
    for (auto at = idle.end(); at != idle.begin() && !slot;) {
      --at;
      if ((*at)->bytes != bytes) continue;
      slot = std::move(*at);
      at = idle.erase(at);
    }
    if (!slot) ++core_->allocated;
  }
  if (!slot) slot = std::make_unique<PictureBuffer::Slot>(bytes);
  slot->core = core_;
  const PictureTarget planes = lay_out(format, size, color, slot->data, bytes);
  return {slot.release(), planes};
}

PicturePool& picture_pool() {
  // Never destroyed: exit() may be called while other threads are at work.
  static PicturePool& pool = *new PicturePool;
  return pool;
}

std::size_t PicturePool::idle() const {
  const std::lock_guard lock(core_->mutex);
  return core_->idle.size();
}

std::size_t PicturePool::allocated() const {
  const std::lock_guard lock(core_->mutex);
  return core_->allocated;
}

}  // namespace gradcam
