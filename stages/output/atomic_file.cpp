#include "stages/output/atomic_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

void write_file(const std::filesystem::path& asked, std::span<const unsigned char> bytes) {
  std::error_code none;
  // A link stays one, and a device is written to, not replaced.
  const fs::path path = fs::is_symlink(asked, none) ? fs::weakly_canonical(asked, none) : asked;
  const bool in_place = fs::exists(path, none) && !fs::is_regular_file(path, none);
  const std::string beside =
      in_place ? path.string() : path.string() + ".part" + std::to_string(getpid());
  const auto fail = [&] {
    const std::string why = std::strerror(errno);
    if (!in_place) std::remove(beside.c_str());
    throw UserError(ExitCode::kOutput, "cannot write '" + asked.string() + "': " + why);
  };
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(beside.c_str(), "wb"));
  if (!file) fail();
  if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) fail();
  if (std::fclose(file.release()) != 0) fail();
  if (!in_place && std::rename(beside.c_str(), path.c_str()) != 0) fail();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

}  // namespace gradcam
