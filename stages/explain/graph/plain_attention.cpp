#include "stages/explain/graph/plain_attention.h"

#include <ATen/Context.h>

#include <mutex>

namespace gradcam {
namespace {

/// The forms that have none.
struct FusedAttention {
  bool flash = false;
  bool memory_efficient = false;
  bool cudnn = false;
};

std::mutex mutex;
int alive = 0;
FusedAttention before;  ///< the first of those that live came

void allow(const FusedAttention& allowed) {
  at::Context& context = at::globalContext();
  context.setSDPUseFlash(allowed.flash);
  context.setSDPUseMemEfficient(allowed.memory_efficient);
  context.setSDPUseCuDNN(allowed.cudnn);
}

}  // namespace

PlainAttention::PlainAttention() {
  const std::lock_guard lock(mutex);
  if (alive++ > 0) return;
  const at::Context& context = at::globalContext();
  before = {context.userEnabledFlashSDP(), context.userEnabledMemEfficientSDP(),
            context.userEnabledCuDNNSDP()};
  allow({});
}

PlainAttention::~PlainAttention() {
  const std::lock_guard lock(mutex);
  if (--alive == 0) allow(before);
}

}  // namespace gradcam
