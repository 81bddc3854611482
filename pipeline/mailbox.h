#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace gradcam {

/// Hands the newest value over to one reader, who may be slower than the writers: a slot for each
/// stream, in which a newer value takes the place of the one that was not taken. Never holds a
/// writer up. Any thread.
template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t slots = 1) : slots_(slots) {}

  /// `ticket` is the order within a slot, in which writers need not come: what is older than the
  /// newest that was ever put is discarded. The same ticket again replaces.
  void put(T value, std::uint64_t ticket, std::size_t slot = 0) {
    std::optional<T> replaced;  // destroyed outside the lock
    {
      const std::lock_guard lock(mutex_);
      Slot& place = slots_.at(slot);
      if (place.newest && ticket < *place.newest) {
        ++missed_;
        return;
      }
      if (place.value) ++missed_;
      place.newest = ticket;
      replaced = std::exchange(place.value, std::move(value));
    }
    filled_.notify_one();
  }

  /// The value of the next filled slot in turn, waiting for one no longer than `timeout`.
  std::optional<T> take(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    std::size_t slot = 0;
    const auto find_filled = [&] {
      for (std::size_t i = 0; i < slots_.size(); ++i) {
        slot = (next_ + i) % slots_.size();
        if (slots_[slot].value) return true;
      }
      return false;
    };
    if (!filled_.wait_for(lock, timeout, find_filled)) return std::nullopt;
    next_ = slot + 1;
    return std::exchange(slots_[slot].value, std::nullopt);
  }

  /// Values that nobody took: overwritten, or late.
  std::int64_t missed() const {
    const std::lock_guard lock(mutex_);
    return missed_;
  }

 private:
  struct Slot {
    std::optional<T> value;
    std::optional<std::uint64_t> newest;  ///< ticket; stays when the value is taken
  };

  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;  ///< where the search begins, so that no slot starves
  std::int64_t missed_ = 0;
};

}  // namespace gradcam
