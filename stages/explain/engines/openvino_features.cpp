#include "stages/explain/engines/openvino_features.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/openvino.hpp>
#include <openvino/runtime/intel_cpu/properties.hpp>
#include <optional>
#include <vector>

#include "stages/explain/import/fp32_layers.h"
#include "stages/explain/import/openvino_reason.h"

namespace gradcam {

struct OpenVino::Core {
  ov::Core core;
};

namespace {

/// The name that the output of the whole network has in a bundle.
constexpr const char* kOutput = "gradcam_output";

/// As which numbers a result comes. Of a network in whole numbers those of a byte are floats in its
/// head.
ov::element::Type type_of_result(const ov::element::Type& own) {
  if (own == ov::element::boolean) return own;
  const bool counts = own.is_integral_number() && own.bitwidth() > 8;
  return counts ? ov::element::i64 : ov::element::f32;
}

at::ScalarType in_torch(const ov::element::Type& type) {
  if (type == ov::element::boolean) return at::kBool;
  return type == ov::element::i64 ? at::kLong : at::kFloat;
}

/// One compiled network for one number of pictures.
class Request {
 public:
  explicit Request(ov::CompiledModel compiled) : request_(compiled.create_infer_request()) {
    for (const auto& output : compiled.outputs()) {
      const ov::Shape& shape = output.get_shape();
      shapes_.emplace_back(shape.begin(), shape.end());
      types_.push_back(output.get_element_type());
      if (output.get_names().contains(kOutput)) output_ = shapes_.size() - 1;
    }
  }

  FeatureValues run(const at::Tensor& pixels) {
    const ov::Shape shape(pixels.sizes().begin(), pixels.sizes().end());
    // OpenVINO reads it only, but has no tensor that says so.
    auto* const data = const_cast<std::uint8_t*>(pixels.const_data_ptr<std::uint8_t>());
    request_.set_input_tensor(ov::Tensor(ov::element::u8, shape, data));
    // Into tensors of our own: those of the last run may still be looked at.
    std::vector<at::Tensor> results;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      results.push_back(at::empty(shapes_[i], in_torch(types_[i])));
      const ov::Shape size(shapes_[i].begin(), shapes_[i].end());
      request_.set_output_tensor(i, ov::Tensor(types_[i], size, results.back().mutable_data_ptr()));
    }
    request_.infer();
    FeatureValues values{std::move(results), {}};
    if (output_) {
      values.output = values.head[*output_];
      values.head.erase(values.head.begin() + static_cast<std::ptrdiff_t>(*output_));
    }
    return values;
  }

 private:
  ov::InferRequest request_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<ov::element::Type> types_;
  std::optional<std::size_t> output_;  ///< which result is the output of the whole network
};

/// Compiles for a number of pictures when that many come for the first time.
class OpenVinoFeatures : public Features {
 public:
  using Compile = std::function<ov::CompiledModel(int count)>;

  OpenVinoFeatures(Precision format, int batch, Compile compile)
      : format_(format), batch_(batch), compile_(std::move(compile)) {
    openvino_in_one_line([this] { request_for(1); });
    if (batch_ == 1) compile_ = nullptr;  // and with it the network that was compiled
  }

  FeatureValues run(const at::Tensor& pixels) override {
    return openvino_in_one_line([&] { return run_all(pixels); });
  }

  bool wakes_torch_threads() const override { return false; }
  Precision precision() const override { return format_; }
  std::string name() const override { return name_of(EngineName::kOpenVino, format_); }

 private:
  FeatureValues run_all(const at::Tensor& pixels) {
    const std::int64_t count = pixels.size(0);
    if (count == 1 || count == batch_) return request_for(static_cast<int>(count)).run(pixels);
    std::vector<FeatureValues> parts;
    for (std::int64_t n = 0; n < count; ++n) {
      parts.push_back(request_for(1).run(pixels.narrow(0, n, 1)));
    }
    const auto together = [&](const auto& tensor_of) {
      std::vector<at::Tensor> tensors;
      tensors.reserve(parts.size());
      for (const FeatureValues& part : parts) tensors.push_back(tensor_of(part));
      return at::cat(tensors);
    };
    FeatureValues values;
    for (std::size_t i = 0; i < parts.at(0).head.size(); ++i) {
      values.head.push_back(together([i](const FeatureValues& part) { return part.head[i]; }));
    }
    if (parts[0].output.defined()) {
      values.output = together([](const FeatureValues& part) { return part.output; });
    }
    return values;
  }

  Request& request_for(int count) {
    const auto found = requests_.find(count);
    if (found != requests_.end()) return found->second;
    return requests_.emplace(count, Request(compile_(count))).first->second;
  }

  Precision format_;
  int batch_;
  Compile compile_;
  std::map<int, Request> requests_;  ///< by the number of pictures
};

/// With pixels u8 [batch, H, W, 3] as input, and outputs of type_of_result().
std::shared_ptr<ov::Model> taking_pixels(const std::shared_ptr<ov::Model>& model,
                                         const Normalisation& normalisation, int batch) {
  if (batch > 1) {
    ov::PartialShape shape = model->input().get_partial_shape();
    shape[0] = batch;
    model->reshape(shape);
  }
  const auto& offset = normalisation.offset();
  std::vector<float> divisor;
  divisor.reserve(normalisation.factor().size());
  for (const float factor : normalisation.factor()) divisor.push_back(1 / factor);
  ov::preprocess::PrePostProcessor steps(model);
  steps.input().tensor().set_element_type(ov::element::u8).set_layout("NHWC");
  steps.input().model().set_layout("NCHW");
  steps.input()
      .preprocess()
      .convert_element_type(ov::element::f32)
      .mean(std::vector<float>(offset.begin(), offset.end()))
      .scale(divisor);
  for (std::size_t i = 0; i < model->outputs().size(); ++i) {
    const ov::element::Type own = model->output(i).get_element_type();
    steps.output(i).tensor().set_element_type(type_of_result(own));
  }
  return steps.build();
}

}  // namespace

OpenVino::OpenVino(const std::string& cache_folder)
    : core_(openvino_in_one_line([] { return std::make_shared<Core>(); })) {
  // OpenVINO throws where it cannot write; compiling anew each time is no reason not to run.
  std::error_code failed;
  if (cache_folder.empty()) return;
  std::filesystem::create_directories(cache_folder, failed);
  if (access(cache_folder.c_str(), W_OK | X_OK) != 0) return;
  openvino_in_one_line([&] { core_->core.set_property(ov::cache_dir(cache_folder)); });
}

OpenVino::~OpenVino() = default;

std::string OpenVino::version() { return ov::get_openvino_version().buildNumber; }

bool OpenVino::has_bf16() const {
  const auto can = openvino_in_one_line(
      [this] { return core_->core.get_property("CPU", ov::device::capabilities); });
  return std::find(can.begin(), can.end(), ov::device::capability::BF16) != can.end();
}

std::unique_ptr<Features> OpenVino::compile(ModelFor model_for, Precision format,
                                            const Normalisation& normalisation, int threads,
                                            int batch) const {
  // What is not quantized of an int8 network runs in bf16 where the processor can.
  const bool bf16 = format == Precision::kBf16 || (format == Precision::kInt8 && has_bf16());
  const auto compile = [core = core_, model_for = std::move(model_for), bf16, normalisation,
                        threads](int count) {
    const auto model = taking_pixels(model_for(count), normalisation, count);
    if (bf16) keep_first_depthwise_in_fp32(*model);
    return core->core.compile_model(
        model, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
        ov::hint::inference_precision(bf16 ? ov::element::bf16 : ov::element::f32),
        ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false));
  };
  return std::make_unique<OpenVinoFeatures>(format, batch, compile);
}

OpenVino::ModelFor OpenVino::file(const std::string& ir) const {
  return [core = core_, ir](int) { return core->core.read_model(ir); };
}

}  // namespace gradcam
