#pragma once

#include <memory>
#include <string>

#include "stages/explain/features.h"

namespace gradcam {

enum class FeaturesPrecision { kFp32, kBf16 };

/// OpenVINO on the CPU, and what it compiled before.
class OpenVino {
 public:
  /// `cache_folder`: where compiled networks are kept for the next start; empty = nowhere.
  explicit OpenVino(const std::string& cache_folder);
  ~OpenVino();

  /// The processor, as it names itself.
  std::string processor() const;
  std::string version() const;
  /// Whether the processor computes in bf16.
  bool has_bf16() const;

  /// Compiles an IR file. Throws std::runtime_error with OpenVINO's reason.
  std::unique_ptr<Features> compile(const std::string& ir, FeaturesPrecision precision,
                                    int threads) const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace gradcam
