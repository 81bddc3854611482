#include "stages/explain/import/check_import.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <openvino/openvino.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "config/user_error.h"
#include "stages/explain/import/known_values.h"
#include "stages/explain/import/openvino_reason.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

using Outputs = std::vector<at::Tensor>;  ///< undefined where it is not of floats

/// In fp32, and a quantised network as it is written, step by step in floats: in whole numbers
/// OpenVINO rounds elsewhere, and on processors without VNNI its sums overflow.
ov::CompiledModel compiled(const std::shared_ptr<const ov::Model>& model) {
  const ov::AnyMap plain{ov::hint::inference_precision(ov::element::f32)};
  ov::AnyMap in_floats = plain;
  in_floats["LP_TRANSFORMS_MODE"] = false;
  try {
    return ov::Core().compile_model(model, "CPU", in_floats);
  } catch (const std::exception&) {  // no documented option: another OpenVINO may lack it
    return ov::Core().compile_model(model, "CPU", plain);
  }
}

/// The network as OpenVINO computes it.
class ByOpenVino {
 public:
  ByOpenVino(const std::shared_ptr<const ov::Model>& model, std::stop_token stop)
      : compiled_(compiled(model)),
        request_(compiled_.create_infer_request()),
        stop_(std::move(stop)) {}

  Outputs run(const at::Tensor& picture) {
    throw_if_stopped(stop_);
    const at::Tensor input = picture.contiguous();
    const ov::Shape shape(input.sizes().begin(), input.sizes().end());
    request_.set_input_tensor(
        ov::Tensor(ov::element::f32, shape, const_cast<void*>(input.const_data_ptr())));
    request_.infer();
    Outputs outputs;
    for (std::size_t i = 0; i < compiled_.outputs().size(); ++i) {
      const ov::Tensor output = request_.get_output_tensor(i);
      if (output.get_element_type() != ov::element::f32) {
        outputs.emplace_back();
        continue;
      }
      const ov::Shape& size = output.get_shape();
      const std::vector<std::int64_t> sizes(size.begin(), size.end());
      outputs.push_back(
          at::from_blob(const_cast<float*>(std::as_const(output).data<float>()), sizes).clone());
    }
    return outputs;
  }

 private:
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
  std::stop_token stop_;
};

Outputs by_torch(torch::jit::Module module, const at::Tensor& picture) {
  const c10::IValue result = module.forward({picture});
  if (result.isTensor()) return {result.toTensor()};
  Outputs outputs;
  for (const auto& part : result.toTupleRef().elements()) outputs.push_back(part.toTensor());
  return outputs;
}

/// Of what depends on the picture.
bool computes(const ov::Model& model, const std::set<std::string>& types) {
  const KnownValues known(model);
  return std::ranges::any_of(model.get_ops(), [&](const auto& node) {
    return types.contains(node->get_type_name()) && known.depends_on_picture(node->output(0));
  });
}

double distance(const at::Tensor& found, const at::Tensor& expected) {
  const double scale = expected.norm().item<double>();
  return (found - expected).norm().item<double>() / std::max(scale, 1e-12);
}

/// As far as one output is off, a share of it; nullopt: it has another shape.
std::optional<double> difference(const at::Tensor& found, const at::Tensor& expected, bool ranks) {
  if (!expected.defined()) return 0;
  if (found.sizes() != expected.sizes()) return std::nullopt;
  const double as_they_are = distance(found, expected);
  if (!ranks || found.dim() < 2) return as_they_are;
  // Where the network puts rows in the order of their scores, rounding makes equal ones change
  // places.
  const auto sorted = [](const at::Tensor& rows) { return std::get<0>(rows.sort(1)); };
  return std::min(as_they_are, distance(sorted(found), sorted(expected)));
}

/// How far rounding in another order may move the outputs.
struct Allowed {
  double always;
  double at_most;
};
constexpr Allowed kSmooth{1e-3, 0.05};
/// A network that takes steps, as a quantised one does: a step here and there, of which later
/// layers may make much, but never so much that another network would pass.
constexpr Allowed kBySteps{0.05, 0.8};

/// Three times as far as a picture that is brighter or darker by a hundredth of a per cent moves
/// them.
double largest_difference(const at::Tensor& picture, const Outputs& expected, bool ranks,
                          const Allowed& allowed, ByOpenVino& network) {
  double largest = allowed.always;
  for (const double factor : {0.9999, 1.0001}) {
    const Outputs moved = network.run(picture * factor);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, 3 * difference(moved[i], expected[i], ranks).value_or(0));
    }
  }
  return std::min(largest, allowed.at_most);
}

/// What is wrong with the outputs; empty = nothing.
std::string fault_of(const Outputs& found, const Outputs& expected, bool ranks, double allowed) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto off = difference(found.at(i), expected[i], ranks);
    if (off && *off <= allowed) continue;
    return "computes another output " + std::to_string(i) + " in LibTorch than in OpenVINO" +
           (off ? ", off by " + std::to_string(*off) + " of it" : "");
  }
  return "";
}

/// A number made of all numbers of those outputs that LibTorch has a gradient of, so that one
/// gradient is one of all their parts. Each output counts alike, however large its numbers are.
class Number {
 public:
  /// `ranks`: the network puts rows in an order, so that a row may move: of each output the largest
  /// number, wherever it stands.
  Number(const Outputs& by_torch, const Outputs& expected, bool ranks) : ranks_(ranks) {
    for (std::size_t i = 0; i < by_torch.size(); ++i) {
      const bool counts = expected.at(i).defined() && by_torch[i].requires_grad();
      const double size = counts ? expected[i].norm().item<double>() : 0;
      sizes_.push_back(std::isfinite(size) ? size : 0);
    }
  }

  /// Undefined if there is none.
  at::Tensor of(const Outputs& outputs) const {
    at::Tensor sum;
    const auto seeded = at::make_generator<at::CPUGeneratorImpl>(2);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (sizes_[i] == 0) continue;
      const at::Tensor weights = at::randn(outputs[i].sizes(), seeded, at::TensorOptions());
      const at::Tensor number =
          ranks_ ? outputs[i].max() : (outputs[i] * weights.to(outputs[i].device())).sum();
      const at::Tensor share = number / sizes_[i];
      sum = sum.defined() ? sum + share : share;
    }
    return sum;
  }

 private:
  bool ranks_;
  std::vector<double> sizes_;  ///< of those that count; else 0
};

/// The gradient of that with respect to the picture; undefined where none is to be had, which is
/// told to whoever asks for an explanation.
at::Tensor gradient_of(const at::Tensor& number, const at::Tensor& picture) {
  try {
    return torch::autograd::grad({number}, {picture}, {}, /*retain_graph=*/false,
                                 /*create_graph=*/false, /*allow_unused=*/true)[0];
  } catch (const std::exception&) {
    return {};
  }
}

/// OpenVINO's network on a line through a picture.
class Slopes {
 public:
  Slopes(ByOpenVino& network, const at::Tensor& picture, const Number& number)
      : network_(network),
        picture_(picture),
        number_(number),
        length_(picture.norm().item<double>()) {}

  /// By central differences. `step`: a share of the picture; `direction`: of length 1.
  double along(const at::Tensor& direction, double step) {
    const at::Tensor way = direction * (step * length_);
    return (at(picture_ + way) - at(picture_ - way)) / (2 * step * length_);
  }
  /// Whether a step with this slope moves the number more than rounding does.
  bool shows(double slope, double step) const {
    constexpr double kRounding = 1e-4;  // of outputs, each of which is taken for 1
    return 2 * step * length_ * slope > kRounding;
  }

 private:
  double at(const at::Tensor& picture) { return number_.of(network_.run(picture)).item<double>(); }

  ByOpenVino& network_;
  const at::Tensor& picture_;
  const Number& number_;
  double length_;
};

/// The slope that two steps, one after the other in size, agree about; as soon as one is near
/// `expected`, that. Steps over kinks, such as ReLUs have, agree about nothing, and then nothing is
/// known.
std::optional<double> sure_slope(Slopes& slopes, const at::Tensor& direction, double expected,
                                 double least) {
  constexpr std::array kSteps = {1e-2, 3e-3, 1e-3, 3e-4, 1e-4};
  constexpr double kTolerance = 0.05;
  std::optional<double> before;
  std::optional<double> sure;
  for (const double step : kSteps) {
    if (!slopes.shows(least, step)) break;
    const double found = slopes.along(direction, step);
    if (std::abs(found - expected) <= kTolerance * std::abs(expected)) return found;
    if (before && std::abs(found - *before) <= kTolerance / 2 * std::abs(found)) sure = found;
    before = found;
  }
  return sure;
}

/// What is wrong with the gradient; empty = nothing. Along itself it must be the slope that central
/// differences show.
std::string fault_of(const at::Tensor& gradient, const at::Tensor& picture, Slopes slopes) {
  constexpr double kTolerance = 0.05;
  const double slope = gradient.norm().item<double>();
  std::optional<double> found;
  if (std::isfinite(slope) && slopes.shows(slope, 1e-2)) {
    found = sure_slope(slopes, gradient / slope, slope, slope);
  } else if (const double length = picture.norm().item<double>(); length > 0) {
    // Saturated, if nothing changes on another way either.
    constexpr double kOutOfSight = 100;
    const at::Tensor direction = picture / length;
    const double steep = std::abs(slopes.along(direction, 1e-2)) / kOutOfSight;
    if (slopes.shows(steep, 1e-2)) found = sure_slope(slopes, direction, 0, steep);
  }
  if (!found || std::abs(*found - slope) <= kTolerance * slope) return "";
  return "has another gradient in LibTorch (a slope of " + std::to_string(slope) +
         ") than differences in OpenVINO show (" + std::to_string(*found) + ")";
}

std::string fault_of(const ImportedNetwork& network, const ModelDescription& description,
                     c10::Device device, const std::stop_token& stop) {
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor noise = at::randint(
      0, 256, {1, description.input_height, description.input_width, description.channels()},
      seeded, at::TensorOptions(at::kByte));
  const at::Tensor picture = Normalisation(description).apply(noise).contiguous();
  ByOpenVino by_openvino(network.source, stop);
  const Outputs expected = by_openvino.run(picture);
  // Steps have no slope that differences would show.
  const bool smooth =
      !computes(*network.source, {"Ceiling", "FakeQuantize", "Floor", "Round", "Sign"});
  const at::AutoGradMode recorded(smooth);
  const at::Tensor leaf = picture.to(device).detach().requires_grad_(smooth);
  const Outputs found = by_torch(network.module, leaf);
  Outputs there;
  for (const at::Tensor& output : found) there.push_back(output.detach().cpu());
  const bool ranks = computes(*network.source, {"TopK"});
  const double allowed =
      largest_difference(picture, expected, ranks, smooth ? kSmooth : kBySteps, by_openvino);
  std::string fault = fault_of(there, expected, ranks, allowed);
  if (!fault.empty() || !smooth) return fault;
  const Number number(found, expected, ranks);
  const at::Tensor explained = number.of(found);
  if (!explained.defined()) return "";
  const at::Tensor gradient = gradient_of(explained, leaf);
  if (!gradient.defined()) return "";
  return fault_of(gradient.detach().cpu(), picture, Slopes(by_openvino, picture, number));
}

}  // namespace

void check_import(const ImportedNetwork& network, const ModelDescription& description,
                  c10::Device device, const std::string& path, const std::stop_token& stop) {
  std::string fault;
  try {
    fault = openvino_in_one_line([&] { return fault_of(network, description, device, stop); });
    if (!fault.empty()) fault += "; please report it with the file";
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception& error) {
    fault = torch_reason(error.what());
  }
  if (!fault.empty()) throw UserError(ExitCode::kModel, "model '" + path + "': " + fault);
}

}  // namespace gradcam
