#include "stages/explain/engines/cuda_graph.h"

#if GRADCAM_WITH_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#endif

#include <array>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

#include "stages/explain/model/device.h"

namespace gradcam {

#if GRADCAM_WITH_CUDA_GRAPHS

namespace {

using at::cuda::CUDAGraph;

/// The functions of CUDAGraph by their names in the library: the program is not linked to that half
/// of LibTorch (load_cuda()). Null where it has them not, or not with these parameters.
struct Functions {
  void (*construct)(void* graph, bool keep) = nullptr;
  void (*destroy)(void* graph) = nullptr;
  void (*begin)(void* graph, c10::MempoolId_t pool, cudaStreamCaptureMode mode) = nullptr;
  void (*end)(void* graph) = nullptr;
  void (*replay)(void* graph) = nullptr;

  Functions() {
    find(construct, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
  }
  bool complete() const {
    return construct != nullptr && destroy != nullptr && begin != nullptr && end != nullptr &&
           replay != nullptr;
  }

 private:
  template <typename Function>
  static void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  }
};

const Functions& functions() {
  static const Functions kFunctions;
  return kFunctions;
}

/// A CUDAGraph.
class Recording {
 public:
  Recording() {
    if (!functions().complete()) throw std::runtime_error("LibTorch has no CUDA graphs");
    functions().construct(place_.data(), false);
  }
  ~Recording() { functions().destroy(place_.data()); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void begin() { functions().begin(place_.data(), {0, 0}, cudaStreamCaptureModeThreadLocal); }
  void end() { functions().end(place_.data()); }
  void replay() { functions().replay(place_.data()); }

 private:
  alignas(CUDAGraph) std::array<std::byte, sizeof(CUDAGraph)> place_;
};

}  // namespace

bool has_cuda_graphs() { return functions().complete(); }

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
    graph_->begin();
    try {
      results_ = function(input_);
      graph_->end();
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
      graph_->end();
    } catch (const std::exception&) {
      // LibTorch's allocator may go on asking it: it is better lost than freed.
      static_cast<void>(graph_.release());
    }
  }

  std::unique_ptr<Recording> graph_ = std::make_unique<Recording>();
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

bool has_cuda_graphs() { return false; }

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
