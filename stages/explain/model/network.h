#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stages/explain/model/model.h"

namespace gradcam {

/// The files of a bundle, found whole (open_bundle() of bundle.h checks them).
struct Bundle {
  std::string folder;
  std::string layer;      ///< where it is cut
  std::string identity;   ///< changes whenever its weights do
  bool has_int8 = false;  ///< quantized features are there too
  /// They use all of a byte's range, for which sums of products need the 32 bits that VNNI gives
  /// them.
  bool int8_needs_vnni = false;
  bool int8_agrees = true;  ///< with fp32, as closely as asked, on the frames it was made with
  bool has_model = false;   ///< model() is there, whole and of this network

  std::string features() const { return folder + "/features.xml"; }
  std::string features_int8() const { return folder + "/features_int8.xml"; }
  std::string head() const { return folder + "/head.pt"; }
  /// The whole network as TorchScript, for other layers.
  std::string model() const { return folder + "/model.pt"; }
};

/// What --model names: a TorchScript file, or a bundle, whose own file is loaded when a layer is
/// asked for that it was not cut at. A handle: copies share the weights.
class Network {
 public:
  /// `identity`: changes whenever the weights do. `cache`: folder for what is measured and compiled
  /// once; empty = none.
  // NOLINTNEXTLINE(google-explicit-constructor): a model is the usual network
  Network(Model model, std::string identity = "", std::string cache = "");
  Network(Bundle bundle, c10::Device device, std::string cache);

  c10::Device device() const;
  /// As the user named it.
  const std::string& path() const;
  const std::string& identity() const;
  const std::string& cache() const;
  /// Null for a TorchScript file.
  const Bundle* bundle() const;
  /// Whether there is a TorchScript file, and a sound one.
  bool has_model() const;
  /// Any thread. Throws UserError(kUsage) for a bundle without it.
  const Model& model() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gradcam
