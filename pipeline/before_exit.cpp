#include "pipeline/before_exit.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace gradcam {
namespace {

struct Last {
  std::mutex mutex;
  std::function<int()> call;
  std::thread::id thread;
};

/// Never destroyed: exit() looks at it.
Last& last() {
  static auto& last = *new Last;
  return last;
}

void leave() {
  std::function<int()> call;
  {
    const std::scoped_lock lock(last().mutex);
    if (std::this_thread::get_id() == last().thread) call = std::exchange(last().call, nullptr);
  }
  if (!call) return;
  const int code = call();
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace

BeforeExit::BeforeExit(std::function<int()> call) {
  static const int kRegistered = std::atexit(leave);
  if (kRegistered != 0) throw std::runtime_error("atexit() refuses");
  const std::scoped_lock lock(last().mutex);
  last().call = std::move(call);
  last().thread = std::this_thread::get_id();
}

BeforeExit::~BeforeExit() {
  const std::scoped_lock lock(last().mutex);
  last().call = nullptr;
}

}  // namespace gradcam
