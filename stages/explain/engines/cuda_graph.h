#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace gradcam {

/// Whether LibTorch has CUDA graphs as this program was built for. Behind load_cuda().
bool has_cuda_graphs();

/// A function on a CUDA device. Its kernels are recorded once as a CUDA graph, and from then on one
/// call launches them all: to launch those of a hundred layers one by one takes the CPU longer than
/// the GPU takes to run them. One thread calls it at a time.
class GraphedFunction {
 public:
  /// It must return new tensors, launch the same kernels for the same shape, and not wait for the
  /// device (waits_for_device() tells whether a graph does).
  using Function = std::function<std::vector<at::Tensor>(const at::Tensor& on_device)>;

  GraphedFunction(Function function, c10::Device device);
  ~GraphedFunction();

  /// `pictures`: on the CPU; they may change as soon as this returns. Results are new tensors on
  /// the device. For each number of pictures, the first kWarmUp calls run the function itself,
  /// because LibTorch and cuDNN still tune it. So do all calls of a function that cannot be
  /// recorded, and of a program that was built without CUDA's headers.
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
