#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gradcam {

/// The few values that were asked for last, by what they are made of: for what frame after frame
/// needs alike. Any thread.
template <typename Key, typename Value>
class Recent {
 public:
  explicit Recent(std::size_t most = 8) : most_(most) {}

  /// That of `key`, or what `make` makes. Two threads may make one at the same time.
  template <typename Make>
  std::shared_ptr<const Value> get(const Key& key, const Make& make) {
    if (auto found = find(key)) return found;
    auto made = std::make_shared<const Value>(make());
    const std::lock_guard lock(mutex_);
    if (held_.size() >= most_) held_.erase(held_.begin());
    held_.emplace_back(key, made);
    return made;
  }

 private:
  std::shared_ptr<const Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(held_.begin(), held_.end(), [&](const auto& row) { return row.first == key; });
    if (found == held_.end()) return nullptr;
    std::rotate(found, found + 1, held_.end());  // the last one is the newest
    return held_.back().second;
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::vector<std::pair<Key, std::shared_ptr<const Value>>> held_;
};

}  // namespace gradcam
