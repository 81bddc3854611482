#include "stages/output/output_path.h"

#include <unistd.h>

#include "config/output_table.h"
#include "config/text.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw UserError(ExitCode::kOutput, "output '" + path.string() + "' " + why);
}

}  // namespace

fs::path path_of_stream(const fs::path& path, int stream, int streams) {
  if (streams <= 1) return path;
  return path.parent_path() /
         (path.stem().string() + "-" + std::to_string(stream) + path.extension().string());
}

std::string lower_extension(const fs::path& path) { return lower_case(path.extension().string()); }

void require_folder(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    refuse(path, "cannot be written: there is no folder '" + folder.string() + "'");
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    refuse(path, "cannot be written: folder '" + folder.string() + "' is not writable");
  }
}

void require_new_file(const fs::path& path, bool overwrite) {
  require_folder(path);
  std::error_code error;
  if (fs::is_directory(path, error)) refuse(path, "is a folder");
  if (!fs::exists(path, error)) return;
  if (!fs::is_regular_file(path, error) && !fs::is_character_file(path, error)) {
    refuse(path, "is no regular file");
  }
  if (!overwrite) refuse(path, "exists already: choose another name, or -y to overwrite it");
  if (access(path.c_str(), W_OK) != 0) refuse(path, "exists and is not writable");
}

SeriesName::SeriesName(const fs::path& pattern) : folder_(pattern.parent_path()) {
  const std::string name = pattern.filename().string();
  const auto [at, size] = number_field(name);
  if (size == 0 || number_field(name, at + size).size > 0) {
    refuse(pattern, "is no series: its name takes exactly one number, as in out_%05d.png");
  }
  before_ = name.substr(0, at);
  after_ = name.substr(at + size);
  const std::string digits = name.substr(at + 1, size - 2);
  if (digits.empty()) return;
  if (digits[0] == '0') fill_ = '0';
  width_ = std::stoul(digits);
}

fs::path SeriesName::at(std::int64_t number) const {
  std::string digits = std::to_string(number);
  if (digits.size() < width_) digits.insert(0, width_ - digits.size(), fill_);
  return folder_ / (before_ + digits + after_);
}

bool SeriesName::matches(const std::string& name) const {
  if (name.size() <= before_.size() + after_.size()) return false;
  if (name.rfind(before_, 0) != 0) return false;
  const std::size_t end = name.size() - after_.size();
  if (name.compare(end, after_.size(), after_) != 0) return false;
  return name.substr(before_.size(), end - before_.size()).find_first_not_of(" 0123456789") ==
         std::string::npos;
}

void SeriesName::require_new(bool overwrite) const {
  require_folder(at(0));
  if (overwrite) return;
  std::error_code error;
  const fs::path folder = folder_.empty() ? fs::path(".") : folder_;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (matches(entry->path().filename().string())) {
      refuse(folder_ / entry->path().filename(),
             "exists already: choose another name for the series, or -y to overwrite it");
    }
  }
  if (error) refuse(folder, "cannot be read: " + error.message());
}

}  // namespace gradcam
