#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/engine_table.h"
#include "stages/explain/engines/features.h"
#include "stages/explain/model/normalisation.h"

namespace ov {
class Model;
}

namespace gradcam {

/// OpenVINO on the CPU, with its store of compiled networks.
class OpenVino {
 public:
  /// `cache_folder`: keeps compiled networks for the next start. Where it is empty or cannot be
  /// written, nothing is kept. Throws std::runtime_error where OpenVINO cannot start.
  explicit OpenVino(const std::string& cache_folder);
  ~OpenVino();

  static std::string version();
  /// Whether the processor computes in bf16.
  bool has_bf16() const;

  /// The network in front of the cut for that many pictures, float [count, C, H, W] in; one for
  /// another number is given that batch by ov::Model::reshape(). Called when the number first
  /// comes.
  using ModelFor = std::function<std::shared_ptr<ov::Model>(int count)>;

  /// An IR file (weights already quantized for int8).
  ModelFor file(const std::string& ir) const;

  /// Compiles a network so that it takes pixels: the normalisation becomes part of it. `batch` > 1:
  /// that many pictures are computed in one call; other numbers one by one. Throws
  /// std::runtime_error with OpenVINO's reason, now or when another number first comes.
  std::unique_ptr<Features> compile(ModelFor model_for, Precision format,
                                    const Normalisation& normalisation, int threads,
                                    int batch) const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  ///< compiled features hold it, too
};

}  // namespace gradcam
