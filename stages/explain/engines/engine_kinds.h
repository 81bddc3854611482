#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/engines/engine_choice.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/explain/model/network.h"
#include "stages/frame/description.h"

namespace gradcam {

/// What the candidates of one request make only once.
struct SharedHalves {
  std::optional<SplitGraph> halves{};  ///< of halves_of()
  bool cut_is_sound = false;           ///< the network has run, cut at the layers
};

/// A network that is to run, cut at `layers`. Valid until the engine has been chosen.
struct EngineRequest {
  const Network& network;
  const std::vector<std::string>& layers;
  const ModelDescription& description;
  const ExplainOptions& options;
  at::Tensor probe;  ///< probe_pixels() of the network's size
  std::shared_ptr<SharedHalves> shared = std::make_shared<SharedHalves>();  ///< by copies, too

  /// The least agreement with the first candidate: ChoiceRules::agreement.
  double agreement() const;
  /// Whether `--engine` and `--precision` leave the choice to them, or name them.
  bool allows(EngineName engine) const;
  bool allows(Precision precision) const;
};

/// What can run a network: LibTorch, OpenVINO … A new one is a name in config/engine_table.h, a row
/// of engine_kinds() and a file with its functions.
struct EngineKind {
  EngineName name;
  std::span<const Precision> formats;  ///< those that it has for some network on some machine
  /// Why it cannot run this network at these layers; empty: it can. May throw a UserError with a
  /// better message instead.
  std::string (*obstacle)(const Network& network, const std::vector<std::string>& layers);
  /// The ways to run a network that has no obstacle, in the formats that the request allows. Never
  /// empty if it allows fp32. Throws UserError(kUsage) for a format that would give wrong
  /// numbers on this machine.
  std::vector<EngineCandidate> (*candidates)(const EngineRequest& request);
  /// Why no candidate of any engine has the one of `formats` that the request asks for.
  std::string (*format_obstacle)(const EngineRequest& request);
  /// Of the library behind it; where it changes, engines are measured anew. Empty if this program
  /// was built without it.
  std::string (*version)();
};

/// One row per engine but EngineName::kAuto, in the order of its table. Candidates stand in this
/// order, too; the first is what others are held against.
std::span<const EngineKind> engine_kinds();

}  // namespace gradcam
