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

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

void write_file(const std::filesystem::path& path, std::span<const unsigned char> bytes) {
  const std::string beside = path.string() + ".part" + std::to_string(getpid());
  const auto fail = [&] {
    const std::string why = std::strerror(errno);
    std::remove(beside.c_str());
    throw UserError(ExitCode::kOutput, "cannot write '" + path.string() + "': " + why);
  };
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(beside.c_str(), "wb"));
  if (!file) fail();
  if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) fail();
  if (std::fclose(file.release()) != 0) fail();
  if (std::rename(beside.c_str(), path.c_str()) != 0) fail();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

}  // namespace gradcam
