#pragma once

#include <memory>
#include <string>

#include "config/engine_table.h"
#include "stages/explain/engines/features.h"
#include "stages/explain/model/normalisation.h"

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

  /// Compiles an IR file (float [1, 3, H, W] in; weights already quantized for int8) so that it
  /// takes pixels: the normalisation becomes part of it. `batch` > 1: that many pictures are
  /// computed in one call; other numbers one by one. Throws std::runtime_error with OpenVINO's
  /// reason.
  std::unique_ptr<Features> compile(const std::string& ir, Precision format,
                                    const Normalisation& normalisation, int threads,
                                    int batch) const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  ///< compiled features hold it, too
};

}  // namespace gradcam
