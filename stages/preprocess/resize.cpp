#include "stages/preprocess/resize.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/ParallelGuard.h>

namespace gradcam {

cv::Mat resize_antialiased(const cv::Mat& picture, cv::Size size) {
  CV_Assert(picture.type() == CV_8UC3 && !picture.empty());
  // ATen must not start an OpenMP team of its own on this thread: the inference thread has one.
  const c10::ParallelGuard sequential(true);
  const at::NoGradGuard no_grad;
  const at::TensorOptions bytes(at::kByte);
  const auto row = static_cast<std::int64_t>(picture.step[0]);
  // HWC with any row length, seen as NCHW: no copy on the way in.
  const at::Tensor input = at::from_blob(picture.data, {1, 3, picture.rows, picture.cols},
                                         {row * picture.rows, 1, row, 3}, bytes);
  const at::Tensor output = at::_upsample_bilinear2d_aa(input, {size.height, size.width},
                                                        /*align_corners=*/false)
                                .contiguous(at::MemoryFormat::ChannelsLast);
  const cv::Mat view(size, CV_8UC3, output.data_ptr());
  return view.clone();
}

}  // namespace gradcam
