#pragma once

#include <string>
#include <vector>

#include "stages/explain/engines/engine_trial.h"

namespace gradcam {

/// Keeps choices of an engine from one start to the next: a file per key in a folder. Never throws:
/// where it cannot read or write, the choice is only made again.
class ChoiceMemory {
 public:
  /// `folder`: empty = nothing is remembered. `key`: all that the choice depends on.
  ChoiceMemory(const std::string& folder, const std::string& key);
  /// Of an earlier start; empty if there is none, or its file is damaged.
  std::vector<EngineTrial> read() const;
  void write(const std::vector<EngineTrial>& trials) const;
  /// The file; empty if nothing is remembered.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gradcam
