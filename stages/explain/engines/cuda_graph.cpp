#include "stages/explain/engines/cuda_graph.h"

#if GRADCAM_WITH_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#endif

#include <exception>
#include <utility>

#include "stages/explain/model/device.h"

namespace gradcam {

#if GRADCAM_WITH_CUDA_GRAPHS

class GraphedFunction::Graph {
 public:
  /// Throws what LibTorch throws where the function does what cannot be recorded.
  Graph(const Function& function, const at::Tensor& pictures, c10::Device device)
      : input_(upload(pictures, device)) {
    const c10::impl::VirtualGuardImpl cuda(device.type());
    cuda.getStream(device).synchronize();
    const c10::Stream own = cuda.getStreamFromGlobalPool(device);
    const c10::StreamGuard guard(own);  // what is recorded may not be on the default stream
    function(input_);                   // libraries get their memory for this stream
    own.synchronize();
    graph_->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      results_ = function(input_);
      graph_->capture_end();
    } catch (...) {
      stop_recording();
      throw;
    }
  }

  std::vector<at::Tensor> replay(const at::Tensor& pictures) {
    input_.copy_(pictures.pin_memory(), /*non_blocking=*/true);
    graph_->replay();
    std::vector<at::Tensor> own;  // the next replay overwrites the others
    own.reserve(results_.size());
    for (const at::Tensor& result : results_) own.push_back(result.clone());
    return own;
  }

 private:
  void stop_recording() {
    try {
      graph_->capture_end();
    } catch (const std::exception&) {
      // LibTorch's allocator may go on asking it: it is better lost than freed.
      static_cast<void>(graph_.release());
    }
  }

  std::unique_ptr<at::cuda::CUDAGraph> graph_ = std::make_unique<at::cuda::CUDAGraph>();
  at::Tensor input_;
  std::vector<at::Tensor> results_;
};

std::unique_ptr<GraphedFunction::Graph> GraphedFunction::record(const at::Tensor& pictures) const {
  try {
    return std::make_unique<Graph>(function_, pictures, device_);
  } catch (const std::exception&) {
    return nullptr;
  }
}

#else

class GraphedFunction::Graph {
 public:
  std::vector<at::Tensor> replay(const at::Tensor&) { return {}; }
};

std::unique_ptr<GraphedFunction::Graph> GraphedFunction::record(const at::Tensor&) const {
  return nullptr;
}

#endif

GraphedFunction::GraphedFunction(Function function, c10::Device device)
    : function_(std::move(function)), device_(device) {}

GraphedFunction::~GraphedFunction() = default;

std::vector<at::Tensor> GraphedFunction::run(const at::Tensor& pictures) {
  Shape& shape = shapes_[pictures.size(0)];
  if (shape.recordable && !shape.graph && shape.runs++ >= kWarmUp) {
    shape.graph = record(pictures);
    shape.recordable = shape.graph != nullptr;
  }
  if (shape.graph) return shape.graph->replay(pictures);
  return function_(upload(pictures, device_));
}

}  // namespace gradcam
