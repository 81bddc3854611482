#pragma once

#include <memory>
#include <string>

#include "stages/explain/engines/features.h"
#include "stages/explain/model/normalisation.h"

namespace gradcam {

enum class OpenVinoForm { kFp32, kBf16, kInt8 };

/// "openvino bf16"
std::string name_of(OpenVinoForm form);

/// OpenVINO on the CPU, and what it compiled before.
class OpenVino {
 public:
  /// `cache_folder`: where compiled networks are kept for the next start; empty, or
  /// not to be written = nowhere.
  explicit OpenVino(const std::string& cache_folder);
  ~OpenVino();

  static std::string version();
  /// Whether the processor computes in bf16.
  bool has_bf16() const;

  /// Compiles an IR file (float [1, 3, H, W] in; weights already quantized for kInt8) so that it
  /// takes pixels: the normalisation becomes part of it. `batch` > 1: that many pictures are
  /// computed in one call; other numbers one by one. Throws std::runtime_error with OpenVINO's
  /// reason.
  std::unique_ptr<Features> compile(const std::string& ir, OpenVinoForm form,
                                    const Normalisation& normalisation, int threads,
                                    int batch) const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  ///< also of what it compiled
};

}  // namespace gradcam
