#pragma once

#include "stages/picture/kernels/kernels.h"

/// Data, not functions that return it: a function of these files could be one that the machine
/// cannot run.
namespace gradcam::kernels {

extern const Table kPlainTable;
extern const Table kSse2Table;  // x86-64 only, as those below
extern const Table kAvx2Table;
extern const Table kAvx512Table;  // with VBMI: Ice Lake, Zen 4 and later

}  // namespace gradcam::kernels
