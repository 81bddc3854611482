#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "stages/explain/model/model.h"
#include "stages/explain/model/start_memory.h"

namespace gradcam {

/// A bundle whose files are whole: open_bundle() of bundle.h checks them.
struct Bundle {
  std::string folder;
  std::string layer;      ///< where it is cut
  std::string identity;   ///< changes whenever its weights do
  bool has_int8 = false;  ///< features_int8() is there, too
  /// The quantized features use all of a byte's range. Sums of products then need 32 bits, which
  /// only a processor with VNNI gives them.
  bool int8_needs_vnni = false;
  bool int8_agrees = true;  ///< int8 agreed with fp32 on the frames that it was made with
  bool has_model = false;   ///< model() is there, whole and of this network

  std::string features() const { return folder + "/features.xml"; }
  std::string features_int8() const { return folder + "/features_int8.xml"; }
  std::string head() const { return folder + "/head.pt"; }
  /// The whole network as TorchScript, for other layers.
  std::string model() const { return folder + "/model.pt"; }
};

/// What --model names: a TorchScript file or a bundle. The TorchScript file in a bundle is loaded
/// only when a layer is asked for at which the bundle was not cut. A handle: copies share the
/// weights.
class Network {
 public:
  /// `memory`: its folder keeps compiled networks and choices of an engine, too. `again`: loads the
  /// same model once more; throws UserError(kModel) where that is not to be had any more.
  // NOLINTNEXTLINE(google-explicit-constructor): a model is the usual network
  Network(Model model, StartMemory memory = {}, std::function<Model()> again = {});
  Network(Bundle bundle, c10::Device device, StartMemory memory = {});

  c10::Device device() const;
  /// As the user named it.
  const std::string& path() const;
  const StartMemory& memory() const;
  /// Null for a TorchScript file.
  const Bundle* bundle() const;
  /// Whether there is a TorchScript file that can be loaded.
  bool has_model() const;
  /// The TorchScript file, loaded. Any thread. Throws UserError(kUsage) for a bundle without one.
  const Model& model() const;
  /// Gives the model's memory back until model() is called again, which loads it anew. Does nothing
  /// where that is not possible, or where others hold the model. What model() gave is not valid any
  /// more: call it while nobody uses that.
  void let_go() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gradcam
