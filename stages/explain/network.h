#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stages/explain/model.h"

namespace gradcam {

/// The files of a bundle, found whole (open_bundle() of bundle.h checks them).
struct Bundle {
  std::string folder;
  std::string layer;     ///< where it is cut
  std::string identity;  ///< changes whenever its weights do
  std::string cache;     ///< folder for what is measured and compiled once; empty = none

  std::string features() const { return folder + "/features.xml"; }
  std::string head() const { return folder + "/head.pt"; }
  /// The whole network as TorchScript, for other layers. It may be missing.
  std::string model() const { return folder + "/model.pt"; }
};

/// What --model names: a TorchScript file, or a bundle, whose own file is loaded when a layer is
/// asked for that it was not cut at. A handle: copies share the weights.
class Network {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a model is the usual network
  Network(Model model);
  Network(Bundle bundle, c10::Device device);

  c10::Device device() const;
  /// Null for a TorchScript file.
  const Bundle* bundle() const;
  /// Any thread. Throws UserError(kUsage) for a bundle without its TorchScript file.
  const Model& model() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gradcam
