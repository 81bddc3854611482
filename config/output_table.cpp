#include "config/output_table.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "config/options.h"
#include "config/text.h"

namespace gradcam {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// What names of files may end in.
std::vector<std::string> file_ends() {
  std::vector<std::string> ends;
  for (const OutputEntry& kind : kOutputTable) {
    if (!kind.phrase.empty()) continue;
    for (std::string& end : words_of(kind.forms)) ends.push_back(std::move(end));
  }
  return ends;
}

/// `words`, and behind them the kinds that are no matter of a file's end.
std::vector<std::string> with_phrases(std::vector<std::string> words) {
  for (const OutputEntry& kind : kOutputTable) {
    if (!kind.phrase.empty()) words.emplace_back(kind.phrase);
  }
  return words;
}

}  // namespace

bool has_extension(std::string_view file, const std::vector<std::string_view>& extensions) {
  const std::string extension = lower_case(std::filesystem::path(file).extension().string());
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

const OutputEntry* find_output(std::string_view text) {
  const auto found = std::find_if(kOutputTable.begin(), kOutputTable.end(),
                                  [&](const auto& kind) { return kind.recognises(text); });
  return found == kOutputTable.end() ? nullptr : &*found;
}

std::string output_kinds() {
  std::vector<std::string> kinds;
  for (const OutputEntry& kind : kOutputTable) {
    kinds.emplace_back(kind.name);
    if (kind.forms != kind.name) kinds.back() += " (" + std::string(kind.forms) + ")";
  }
  return listed(kinds, " or ");
}

std::string allowed_outputs() {
  std::string ends;
  for (const std::string& end : file_ends()) ends += (ends.empty() ? "" : " ") + end;
  return listed(with_phrases({"a file (" + ends + ")"}), ", or ");
}

std::string known_outputs() { return listed(with_phrases(file_ends()), ", and "); }

std::string output_forms() {
  std::vector<std::string> forms;
  for (const OutputEntry& kind : kOutputTable) {
    for (std::string& form : words_of(kind.forms)) forms.push_back(std::move(form));
  }
  return listed(forms);
}

std::vector<AskedOutput> asked_outputs(const OutputOptions& options) {
  std::vector<AskedOutput> asked;
  for (const std::string& text : options.outputs) {
    const OutputEntry* const kind = find_output(text);
    asked.push_back({text, kind == nullptr ? OutputPlace::kFile : kind->place});
  }
  if (!options.jsonl.empty()) {
    const bool piped = options.jsonl == "-";
    asked.push_back({options.jsonl, piped ? OutputPlace::kStandardOutput : OutputPlace::kFile});
  }
  if (!options.maps.empty()) asked.push_back({options.maps, OutputPlace::kFolder});
  if (!options.stats.empty()) asked.push_back({options.stats, OutputPlace::kRunFile});
  if (!options.html.empty()) asked.push_back({options.html, OutputPlace::kRunFile});
  return asked;
}

bool uses_standard_output(const OutputOptions& options) {
  const std::vector<AskedOutput> asked = asked_outputs(options);
  return std::any_of(asked.begin(), asked.end(), [](const AskedOutput& output) {
    return output.place == OutputPlace::kStandardOutput;
  });
}

}  // namespace gradcam
