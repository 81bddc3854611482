// Reads network files as `gradcam-live layers FILE` does, each in a process of its own that starts
// as a copy of this one: loading the libraries takes longer than most files. scripts/fuzz_models.py
// gives it broken ones.
//   read_models [SECONDS] [MEGABYTES]    the most that a file may take; 20 and 3000 unless said
// Standard input: one path a line. Standard output, for each: a line "PATH<tab>END<tab>COUNT", END
// being "exit N", "signal N", "time" or "memory", and COUNT bytes that the copy wrote to stderr:
// the message, and where it crashed, the frames.

#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

#include "config/options.h"
#include "config/user_error.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/load.h"

namespace {

using std::chrono::steady_clock;

struct Limits {
  int seconds = 20;       ///< of processor time; twice as many on the clock, and some for the start
  long megabytes = 3000;  ///< resident
};

constexpr std::size_t kMostText = 64 << 10;
constexpr int kStop = SIGXCPU;  ///< as the kernel sends it at the end of the processor's time

int read_model(const std::string& path) {
  try {
    gradcam::ExplainOptions options;
    options.model = path;
    options.device = "cpu";
    const gradcam::LoadedModel loaded = gradcam::load_model(options);
    gradcam::list_layers(loaded.network.model(), loaded.description);
    return 0;
  } catch (const gradcam::UserError& error) {
    std::fprintf(stderr, "gradcam-live: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gradcam-live: %s\n", error.what());
    return static_cast<int>(gradcam::ExitCode::kInternal);
  }
}

void print_frames(int signal) {
  std::array<void*, 64> frames{};
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), frames.size()), STDERR_FILENO);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

/// Where it crashes or is stopped, also where the stack is used up.
void tell_where_it_ends() {
  static std::array<char, 1 << 16> stack;
  const stack_t other{stack.data(), 0, stack.size()};
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = print_frames;
  action.sa_flags = SA_ONSTACK;
  sigaction(kStop, &action, nullptr);
#ifndef __SANITIZE_ADDRESS__  // which tells more of crashes
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
#endif
}

[[noreturn]] void be_the_copy(const std::string& path, const Limits& limits, int stderr_to) {
  dup2(stderr_to, STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  const rlimit time{static_cast<rlim_t>(limits.seconds), static_cast<rlim_t>(limits.seconds) + 5};
  setrlimit(RLIMIT_CPU, &time);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  tell_where_it_ends();
  const int code = read_model(path);
  std::fflush(stderr);
  _exit(code);
}

long resident_megabytes(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/statm");
  long whole = 0;
  long resident = 0;
  in >> whole >> resident;
  return resident * (sysconf(_SC_PAGESIZE) >> 10) >> 10;
}

/// Takes what comes within the time (-1: whatever it takes); false at the end.
bool take(int from, int wait_ms, std::string& text) {
  pollfd wait{from, POLLIN, 0};
  if (poll(&wait, 1, wait_ms) <= 0) return true;
  std::array<char, 4096> bytes{};
  const ssize_t count = read(from, bytes.data(), bytes.size());
  if (count <= 0) return false;
  if (text.size() < kMostText) text.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

/// Takes what the copy writes until it ends or goes beyond its limits, and says how it ended.
std::string watch(pid_t process, int from, const Limits& limits, std::string& text) {
  constexpr int kPeriodMs = 20;
  const auto deadline = steady_clock::now() + std::chrono::seconds(2 * limits.seconds + 20);
  auto kill_at = steady_clock::time_point::max();
  std::string stopped;
  int status = 0;
  for (bool open = true; waitpid(process, &status, open ? WNOHANG : 0) != process;) {
    open = take(from, kPeriodMs, text);
    const auto now = steady_clock::now();
    if (now > kill_at) kill(process, SIGKILL);
    if (!stopped.empty()) continue;
    if (now > deadline) stopped = "time";
    if (resident_megabytes(process) > limits.megabytes) stopped = "memory";
    if (stopped.empty()) continue;
    kill(process, kStop);
    kill_at = now + std::chrono::seconds(3);
  }
  while (take(from, -1, text)) {
  }
  if (!stopped.empty()) return stopped;
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return signal == kStop ? "time" : "signal " + std::to_string(signal);
}

void read_in_copy(const std::string& path, const Limits& limits) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  std::cout.flush();
  const pid_t process = fork();
  if (process < 0) std::abort();
  if (process == 0) be_the_copy(path, limits, ends[1]);
  close(ends[1]);
  std::string text;
  const std::string end = watch(process, ends[0], limits, text);
  close(ends[0]);
  std::cout << path << '\t' << end << '\t' << text.size() << '\n' << text << std::flush;
}

}  // namespace

int main(int argc, char** argv) {
  Limits limits;
  if (argc > 1) limits.seconds = std::atoi(argv[1]);
  if (argc > 2) limits.megabytes = std::atol(argv[2]);
  if (argc > 3 || limits.seconds < 1 || limits.megabytes < 1) {
    std::fprintf(stderr, "usage: read_models [SECONDS] [MEGABYTES] <paths\n");
    return 2;
  }
  std::array<void*, 1> loads_what_it_needs{};
  backtrace(loads_what_it_needs.data(), 1);
  for (std::string path; std::getline(std::cin, path);) read_in_copy(path, limits);
  return 0;
}
