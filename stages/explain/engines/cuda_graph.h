#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace gradcam {

/// A function on a CUDA device whose kernels are recorded as a CUDA graph and from then on launched
/// by one call: launching those of a hundred layers one by one takes a processor longer than they
/// themselves take. One thread calls it at a time.
class GraphedFunction {
 public:
  /// It must give new tensors, do the same whenever the shape is the same, and not wait for the
  /// device (waits_for_device() tells of a graph).
  using Function = std::function<std::vector<at::Tensor>(const at::Tensor& on_device)>;

  GraphedFunction(Function function, c10::Device device);
  ~GraphedFunction();

  /// Of a tensor on the CPU, which may change as soon as this returns. Results are new tensors on
  /// the device. The first kWarmUp calls with a number of pictures run the function itself, which
  /// LibTorch and cuDNN tune meanwhile; so do all calls where it cannot be recorded or this was
  /// built without CUDA's headers.
  std::vector<at::Tensor> run(const at::Tensor& pictures);

  static constexpr int kWarmUp = 4;

 private:
  class Graph;
  struct Shape {
    int runs = 0;
    bool recordable = true;
    std::unique_ptr<Graph> graph;
  };

  std::unique_ptr<Graph> record(const at::Tensor& pictures) const;

  Function function_;
  c10::Device device_;
  std::map<std::int64_t, Shape> shapes_;  ///< by the number of pictures
};

}  // namespace gradcam
