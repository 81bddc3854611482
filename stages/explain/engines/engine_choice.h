#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/engine_trial.h"

namespace gradcam {

/// A way to run a network.
struct EngineCandidate {
  std::string name;  ///< as Engine::name()
  std::function<std::unique_ptr<Engine>()> make;
  bool only_measured = false;  ///< slower for some networks: not for Choosing::kUntimed
};

struct ChosenEngine {
  std::unique_ptr<Engine> engine;
  std::vector<EngineTrial> trials;  ///< in the order of the candidates
  std::string remembered_in{};      ///< the file that the trials were read from; empty = made now
};

/// Where choices are remembered from one start to the next: a file per key in a folder. What cannot
/// be read or written only means that the choice is made again.
class ChoiceMemory {
 public:
  /// `folder`: empty = nothing is remembered. `key`: all that the choice depends on.
  ChoiceMemory(const std::string& folder, const std::string& key);
  std::vector<EngineTrial> read() const;
  void write(const std::vector<EngineTrial>& trials) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Least correlation with the reference, of scores and of Grad-CAM map: with an fp32 one, and with
/// one that is rounded itself, each in its own way, because the user asked for that.
constexpr double kAgreesWithFp32 = 0.99;
constexpr double kAgreesWithRounded = 0.9;

/// The best of `candidates` (at least one): the first is the reference that the others must agree
/// with on `pixels`, u8 [1, H, W, 3] (the same best class, or one that the reference puts within
/// two points of it; `agreement` as above) once it is warm, which is the form that will serve. One
/// candidate is taken as it is. `threads`: LibTorch's, while it is measured, on a thread that then
/// ends. Throws what making or running the reference throws; any other that fails is out.
ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           int threads, double agreement, Choosing choosing,
                           const ChoiceMemory& memory);

/// Whether `count` different pictures in one call give the output and the gradient that each gives
/// alone (many exported files are made for one picture). False also if the call fails.
bool takes_batches(Engine& engine, const at::Tensor& pixels, int count);

/// A smooth picture, u8 [1, height, width, 3]: on noise any two classes are a hair apart. The same
/// with each call, so that a choice can be repeated.
at::Tensor probe_pixels(int height, int width);

/// Model and features of the processor, for a key.
std::string processor();

}  // namespace gradcam
