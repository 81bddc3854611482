#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stages/frame/description.h"

namespace gradcam {

/// What earlier starts of the program found out about a network by running it, so that the next one
/// is quick: one small file for each question in a cache folder. Never throws: what cannot be read
/// or written is only found out again.
class StartMemory {
 public:
  /// Remembers nothing.
  StartMemory() = default;
  /// `folder`: empty = nothing is remembered. `key`: all that every answer depends on; the build of
  /// the running program is added to it.
  StartMemory(std::string folder, const std::string& key);

  /// The answer of an earlier start; nullopt: there is none. `question`: what was asked, with all
  /// that this answer depends on besides.
  std::optional<std::string> recall(const std::string& question) const;
  void remember(const std::string& question, const std::string& answer) const;
  /// The same of several lines; none: there is no answer.
  std::vector<std::string> recall_lines(const std::string& question) const;
  void remember_lines(const std::string& question, const std::vector<std::string>& lines) const;

  const std::string& folder() const { return folder_; }
  const std::string& key() const { return key_; }

 private:
  std::string path_of(const std::string& question) const;

  std::string folder_;
  std::string key_;
};

/// FOLDER/KIND-HASH, of a file for what hangs on `key` (FNV-1a, 64 bits).
std::string file_for(const std::string& folder, std::string_view kind, std::string_view key);

/// Writes the file as a whole or not at all, and its folder where that is missing. Never throws.
void write_whole(const std::string& path, const std::string& text);

/// All that a network's numbers, and what they mean, depend on of its description: for keys.
std::string key_of(const ModelDescription& description);

}  // namespace gradcam
