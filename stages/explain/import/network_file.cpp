#include "stages/explain/import/network_file.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/frontend/manager.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/transpose.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/import/file_format.h"
#include "stages/explain/import/front_of_selection.h"
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

/// FNV-1a over all weights and over which operations there are, in order.
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
    const std::string type = node->get_type_name();
    add(type.data(), type.size());
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
    refuse(path_, "not a file of " + std::string(name_of_format(path_)) +
                      " that can be read: " + error.what());
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
  if (!input.get_element_type().is_real()) {  // pixels as they are
    usual.scale = 1;
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
  model->validate_nodes_and_infer_types();
  try {
    auto module = openvino_in_one_line([&] { return to_torchscript(*model); });
    move_constants(module, device);
    return {module, model, is_quantised(*model), output_names(*model)};
  } catch (const std::exception& error) {
    refuse(path_, torch_reason(error.what()));
  }
}

}  // namespace gradcam
