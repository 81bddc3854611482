#include "stages/explain/model/torch_threads.h"

#include <ATen/Parallel.h>

namespace gradcam {

void compute_alone() { at::set_num_threads(1); }

}  // namespace gradcam
