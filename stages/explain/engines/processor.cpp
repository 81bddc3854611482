#include "stages/explain/engines/processor.h"

#include <fstream>

namespace gradcam {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  std::string found;
  for (std::string line; std::getline(in, line) && !line.empty();) {
    if (line.rfind("model name", 0) == 0 || line.rfind("flags", 0) == 0) found += line;
  }
  return found;
}

bool processor_has_vnni() {
  const std::string text = processor();
  const auto has = [&](const char* flag) { return text.find(flag) != std::string::npos; };
  return has("avx512_vnni") || has("avx_vnni") || has("amx_int8");
}

bool processor_has_bf16() { return __builtin_cpu_supports("avx512bf16") != 0; }

}  // namespace gradcam
