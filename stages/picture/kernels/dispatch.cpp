#include "stages/picture/kernels/kernels.h"
#include "stages/picture/kernels/tables.h"

namespace gradcam::kernels {

const Table* table_of(Set set) {
  if (set == Set::kPlain) return &kPlainTable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vbmi");
  if (set == Set::kSse2) return &kSse2Table;
  if (set == Set::kAvx2 && __builtin_cpu_supports("avx2")) return &kAvx2Table;
  if (set == Set::kAvx512 && has_avx512) return &kAvx512Table;
#endif
  return nullptr;
}

const Table& best() {
  static const Table& table = [&]() -> const Table& {
    const Table* found = &kPlainTable;
    for (const Set set : kSets) {
      if (const Table* const wider = table_of(set)) found = wider;
    }
    return *found;
  }();
  return table;
}

}  // namespace gradcam::kernels
