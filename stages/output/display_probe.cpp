#include "stages/output/display_probe.h"

#include <fcntl.h>
#include <opencv2/highgui/highgui_c.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <thread>

namespace gradcam {
namespace {

constexpr const char* kSwitch = "--probe-display";
constexpr std::chrono::seconds kLimit(5);
constexpr std::chrono::milliseconds kPeriod(5);

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void keep_qt_quiet() {
  setenv("QT_LOGGING_RULES", "*.warning=false", 0);
  // Debian's Qt would try Wayland first, without a plug-in for it.
  if (!variable("DISPLAY").empty()) setenv("QT_QPA_PLATFORM", "xcb", 0);
}

/// posix_spawn's attributes and file actions, with an ordinary signal mask and no output.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};
};

/// The child's status as waitpid gives it; nullopt: it did not end in time and was killed.
std::optional<int> wait_for(pid_t child) {
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(kPeriod);
  }
  return status;
}

/// Which display was asked for, as text.
std::string wanted_display() {
  const std::string x11 = variable("DISPLAY");
  return x11.empty() ? "WAYLAND_DISPLAY=" + variable("WAYLAND_DISPLAY") : "DISPLAY=" + x11;
}

}  // namespace

std::optional<std::string> display_problem() {
  if (variable("DISPLAY").empty() && variable("WAYLAND_DISPLAY").empty()) {
    return "there is no display (DISPLAY is not set)";
  }
  keep_qt_quiet();
  std::string program = "gradcam-live";
  std::string probe = kSwitch;
  char* const arguments[] = {program.data(), probe.data(), nullptr};
  const SpawnSettings settings;
  pid_t child = 0;
  const int error = posix_spawn(&child, "/proc/self/exe", &settings.files, &settings.attributes,
                                arguments, environ);
  if (error != 0) return std::string("the display cannot be tried: ") + std::strerror(error);
  const auto status = wait_for(child);
  if (!status) return "the display does not answer (" + wanted_display() + ")";
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return std::nullopt;
  return "no window can be opened (" + wanted_display() + ")";
}

void answer_display_probe(int argc, const char* const* argv) {
  if (argc != 2 || std::strcmp(argv[1], kSwitch) != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);  // aborting is an answer, not an accident
  try {
    cvInitSystem(0, nullptr);  // connects to the display, without a window that would flash up
  } catch (const cv::Exception&) {
    std::_Exit(EXIT_FAILURE);  // an OpenCV without windows
  }
  std::_Exit(EXIT_SUCCESS);
}

}  // namespace gradcam
