
#include <csignal>
#include <cstdio>
#include <exception>
#include <stop_token>
#include <thread>

#include "config/options.h"
#include "config/user_error.h"
#include "pipeline/app.h"
#include "stages/output/display_probe.h"

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

/// The libraries take a good part of a second until main() runs; a stop meanwhile is to be served
/// as any other, not to kill: so the signals are blocked before the first constructor of a library.
void block_stop_signals(int, char**, char**) {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}
[[gnu::section(".preinit_array"), gnu::used]] void (*const before_all)(int, char**,
                                                                       char**) = block_stop_signals;

/// Turns SIGINT and SIGTERM into a stop request; the second one ends the process at once.
/// The signals are blocked in every thread and taken by one that waits for them, so that no code
/// runs in a signal handler.
class Signals {
 public:
  Signals() {
    waiter_ = std::jthread([this](const std::stop_token& end) { wait(end); });
  }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  void wait(const std::stop_token& end) {
    const timespec period{0, 50'000'000};
    while (!end.stop_requested()) {
      const int signal = sigtimedwait(&set_, nullptr, &period);
      if (signal < 0) continue;
      if (stop_.stop_requested()) std::_Exit(128 + signal);
      stop_.request_stop();
    }
  }

  const sigset_t set_ = stop_signals();
  std::stop_source stop_;
  std::jthread waiter_;  // last: it uses the others
};

int report(gradcam::ExitCode code, const char* what) {
  std::fflush(stdout);
  std::fprintf(stderr, "gradcam-live: %s\n", what);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  gradcam::answer_display_probe(argc, argv);
  try {
    const Signals signals;
    const auto options = gradcam::parse_options(argc, argv);
    if (!options) return 0;
    return static_cast<int>(gradcam::run_app(*options, signals.token()));
  } catch (const gradcam::UserError& error) {
    return report(error.code(), error.what());
  } catch (const std::exception& error) {
    return report(gradcam::ExitCode::kInternal, error.what());
  }
}
