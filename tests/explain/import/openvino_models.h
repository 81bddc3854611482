#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset15.hpp>
#include <vector>

#include "tests/support/tiny_models.h"

/// Small networks of OpenVINO, and what OpenVINO computes with them.
namespace gradcam::tiny {

namespace op = ov::opset15;
using Port = ov::Output<ov::Node>;

/// Float numbers of a fixed seed.
inline Port numbers(const ov::Shape& shape, std::uint64_t seed, float spread = 0.5F) {
  const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  const at::Tensor values = (seeded(sizes, seed) * spread).contiguous();
  return op::Constant::create(
      ov::element::f32, shape,
      std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + values.numel()));
}

inline Port number(float value) { return op::Constant::create(ov::element::f32, {}, {value}); }

inline Port ints(const std::vector<std::int64_t>& values) {
  return op::Constant::create(ov::element::i64, {values.size()}, values);
}

inline Port whole(std::int64_t value) {
  return op::Constant::create(ov::element::i64, {}, {value});
}

/// What `body` makes of a picture of this shape.
inline std::shared_ptr<ov::Model> model_of(const ov::PartialShape& shape,
                                           const std::function<Port(const Port&)>& body,
                                           ov::element::Type type = ov::element::f32) {
  const auto picture = std::make_shared<op::Parameter>(type, shape);
  return std::make_shared<ov::Model>(ov::OutputVector{body(picture->output(0))},
                                     ov::ParameterVector{picture});
}

inline at::Tensor by_openvino(const std::shared_ptr<ov::Model>& model, const at::Tensor& picture) {
  static ov::Core core;
  auto request = core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32))
                     .create_infer_request();
  const at::Tensor input = picture.contiguous();
  request.set_input_tensor(ov::Tensor(ov::element::f32,
                                      ov::Shape(input.sizes().begin(), input.sizes().end()),
                                      const_cast<void*>(input.const_data_ptr())));
  request.infer();
  const ov::Tensor output = request.get_output_tensor(0);
  const ov::Shape& shape = output.get_shape();
  const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  return at::from_blob(const_cast<void*>(std::as_const(output).data()), sizes, at::kFloat).clone();
}

}  // namespace gradcam::tiny

namespace gradcam {

namespace op = ov::opset15;
using tiny::by_openvino;
using tiny::ints;
using tiny::model_of;
using tiny::number;
using tiny::numbers;
using tiny::Port;
using tiny::whole;

/// A node of one output, as what it gives.
template <typename Op, typename... Arguments>
Port add(Arguments&&... arguments) {
  return std::make_shared<Op>(std::forward<Arguments>(arguments)...)->output(0);
}

inline Port operator+(const Port& a, const Port& b) { return add<op::Add>(a, b); }
inline Port operator-(const Port& a, const Port& b) { return add<op::Subtract>(a, b); }
inline Port operator*(const Port& a, const Port& b) { return add<op::Multiply>(a, b); }

/// What a module gives; of several outputs the first.
inline at::Tensor run(torch::jit::Module module, const at::Tensor& picture) {
  const c10::IValue result = module.forward({picture});
  return result.isTensor() ? result.toTensor() : result.toTupleRef().elements()[0].toTensor();
}

}  // namespace gradcam
