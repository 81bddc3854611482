#include "stages/explain/model/start_memory.h"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "stages/explain/model/normalisation.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211U;
  return hash;
}

/// Changes when the program is built anew: another build may look for other faults.
std::string build_of_program() {
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  const auto size = fs::file_size(program, unknown);
  const auto written = fs::last_write_time(program, unknown).time_since_epoch();
  return std::to_string(size) + " " + std::to_string(written.count());
}

void add(std::ostream& text, const OutputChoice& choice) {
  text << '(' << choice.index.value_or(-1) << ' ' << choice.name;
  for (const OutputChoice& part : choice.parts) add(text, part);
  text << ')';
}

}  // namespace

std::string file_for(const std::string& folder, std::string_view kind, std::string_view key) {
  char name[32];
  std::snprintf(name, sizeof name, "-%016llx", static_cast<unsigned long long>(hash_of(key)));
  return (fs::path(folder) / (std::string(kind) + name)).string();
}

void write_whole(const std::string& path, const std::string& text) {
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);
  const std::string beside = path + ".part" + std::to_string(getpid());
  std::ofstream out(beside);
  out << text;
  out.close();
  if (out) fs::rename(beside, path, ignored);
  fs::remove(beside, ignored);
}

StartMemory::StartMemory(std::string folder, const std::string& key) : folder_(std::move(folder)) {
  static const std::string kBuild = build_of_program();
  key_ = kBuild + "|" + key;
}

std::string StartMemory::path_of(const std::string& question) const {
  return folder_.empty() ? "" : file_for(folder_, "found", key_ + "|" + question);
}

std::optional<std::string> StartMemory::recall(const std::string& question) const {
  std::ifstream in(path_of(question), std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // The question stands in front, for whoever looks into the folder.
  const std::string front = question + "\n";
  if (!text.starts_with(front)) return std::nullopt;
  return text.substr(front.size());
}

void StartMemory::remember(const std::string& question, const std::string& answer) const {
  if (!folder_.empty()) write_whole(path_of(question), question + "\n" + answer);
}

std::vector<std::string> StartMemory::recall_lines(const std::string& question) const {
  std::vector<std::string> lines;
  std::istringstream known(recall(question).value_or(""));
  for (std::string line; std::getline(known, line);) lines.push_back(line);
  return lines;
}

void StartMemory::remember_lines(const std::string& question,
                                 const std::vector<std::string>& lines) const {
  std::string text;
  for (const std::string& line : lines) text.append(line).append("\n");
  remember(question, text);
}

std::string key_of(const ModelDescription& description) {
  const ModelDescription& d = description;
  std::ostringstream text;
  text << task_of(d).name << ' ' << d.input_height << 'x' << d.input_width << 'x' << d.channels();
  const Normalisation normalisation(d);
  for (const float number : normalisation.offset()) text << ' ' << number;
  for (const float number : normalisation.factor()) text << ' ' << number;
  text << ' ' << static_cast<int>(d.activation) << d.activation_given << ' ';
  add(text, d.output);
  const BoxLayout& boxes = d.boxes;
  text << ' ' << static_cast<int>(boxes.format) << boxes.decoded << ' '
       << (boxes.numbers ? static_cast<int>(*boxes.numbers) : -1) << ' '
       << static_cast<int>(boxes.scores) << ' ' << boxes.background << ' ' << boxes.classes << ' '
       << boxes.extra << boxes.rotated << boxes.of_ultralytics << ' ' << boxes.anchors.size();
  if (d.tokens) text << ' ' << d.tokens->drop << ' ' << d.tokens->height << 'x' << d.tokens->width;
  text << ' ' << d.labels.size() << (d.assumed ? " assumed" : "");
  return text.str();
}

}  // namespace gradcam
