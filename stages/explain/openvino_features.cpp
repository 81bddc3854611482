#include "stages/explain/openvino_features.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <openvino/openvino.hpp>
#include <openvino/runtime/intel_cpu/properties.hpp>

namespace gradcam {

struct OpenVino::Core {
  ov::Core core;
};

namespace {

class OpenVinoFeatures : public Features {
 public:
  OpenVinoFeatures(const ov::CompiledModel& compiled, std::string name)
      : request_(ov::CompiledModel(compiled).create_infer_request()), name_(std::move(name)) {
    for (const auto& output : compiled.outputs()) {
      const ov::Shape shape = output.get_shape();
      shapes_.emplace_back(shape.begin(), shape.end());
    }
  }

  std::vector<at::Tensor> run(const at::Tensor& input) override {
    const at::Tensor plain = input.contiguous();
    const ov::Shape shape(plain.sizes().begin(), plain.sizes().end());
    request_.set_input_tensor(ov::Tensor(ov::element::f32, shape, plain.data_ptr<float>()));
    // Into tensors of our own: those of the last run may still be looked at.
    std::vector<at::Tensor> results;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      results.push_back(at::empty(shapes_[i], at::kFloat));
      const ov::Shape size(shapes_[i].begin(), shapes_[i].end());
      request_.set_output_tensor(
          i, ov::Tensor(ov::element::f32, size, results.back().data_ptr<float>()));
    }
    request_.infer();
    return results;
  }

  std::string name() const override { return name_; }

 private:
  ov::InferRequest request_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::string name_;
};

}  // namespace

OpenVino::OpenVino(const std::string& cache_folder) : core_(std::make_unique<Core>()) {
  if (!cache_folder.empty()) core_->core.set_property(ov::cache_dir(cache_folder));
}

OpenVino::~OpenVino() = default;

std::string OpenVino::processor() const {
  return core_->core.get_property("CPU", ov::device::full_name);
}

std::string OpenVino::version() const { return ov::get_openvino_version().buildNumber; }

bool OpenVino::has_bf16() const {
  const auto can = core_->core.get_property("CPU", ov::device::capabilities);
  return std::find(can.begin(), can.end(), ov::device::capability::BF16) != can.end();
}

std::unique_ptr<Features> OpenVino::compile(const std::string& ir, FeaturesPrecision precision,
                                            int threads) const {
  const bool bf16 = precision == FeaturesPrecision::kBf16;
  return std::make_unique<OpenVinoFeatures>(
      core_->core.compile_model(
          ir, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          ov::hint::inference_precision(bf16 ? ov::element::bf16 : ov::element::f32),
          ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false)),
      bf16 ? "openvino bf16" : "openvino fp32");
}

}  // namespace gradcam
