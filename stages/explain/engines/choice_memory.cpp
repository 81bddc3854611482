#include "stages/explain/engines/choice_memory.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "stages/explain/model/start_memory.h"

namespace gradcam {

ChoiceMemory::ChoiceMemory(const std::string& folder, const std::string& key)
    : path_(folder.empty() ? "" : file_for(folder, "choice", key)) {}

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
  std::ostringstream out;
  for (const EngineTrial& trial : trials) {
    out << trial.name << '\t' << trial.ms << ' ' << trial.agreement << '\t' << outcome_text(trial)
        << '\n';
  }
  write_whole(path_, out.str());
}

}  // namespace gradcam
