#include "stages/capture/images_source.h"

#include <glob.h>

#include <algorithm>
#include <utility>

#include "config/text.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr auto kFrameDuration = std::chrono::milliseconds(40);

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A run of digits from `begin` on without its leading zeros; moves `begin` behind it.
std::string take_number(const std::string& text, std::size_t& begin) {
  while (begin < text.size() && text[begin] == '0') ++begin;
  const std::size_t first = begin;
  while (begin < text.size() && is_digit(text[begin])) ++begin;
  return text.substr(first, begin - first);
}

void sort_naturally(std::vector<fs::path>& paths) {
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.string(), b.string());
  });
}

std::string unreadable_text(const std::vector<std::string>& names, std::size_t total) {
  return std::to_string(names.size()) + " of " + std::to_string(total) +
         " pictures could not be read: " + some_of(names);
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string number_a = take_number(a, i);
      const std::string number_b = take_number(b, j);
      if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
      if (number_a != number_b) return number_a < number_b;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  if (i < a.size() || j < b.size()) return j < b.size();
  return a < b;  // equal but for leading zeros
}

std::vector<fs::path> pictures_in_folder(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;  // a link that leads nowhere is told when it is read
    const bool hidden = entry->path().filename().string().front() == '.';
    if (!hidden && has_picture_extension(entry->path()) && !entry->is_directory(unreadable)) {
      paths.push_back(entry->path());
    }
  }
  if (error) {
    throw UserError(ExitCode::kSource,
                    "cannot read folder '" + folder.string() + "': " + error.message());
  }
  if (paths.empty()) {
    throw UserError(ExitCode::kSource, "folder '" + folder.string() + "' holds no picture (" +
                                           picture_extensions() + ")");
  }
  sort_naturally(paths);
  return paths;
}

std::vector<fs::path> pictures_matching(const std::string& pattern) {
  std::vector<fs::path> paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      fs::path path = found.gl_pathv[i];
      if (has_picture_extension(path)) paths.push_back(std::move(path));
    }
  }
  globfree(&found);
  if (paths.empty()) {
    throw UserError(ExitCode::kSource, "no picture (" + picture_extensions() + ") matches '" +
                                           pattern + "'; films are given one by one");
  }
  sort_naturally(paths);
  return paths;
}

ImagesSource::ImagesSource(std::string name, std::vector<fs::path> paths, Rendering rendering)
    : paths_(std::move(paths)), rendering_(std::move(rendering)) {
  info_.name = std::move(name);
  info_.files = paths_;
  info_.still = paths_.size() == 1;
  info_.frames = static_cast<std::int64_t>(paths_.size());
  if (!info_.still) {
    info_.frames_per_second = 1.0 / std::chrono::duration<double>(kFrameDuration).count();
    info_.duration = *info_.frames * kFrameDuration;
  }
  ahead_ = read_next();
  if (ahead_.empty()) {
    throw UserError(ExitCode::kSource,
                    info_.still ? "cannot read picture '" + info_.name + "': " + why_unreadable_
                                : "none of the pictures of '" + info_.name + "' can be read");
  }
  info_.width = ahead_.cols;
  info_.height = ahead_.rows;
}

cv::Mat ImagesSource::read_next() {
  while (position_ < paths_.size()) {
    const fs::path& path = paths_[position_++];
    try {
      return rendering_.render(read_picture(path), "picture '" + path.string() + "'");
    } catch (const UnreadablePicture& problem) {
      unreadable_.push_back(path.filename().string());
      why_unreadable_ = problem.what();
    }
  }
  return {};
}

Capture ImagesSource::next(std::chrono::milliseconds /*timeout*/) {
  const cv::Mat image = ahead_.empty() ? read_next() : std::exchange(ahead_, {});
  if (image.empty()) {
    return EndOfStream{unreadable_.empty() ? "" : unreadable_text(unreadable_, paths_.size())};
  }
  Captured captured;
  captured.image = Picture(image);
  captured.pts = delivered_++ * kFrameDuration;
  if (!info_.still) captured.duration = kFrameDuration;
  return captured;
}

}  // namespace gradcam
