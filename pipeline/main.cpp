
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stop_token>
#include <string_view>
#include <thread>

#include "config/options.h"
#include "config/user_error.h"
#include "pipeline/app.h"
#include "pipeline/frame_memory.h"
#include "stages/output/display_probe.h"

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

/// Where this variable stands; null: nowhere.
char** find_variable(char** environment, const std::string_view name) {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.size() > name.size() && text[name.size()] == '=' &&
        text.substr(0, name.size()) == name)
      return entry;
  }
  return nullptr;
}

char short_spin[] = "GOMP_SPINCOUNT=10000";
char* displaced_variable = nullptr;  ///< whose place `short_spin` has until main() begins

/// libgomp lets its threads spin for about a millisecond when they wait for each other. As soon as
/// anything else wants a core, one spins while the other is not running, at each layer of a
/// network: a frame that takes 25 ms then takes 500. With a shorter spin it stays below 100, and an
/// idle machine is as fast. libgomp only reads its environment when it is loaded, and that has no
/// room for a variable more: so this one takes the place of one that no library wants meanwhile.
/// Where there is none, the program starts itself again, which takes a third of a second. Whoever
/// sets the variables knows better.
void start_with_short_spin(char** argv, char** environment) {
  if (find_variable(environment, "GOMP_SPINCOUNT") != nullptr ||
      find_variable(environment, "OMP_WAIT_POLICY") != nullptr)
    return;
  constexpr std::array<std::string_view, 6> kUnread = {"_",         "OLDPWD",  "SHLVL",
                                                       "LS_COLORS", "LOGNAME", "PWD"};
  for (const std::string_view name : kUnread) {
    if (char** const place = find_variable(environment, name)) {
      displaced_variable = *place;
      *place = short_spin;
      return;
    }
  }
  static std::array<char*, 4096> extended;
  std::size_t count = 0;
  while (environment[count] != nullptr) {
    if (count + 2 >= extended.size()) return;
    extended[count] = environment[count];
    ++count;
  }
  extended[count] = short_spin;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval() has one type for all it answers
  const auto* const program = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (program != nullptr) execve(program, argv, extended.data());
}

void put_back_variable() {
  for (char** entry = environ; displaced_variable != nullptr && *entry != nullptr; ++entry) {
    if (*entry == short_spin) *entry = displaced_variable;
  }
}

/// Before the first constructor of a library. Those take a good part of a second until main() runs;
/// a stop meanwhile is to be served as any other, not to kill.
[[maybe_unused]] void before_libraries(int /*argc*/, char** argv, char** environment) {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  start_with_short_spin(argv, environment);
}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those are not up yet then
using Early = void (*)(int, char**, char**);
__attribute__((section(".preinit_array"), used)) const Early kBeforeLibraries = before_libraries;
#endif

/// Turns SIGINT and SIGTERM into a stop request; the second one ends the process at once.
/// The signals are blocked in every thread and taken by one that waits for them, so that no code
/// runs in a signal handler.
class Signals {
 public:
  Signals() {
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
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
  put_back_variable();
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the output may leave: a failed write says so
  gradcam::answer_display_probe(argc, argv);
  try {
    const Signals signals;
    gradcam::recycle_frame_memory();
    const auto options = gradcam::parse_options(argc, argv);
    if (!options) return 0;
    return static_cast<int>(gradcam::run_app(*options, signals.token()));
  } catch (const gradcam::UserError& error) {
    return report(error.code(), error.what());
  } catch (const std::exception& error) {
    return report(gradcam::ExitCode::kInternal, error.what());
  } catch (...) {
    return report(gradcam::ExitCode::kInternal, "error of unknown type");
  }
}
