#include "stages/explain/import/network_file.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/frontend/manager.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/transpose.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/files/file_format.h"
#include "stages/explain/files/unreadable_file.h"
#include "stages/explain/import/front_of_selection.h"
#include "stages/explain/import/known_values.h"
#include "stages/explain/import/onnx_modules.h"
#include "stages/explain/import/openvino_reason.h"
#include "stages/explain/import/openvino_to_torch.h"
#include "stages/explain/model/module_graphs.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw UserError(ExitCode::kModel, "model '" + path + "': " + why);
}

/// By the front end of the format: read_model() would try all of them, and TensorFlow's writes to
/// the terminal what it does not like.
std::shared_ptr<ov::Model> read(const std::string& path) {
  return openvino_in_one_line([&] {
    ov::frontend::FrontEndManager manager;
    const auto front_end = manager.load_by_framework(front_end_of(path));
    return front_end->convert(front_end->load(path));
  });
}

std::string text_of(const ov::PartialShape& shape) {
  std::ostringstream text;
  for (const auto& size : shape) {
    if (text.tellp() > 0) text << 'x';
    size.is_static() ? text << size.get_length() : text << '?';
  }
  return text.str();
}

bool is_channels(const ov::Dimension& size) { return size == 1 || size == 3; }

/// "Relu_123": such names may count what the process has made.
bool ends_in_count(const std::string& name) {
  const std::size_t last = name.find_last_not_of("0123456789");
  return last != std::string::npos && last + 1 < name.size() && name[last] == '_';
}

/// FNV-1a over all weights and over which operations there are, in order, with their names: what is
/// remembered of a network names its layers.
std::string identity_of(const ov::Model& model) {
  std::uint64_t hash = 14695981039346656037U;
  const auto add = [&](const void* bytes, std::size_t count) {
    const auto* const at = static_cast<const unsigned char*>(bytes);
    // Eight bytes at a time: of 100 MB each byte would take a tenth of a second.
    for (std::size_t i = 0; i + 8 <= count; i += 8) {
      std::uint64_t word = 0;
      std::copy_n(at + i, 8, reinterpret_cast<unsigned char*>(&word));
      hash = (hash ^ word) * 1099511628211U;
    }
    for (std::size_t i = count / 8 * 8; i < count; ++i) hash = (hash ^ at[i]) * 1099511628211U;
  };
  for (const auto& node : model.get_ordered_ops()) {
    std::string text = node->get_type_name();
    text.append(" ").append(noted_module(*node));
    const std::string& name = node->get_friendly_name();
    if (!ends_in_count(name)) text.append(" ").append(name);
    add(text.data(), text.size());
    if (const auto* constant = ov::as_type<ov::op::v0::Constant>(node.get())) {
      add(constant->get_data_ptr(), constant->get_byte_size());
    }
  }
  return "openvino " + std::to_string(hash);
}

/// The text under one of these keys of the model's metadata; empty = there is none.
std::string text_under(const ov::Model& model, const std::vector<std::string>& keys) {
  return model.has_rt_info(keys) ? model.get_rt_info<std::string>(keys) : std::string();
}

/// All texts of its metadata by key.
std::map<std::string, std::string> texts_in(const ov::Model& model) {
  std::map<std::string, std::string> texts;
  for (const char* section : {"framework", "model_info"}) {
    if (!model.has_rt_info(section)) continue;
    for (const auto& [key, value] : model.get_rt_info<ov::AnyMap>(section)) {
      if (value.is<std::string>()) texts.emplace(key, value.as<std::string>());
    }
  }
  return texts;
}

/// The names of its outputs; empty where one has none.
std::vector<std::string> output_names(const ov::Model& model) {
  std::vector<std::string> names;
  for (const auto& output : model.outputs()) {
    names.push_back(output.get_names().empty() ? "" : output.get_any_name());
  }
  return names;
}

/// Gives the model one input, float [1, channels, height, width], in place of its own.
void take_picture(ov::Model& model, const ov::Shape& shape, bool channels_last) {
  const auto own = model.get_parameters().at(0);
  const auto picture = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
  picture->set_friendly_name("picture");
  ov::Output<ov::Node> value = picture;
  if (channels_last) {
    const auto order = ov::op::v0::Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
    value = std::make_shared<ov::op::v1::Transpose>(value, order);
  }
  if (own->get_element_type() != ov::element::f32) {
    value = std::make_shared<ov::op::v0::Convert>(value, own->get_element_type());
  }
  own->output(0).replace(value);
  model.replace_parameter(0, picture);
}

/// What the one operation that takes a value does with it and a number or one for each channel.
struct Step {
  ov::Node* node = nullptr;           ///< null: something else takes the value, or several do
  std::optional<double> number = {};  ///< the largest; null: it only moves the numbers about
};

Step step_behind(const ov::Output<ov::Node>& value, KnownValues& known) {
  static const std::set<std::string> kMoves = {"Convert",   "Gather",       "Reshape",
                                               "Split",     "Squeeze",      "Transpose",
                                               "Unsqueeze", "VariadicSplit"};
  static const std::set<std::string> kArithmetic = {"Add", "Divide", "Multiply", "Subtract"};
  ov::Node* taker = nullptr;
  for (const auto& input : value.get_target_inputs()) {
    if (input.get_node()->get_type_name() == std::string("ShapeOf")) continue;
    if (taker != nullptr || input.get_index() != 0) return {};
    taker = input.get_node();
  }
  if (taker == nullptr || taker->get_output_size() != 1) return {};
  if (kMoves.contains(taker->get_type_name())) return {taker};
  if (!kArithmetic.contains(taker->get_type_name())) return {};
  const auto other = taker->input_value(1);
  if (known.depends_on_picture(other)) return {};
  try {
    const at::Tensor numbers = known.of(other).abs();
    if (numbers.numel() != 1 && numbers.numel() != 3) return {};
    return {taker, numbers.max().item<double>()};
  } catch (const std::exception&) {  // it depends on a size that the file leaves open
    return {};
  }
}

/// Of a network that takes off the mean itself, or divides pixels: 1 if it takes pixels as they
/// are, 255 if shares of them.
std::optional<double> scale_of_own_normalisation(const ov::Model& model) {
  KnownValues known(model);
  constexpr double kMostShare = 1.5;
  constexpr double kLeastOfPixels = 32;  // no deviation of shares is that small
  const auto picture = model.get_parameters().at(0);
  Step step = step_behind(picture->output(0), known);
  for (; step.node != nullptr; step = step_behind(step.node->output(0), known)) {
    if (!step.number) continue;
    const std::string type = step.node->get_type_name();
    if (type == "Divide" && *step.number >= kLeastOfPixels) return 1;
    if (type == "Multiply" && *step.number <= 1 / kLeastOfPixels) return 1;
    if (type == "Divide" || type == "Multiply") continue;
    return *step.number > kMostShare ? 1 : 255;
  }
  return std::nullopt;
}

void move_constants(const torch::jit::Module& module, c10::Device device) {
  for (torch::jit::Node* node : nodes_of(module.get_method("forward").graph()->block())) {
    if (const auto value = tensor_constant(node)) node->t_(c10::attr::value, value->to(device));
  }
}

bool is_quantised(const ov::Model& model) {
  return std::ranges::any_of(model.get_ops(), [](const auto& node) {
    return std::string(node->get_type_name()) == "FakeQuantize";
  });
}

}  // namespace

NetworkFile::NetworkFile(std::string path) : path_(std::move(path)) {
  try {
    model_ = read(path_);
  } catch (const std::exception& error) {
    refuse(path_, why_unreadable(path_, error.what()));
  }
  ov::Model& model = *model_;
  if (model.inputs().size() != 1) {
    std::vector<std::string> names;
    for (const auto& parameter : model.get_parameters()) {
      names.push_back(parameter->get_friendly_name());
    }
    refuse(path_,
           "must take one picture, and takes " + (names.empty() ? "nothing" : listed(names)));
  }
  const ov::PartialShape& shape = model.input().get_partial_shape();
  if (shape.rank().is_dynamic() || shape.size() != 4 ||
      !(is_channels(shape[1]) || is_channels(shape[3]))) {
    refuse(path_, "takes " + (shape.rank().is_dynamic() ? "any shape" : text_of(shape)) +
                      "; a picture is 1x3xHxW or 1x1xHxW, or 1xHxWx3 or 1xHxWx1");
  }
  channels_last_ = !is_channels(shape[1]);
  embedded_description_ = text_under(model, {"framework", "gradcam.json"});
  if (embedded_description_.empty()) embedded_description_ = text_under(model, {"gradcam.json"});
  metadata_ = texts_in(model);
  const bool is_onnx = front_end_of(path_) == "onnx";
  const OnnxNotes notes = is_onnx ? read_onnx_notes(path_) : OnnxNotes();
  note_modules(model, notes.modules);
  leave_out_selection(front_end_of(path_) == "tf" || notes.producer == "tf2onnx");
  identity_ = identity_of(*model_);
}

void NetworkFile::leave_out_selection(bool of_tensorflow) {
  try {
    const auto front = openvino_in_one_line([&] {
      return in_front_of_selection(*model_, {.rows_first = of_tensorflow, .shares = of_tensorflow});
    });
    if (!front) return;
    model_ = front->model;
    boxes_ = front->layout;
    note_ = front->left_out +
            " is left out: it has no gradient, and all boxes in front of it are "
            "read";
  } catch (const std::runtime_error& error) {
    refuse(path_, error.what());
  }
}

ModelDescription NetworkFile::usual() const {
  ModelDescription usual;
  const auto input = model_->input();
  const ov::PartialShape& shape = input.get_partial_shape();
  const bool last = channels_last_;
  const auto size = [&](std::size_t axis, int& into) {
    if (shape[axis].is_static()) into = static_cast<int>(shape[axis].get_length());
  };
  size(last ? 1 : 2, usual.input_height);
  size(last ? 2 : 3, usual.input_width);
  if (shape[last ? 3 : 1] == 1) usual.color = ColorOrder::kGray;
  const std::optional<double> scale =
      input.get_element_type().is_real() ? scale_of_own_normalisation(*model_) : 1;
  if (scale) {
    usual.scale = *scale;
    usual.mean = {0, 0, 0};
    usual.std = {1, 1, 1};
  }
  if (boxes_) {
    usual.task = &find_task("detection");
    usual.threshold = usual.task->usual_threshold;
    usual.boxes = *boxes_;
    usual.activation = boxes_->scores;
    usual.activation_given = true;
  }
  return usual;
}

ImportedNetwork NetworkFile::as_torchscript(const ModelDescription& description,
                                            c10::Device device) const {
  const auto model = model_->clone();
  const auto height = static_cast<std::size_t>(description.input_height);
  const auto width = static_cast<std::size_t>(description.input_width);
  const auto channels = static_cast<std::size_t>(description.channels());
  const ov::Shape picture{1, channels, height, width};
  const ov::Shape own = channels_last_ ? ov::Shape{1, height, width, channels} : picture;
  try {
    openvino_in_one_line([&] { model->reshape(ov::PartialShape(own)); });
  } catch (const std::exception& error) {
    refuse(path_, "takes pictures of " + text_of(model_->input().get_partial_shape()) +
                      ", and not of " + text_of(own) + ": " + error.what());
  }
  // Where a shape in the file stands for one size, OpenVINO takes others for several pictures.
  for (std::size_t i = 0; i < model->outputs().size(); ++i) {
    const ov::PartialShape& before = model_->output(i).get_partial_shape();
    const ov::PartialShape& now = model->output(i).get_partial_shape();
    if (before.rank().is_dynamic() || now.rank() == 0 || before[0] != 1 || now[0] == 1) continue;
    refuse(path_, "takes pictures of " + text_of(model_->input().get_partial_shape()) +
                      ", and not of " + text_of(own) + ": it would give an output of " +
                      text_of(now));
  }
  take_picture(*model, picture, channels_last_);
  settle_known_values(*model);
  try {
    auto module = openvino_in_one_line([&] { return to_torchscript(*model); });
    move_constants(module, device);
    return {module, model, is_quantised(*model), output_names(*model)};
  } catch (const std::exception& error) {
    refuse(path_, torch_reason(error.what()));
  }
}

}  // namespace gradcam
