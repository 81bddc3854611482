#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace gradcam {

/// A value that costs something and that not everybody wants: made when somebody asks first, then
/// kept. A handle that is cheap to copy; copies share the value. Any thread.
template <typename T>
class Lazy {
 public:
  /// There is no value.
  Lazy() = default;
  /// One that is there already.
  explicit Lazy(T value) : state_(std::make_shared<State>()) { state_->value = std::move(value); }
  static Lazy by(std::function<T()> make) {
    Lazy lazy;
    lazy.state_ = std::make_shared<State>();
    lazy.state_->make = std::move(make);
    return lazy;
  }

  /// Whether there is a value; asks for none.
  explicit operator bool() const { return state_ != nullptr; }
  /// Only where there is one. Throws what making it throws; then the next who asks tries again.
  const T& operator*() const {
    const std::lock_guard lock(state_->mutex);
    if (!state_->value) {
      state_->value = state_->make();
      state_->make = nullptr;
    }
    return *state_->value;
  }
  const T* operator->() const { return &**this; }

 private:
  struct State {
    std::mutex mutex;
    std::function<T()> make;
    std::optional<T> value;  ///< stays once it is there
  };
  std::shared_ptr<State> state_;
};

}  // namespace gradcam
