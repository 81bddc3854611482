#pragma once

#include <array>
#include <string>
#include <string_view>

#include "config/named.h"

/// What runs the network and in which number format: each enum with the names that `--engine` and
/// `--precision` take, in the order of the help. How an engine does it is a row of
/// stages/explain/engines/engine_kinds.cpp. Standard library only.
namespace gradcam {

enum class EngineName { kAuto, kTorchScript, kOpenVino };

struct EngineEntry {
  std::string_view name;
  EngineName value;
  std::string_view note = {};  ///< what the help says of it
  bool cpu_only = false;       ///< it has no form for CUDA
};

inline constexpr std::array kEngineTable = {
    EngineEntry{"auto", EngineName::kAuto}, EngineEntry{"torchscript", EngineName::kTorchScript},
    EngineEntry{"openvino", EngineName::kOpenVino, "on the CPU", true}};

/// Number format of weights and activations.
enum class Precision { kAuto, kFp32, kBf16, kFp16, kInt8 };

struct PrecisionEntry {
  std::string_view name;
  Precision value;
  std::string_view note = {};   ///< what the help says of it
  bool cpu_only = false;        ///< no engine computes in it on CUDA
  bool one_layer = false;       ///< may be there for one layer of a network and not for another
  bool only_if_asked = false;   ///< auto does not stand for it
  bool only_in_bundle = false;  ///< the weights of a TorchScript file cannot be had in it
};

inline constexpr std::array kPrecisionTable = {
    PrecisionEntry{"auto", Precision::kAuto, "the fastest here that agrees with fp32"},
    PrecisionEntry{"fp32", Precision::kFp32},
    PrecisionEntry{.name = "bf16", .value = Precision::kBf16, .cpu_only = true, .one_layer = true},
    PrecisionEntry{"fp16", Precision::kFp16, "on CUDA"},
    PrecisionEntry{.name = "int8",
                   .value = Precision::kInt8,
                   .note = "of an old bundle; a quantised file runs in int8 as it is",
                   .cpu_only = true,
                   .one_layer = true,
                   .only_if_asked = true,
                   .only_in_bundle = true}};

constexpr std::string_view name_of(EngineName engine) { return row_of(kEngineTable, engine).name; }
constexpr std::string_view name_of(Precision precision) {
  return row_of(kPrecisionTable, precision).name;
}

/// "openvino bf16"
inline std::string name_of(EngineName engine, Precision precision) {
  return std::string(name_of(engine)).append(" ").append(name_of(precision));
}

}  // namespace gradcam
