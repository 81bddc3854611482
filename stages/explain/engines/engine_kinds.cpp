#include "stages/explain/engines/engine_kinds.h"

#include <algorithm>
#include <array>

#include "stages/explain/engines/openvino_kind.h"
#include "stages/explain/engines/torchscript_kind.h"

namespace gradcam {
namespace {

constexpr std::array kTorchScriptFormats = {Precision::kFp32, Precision::kBf16, Precision::kFp16};
constexpr std::array kOpenVinoFormats = {Precision::kFp32, Precision::kBf16, Precision::kInt8};

constexpr std::array kKinds = {
    EngineKind{EngineName::kTorchScript, kTorchScriptFormats, &torchscript_obstacle,
               &torchscript_candidates, &torchscript_format_obstacle, &torchscript_version},
    EngineKind{EngineName::kOpenVino, kOpenVinoFormats, &openvino_obstacle, &openvino_candidates,
               &openvino_format_obstacle, &openvino_version},
};

static_assert(kKinds.size() + 1 == kEngineTable.size() &&
                  std::equal(kKinds.begin(), kKinds.end(), kEngineTable.begin() + 1,
                             [](const EngineKind& kind, const EngineEntry& entry) {
                               return kind.name == entry.value;
                             }),
              "one row for each of kEngineTable but auto, in the same order");

}  // namespace

bool EngineRequest::allows(EngineName engine) const {
  return options.engine == EngineName::kAuto || options.engine == engine;
}

bool EngineRequest::allows(Precision precision) const {
  if (options.precision != Precision::kAuto) return options.precision == precision;
  return !row_of(kPrecisionTable, precision).only_if_asked;
}

double EngineRequest::agreement() const {
  const bool is_quantised = network.bundle() == nullptr && network.model().is_quantised();
  return allows(Precision::kFp32) && !is_quantised ? kAgreesWithFp32 : kAgreesWithRounded;
}

std::span<const EngineKind> engine_kinds() { return kKinds; }

}  // namespace gradcam
