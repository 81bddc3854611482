#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/explain/engines/choice_memory.h"
#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/engine_trial.h"
#include "stages/explain/engines/timing.h"

namespace gradcam {

/// A way to run a network.
struct EngineCandidate {
  std::string name;  ///< as Engine::name()
  std::function<std::unique_ptr<Engine>()> make;
  /// Seldom the fastest: tried only where nothing else is faster than the reference, and not for
  /// Choosing::kUntimed.
  bool last_resort = false;
};

struct ChosenEngine {
  std::unique_ptr<Engine> engine;
  std::vector<EngineTrial> trials;  ///< in the order of the candidates
  std::string remembered_in{};      ///< the file that the trials were read from; empty = made now
};

/// Least correlation with the reference, of scores and of Grad-CAM map. The second one holds if the
/// user asked for a rounded format, or the network itself rounds: so does the reference then.
constexpr double kAgreesWithFp32 = 0.99;
constexpr double kAgreesWithRounded = 0.9;

struct ChoiceRules {
  int threads = 1;                     ///< LibTorch's, while candidates are measured
  double agreement = kAgreesWithFp32;  ///< the least with which a candidate is accepted
  Choosing choosing = Choosing::kMeasured;
  Now now = Clock::now;  ///< by which they are measured
};

/// The best of `candidates` (at least one). The first is the reference. Any other is tried on
/// `pixels`, u8 [1, H, W, 3], once it is warm, which is the form that will serve: it must agree as
/// the rules say, and find the same best class, or one that the reference puts within two points of
/// it. One candidate alone is taken as it is. Measures on a thread of its own, which then ends.
/// Throws what making or running the reference throws; any other that fails is out.
ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           const ChoiceRules& rules, const ChoiceMemory& memory);

}  // namespace gradcam
