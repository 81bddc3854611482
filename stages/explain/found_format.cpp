#include "stages/explain/found_format.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>

#include <exception>
#include <utility>

#include "stages/explain/engines/probe.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/tasks/guess_description.h"

namespace gradcam {
namespace {

NetworkOutput output_of(const at::Tensor& tensor, OutputChoice choice, std::string name) {
  NetworkOutput output{std::move(choice), std::move(name), tensor.sizes().vec(),
                       tensor.is_floating_point()};
  if (tensor.dim() != 3 || !output.is_float) return output;
  const at::Tensor floats = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* const first = floats.const_data_ptr<float>();
  output.values.assign(first, first + floats.numel());
  return output;
}

/// Those that a description can select.
std::vector<NetworkOutput> outputs_of(const c10::IValue& returned,
                                      const std::vector<std::string>& names) {
  std::vector<NetworkOutput> outputs;
  const auto add = [&](const c10::IValue& value, int place) {
    const auto named = static_cast<std::size_t>(place);
    if (!value.isTensor()) return;
    outputs.push_back(output_of(value.toTensor(), {.index = place, .name = ""},
                                named < names.size() ? names[named] : ""));
  };
  if (returned.isGenericDict()) {
    for (const auto& entry : returned.toGenericDict()) {
      if (!entry.key().isString() || !entry.value().isTensor()) continue;
      const std::string& key = entry.key().toStringRef();
      outputs.push_back(output_of(entry.value().toTensor(), {.index = {}, .name = key}, key));
    }
    return outputs;
  }
  std::vector<c10::IValue> parts;
  if (returned.isTuple()) parts = returned.toTupleRef().elements().vec();
  if (returned.isList()) parts = returned.toList().vec();
  if (returned.isTensor()) parts = {returned};
  for (std::size_t i = 0; i < parts.size(); ++i) add(parts[i], static_cast<int>(i));
  return outputs;
}

}  // namespace

std::string find_format(const Model& model, const std::vector<std::string>& names,
                        ModelDescription& description) {
  if (!description.assumed) return "";
  std::vector<NetworkOutput> outputs;
  try {
    const at::NoGradGuard no_grad;
    const at::Tensor picture = Normalisation(description).apply(probe_pixels(description));
    torch::jit::Module module = model.module();
    outputs = outputs_of(module.forward({picture.to(model.device())}), names);
  } catch (const std::exception&) {
    return "";
  }
  const std::string found = guess_description(outputs, description);
  if (!found.empty()) {
    description.assumed = false;
    return "nothing describes it: " + found + "; a description says otherwise";
  }
  description.outputs = output_texts(outputs);
  return "";
}

}  // namespace gradcam
