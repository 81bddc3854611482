#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "stages/explain/engines/batching.h"
#include "stages/explain/engines/engine.h"
#include "stages/explain/engines/whole_network.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/tasks/scalar.h"
#include "stages/frame/description.h"
#include "stages/frame/heat_map.h"

namespace gradcam {

/// Pictures, and what an engine gave of them.
struct EngineRun {
  Engine& engine;
  at::Tensor pixels;  ///< u8 [N, H, W, 3]
  std::stop_token stop;
  CutResult result{};
  HeatMap outputs{};  ///< one row for each picture

  std::span<const float> output(std::size_t n) const;
};

/// What is explained of one picture of a run.
struct ExplainedScalar {
  std::size_t picture;
  Scalar scalar;
  Seed seed;  ///< of the scalar
};

/// First and second derivatives [1, …] of a scalar, one for each layer.
struct Slopes {
  std::vector<at::Tensor> gradients;  ///< undefined: zero everywhere
  std::vector<at::Tensor> curvatures;
};

/// Of each scalar the derivatives that `method` needs, with respect to each activation of its
/// picture. Once for a run.
std::vector<Slopes> slopes_of(EngineRun& run, const std::vector<ExplainedScalar>& scalars,
                              const Method& method);

/// Makes what methods ask for: of an engine's run, and of the whole network where the engine's half
/// does not do. For one thread at a time.
class MethodInputs {
 public:
  /// Both must outlive it; the description may still change before the first call.
  MethodInputs(const Network& network, const ModelDescription& description)
      : network_(network), description_(description) {}

  /// Of one layer. Valid as long as the arguments. What runs the network again throws Stopped once
  /// `run.stop` is requested.
  MethodInput input(const EngineRun& run, std::size_t layer, const ExplainedScalar& explained,
                    const Method& method, const Slopes& slopes);

  /// Made at the first call, which throws as WholeNetwork's constructor.
  WholeNetwork& whole_network();

 private:
  void add_network(MethodInput& input, const EngineRun& run, const ExplainedScalar& explained);

  const Network& network_;
  const ModelDescription& description_;
  std::map<std::size_t, Batching> tails_;  ///< by layer
  std::unique_ptr<WholeNetwork> whole_;
  Batching whole_batching_;
};

}  // namespace gradcam
