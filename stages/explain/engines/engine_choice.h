#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/explain/engines/choice_memory.h"
#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/engine_trial.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/engines/timing.h"

namespace gradcam {

/// Whether an engine is to show when it is made that it computes the network.
enum class Proof {
  kNeeded,
  kGiven,  ///< in an earlier start, of the same file by the same program on the same machine
};

/// A way to run a network.
struct EngineCandidate {
  std::string name;  ///< as Engine::name()
  std::function<std::unique_ptr<Engine>(Proof)> make;
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
  /// An engine gets several times as fast after a few runs, as by CUDA graphs: the first ones do
  /// not tell that it cannot win.
  bool slow_at_first = false;
  std::string network{};  ///< what the waiting are told that it is called
  /// Which number of the reference's output the maps are of that must agree.
  NumberChoice explained = largest_number;
  Waiting waiting{};
  Now now = Clock::now;  ///< by which they are measured
};

/// The best of `candidates` (at least one). The first is the reference: what it gives of `pixels`,
/// u8 [1, H, W, 3], before LibTorch has optimised it, is what others are held against. They are
/// tried from the last to the first, which is from the fastest to the slowest as a rule, each in
/// turn with the best so far. One that takes half as long again as that in its first runs, or
/// longer, is slower, and no more is measured of it. Any other is warmed up, into the form that
/// will serve, and must agree as the rules say, and find the same best class, or one that the
/// reference puts within two points of it; then the faster one is kept. One that lost with a better
/// figure than that of the winner meets it once more. One candidate alone is
/// taken as it is. Measures on a thread of its own, which then ends. Throws what making or running
/// the reference throws, and Stopped; any other that fails is out.
ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           const ChoiceRules& rules, const ChoiceMemory& memory);

}  // namespace gradcam
