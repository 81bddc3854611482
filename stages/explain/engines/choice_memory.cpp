#include "stages/explain/engines/choice_memory.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gradcam {
namespace {

namespace fs = std::filesystem;

/// FNV-1a.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211U;
  return hash;
}

}  // namespace

ChoiceMemory::ChoiceMemory(const std::string& folder, const std::string& key) {
  if (folder.empty()) return;
  char name[32];
  std::snprintf(name, sizeof name, "choice-%016llx", static_cast<unsigned long long>(hash_of(key)));
  path_ = (fs::path(folder) / name).string();
}

std::vector<EngineTrial> ChoiceMemory::read() const {
  std::vector<EngineTrial> trials;
  std::ifstream in(path_);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    EngineTrial trial;
    std::string numbers;
    std::string outcome;
    if (!std::getline(fields, trial.name, '\t') || !std::getline(fields, numbers, '\t') ||
        std::sscanf(numbers.c_str(), "%lf %lf", &trial.ms, &trial.agreement) != 2 ||
        !std::getline(fields, outcome) || !set_outcome(trial, outcome)) {
      return {};
    }
    trials.push_back(trial);
  }
  return trials;
}

void ChoiceMemory::write(const std::vector<EngineTrial>& trials) const {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::create_directories(fs::path(path_).parent_path(), ignored);
  const std::string beside = path_ + ".part";
  {
    std::ofstream out(beside);
    for (const EngineTrial& trial : trials) {
      out << trial.name << '\t' << trial.ms << ' ' << trial.agreement << '\t' << outcome_text(trial)
          << '\n';
    }
  }
  fs::rename(beside, path_, ignored);
}

}  // namespace gradcam
