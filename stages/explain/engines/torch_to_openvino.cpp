#include "stages/explain/engines/torch_to_openvino.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <openvino/frontend/pytorch/decoder.hpp>
#include <openvino/frontend/pytorch/frontend.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/openvino.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/explain/import/openvino_reason.h"
#include "stages/explain/model/module_graphs.h"

// OpenVINO's own front end for PyTorch does the work: it asks a "decoder" for the nodes of a graph,
// their inputs, types and constants, and makes an operation of its own of each. Its Python package
// brings a decoder for Python's view of a graph; the one below shows it LibTorch's.
namespace gradcam {
namespace {

namespace jit = torch::jit;
namespace frontend = ov::frontend;

ov::element::Type element_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return ov::element::f32;
    case at::kDouble:
      return ov::element::f64;
    case at::kHalf:
      return ov::element::f16;
    case at::kBFloat16:
      return ov::element::bf16;
    case at::kLong:
      return ov::element::i64;
    case at::kInt:
      return ov::element::i32;
    case at::kShort:
      return ov::element::i16;
    case at::kChar:
      return ov::element::i8;
    case at::kByte:
      return ov::element::u8;
    case at::kBool:
      return ov::element::boolean;
    default:
      return ov::element::dynamic;
  }
}

/// The type of a value in the front end's words. A loaded graph knows little of its tensors.
ov::Any type_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: {
      const auto scalar = type.expectRef<c10::TensorType>().scalarType();
      return frontend::type::Tensor(scalar ? element_of(*scalar) : ov::element::dynamic);
    }
    case c10::TypeKind::IntType:
      return frontend::type::PyScalar(ov::element::i64);
    case c10::TypeKind::FloatType:
      return frontend::type::PyScalar(ov::element::f32);
    case c10::TypeKind::BoolType:
      return frontend::type::PyScalar(ov::element::boolean);
    case c10::TypeKind::ListType:
      return frontend::type::List(type_of(*type.expectRef<c10::ListType>().getElementType()));
    case c10::TypeKind::StringType:
    case c10::TypeKind::DeviceObjType:
      return frontend::type::Str();
    case c10::TypeKind::NoneType:
      return frontend::type::PyNone();
    default:
      return ov::element::Type(ov::element::dynamic);
  }
}

using Constant = ov::op::v0::Constant;

/// Shares the memory of a contiguous tensor and keeps it alive; others are copied.
std::shared_ptr<ov::Node> constant_of(const at::Tensor& tensor) {
  const ov::element::Type type = element_of(tensor.scalar_type());
  if (type == ov::element::dynamic || tensor.layout() != at::kStrided) {
    throw std::runtime_error("a constant of " + std::string(tensor.dtype().name()) +
                             " has no form in it");
  }
  const auto held = std::make_shared<at::Tensor>(tensor.detach().cpu().contiguous());
  const ov::Shape shape(held->sizes().begin(), held->sizes().end());
  return std::make_shared<Constant>(type, shape, held->const_data_ptr(),
                                    std::shared_ptr<void>(held));
}

bool is_list_of_floats(const c10::Type& type) {
  return type.kind() == c10::TypeKind::ListType &&
         type.expectRef<c10::ListType>().getElementType()->kind() == c10::TypeKind::FloatType;
}

/// Null where OpenVINO has no constant for it, such as a text.
std::shared_ptr<ov::Node> constant_of(const c10::IValue& value, const c10::Type& type) {
  namespace element = ov::element;
  const auto list = [](element::Type of, const auto& numbers) {
    return Constant::create(of, {numbers.size()}, numbers);
  };
  if (value.isTensor()) return constant_of(value.toTensor());
  if (value.isBool()) return Constant::create(element::boolean, {}, {value.toBool()});
  if (value.isInt()) return Constant::create(element::i64, {}, {value.toInt()});
  if (value.isDouble()) return Constant::create(element::f32, {}, {value.toDouble()});
  if (value.isIntList()) return list(element::i64, value.toIntVector());
  if (value.isDoubleList()) return list(element::f32, value.toDoubleVector());
  if (value.isBoolList()) {
    const auto flags = value.toBoolList();
    return list(element::boolean, std::vector<char>(flags.begin(), flags.end()));
  }
  if (value.isList() && value.toListRef().empty()) {
    return list(is_list_of_floats(type) ? element::f32 : element::i64, std::vector<int>{});
  }
  return nullptr;
}

/// A list that no constant of the front end can hold, such as one of tensors.
bool is_list_of_values(const c10::IValue& value) {
  return value.isList() && !value.toListRef().empty() && !value.isIntList() &&
         !value.isDoubleList() && !value.isBoolList();
}

/// Lists and tuples of constants, and constants of type Optional, become nodes that make them: the
/// front end knows constants that are tensors, numbers, or lists of numbers.
void spell_out_constants(jit::Graph& graph) {
  const std::function<jit::Value*(const c10::IValue&)> make = [&](const c10::IValue& value) {
    std::vector<jit::Value*> parts;
    if (value.isTuple()) {
      for (const auto& part : value.toTupleRef().elements()) parts.push_back(make(part));
      return graph.insertNode(graph.createTuple(parts))->output();
    }
    if (is_list_of_values(value)) {
      for (const auto& part : value.toListRef()) parts.push_back(make(part));
      return graph.insertNode(graph.createList(value.toList().elementType(), parts))->output();
    }
    return graph.insertConstant(value);
  };
  for (jit::Node* node : nodes_of(graph.block())) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = jit::toIValue(node->output());
    const bool optional = node->output()->type()->kind() == c10::TypeKind::OptionalType;
    if (!value || !(optional || value->isTuple() || is_list_of_values(*value))) continue;
    const jit::WithInsertPoint here(node);
    node->output()->replaceAllUsesWith(make(*value));
    node->destroy();
  }
}

bool writes_in_place(jit::Graph& graph) {
  return std::ranges::any_of(nodes_of(graph.block()), [](const jit::Node* node) {
    const auto* schema = node->maybeSchema();
    return schema != nullptr && schema->is_mutable();
  });
}

/// Whether a result is new; LibTorch's analysis errs on the safe side.
bool gives_new(const std::string& kind) {
  static const std::set<std::string> kNew = {"aten::_convolution", "aten::conv1d", "aten::conv2d",
                                             "aten::conv3d",       "aten::matmul", "aten::clone"};
  return kNew.contains(kind);
}

/// A value, what it is a view of, and so on.
std::vector<const jit::Value*> names_of(const jit::Value* value, const jit::AliasDb& aliases) {
  std::vector<const jit::Value*> names{value};
  while (!value->node()->inputs().empty() && !gives_new(value->node()->kind().toQualString())) {
    const jit::Value* const viewed = value->node()->inputs()[0];
    if (!aliases.mayAlias(viewed, value)) break;
    names.push_back(value = viewed);
  }
  return names;
}

/// The front end brings what is written through a view to what it is a view of, and to no other
/// view: throws where one is read afterwards.
void refuse_unseen_writes(jit::Graph& graph, const jit::AliasDb& aliases) {
  const auto nodes = nodes_of(graph.block());
  for (jit::Node* write : nodes) {
    const auto* schema = write->maybeSchema();
    if (schema == nullptr || !schema->is_mutable() || write->inputs().empty()) continue;
    const auto seen = names_of(write->inputs()[0], aliases);
    for (jit::Node* node : nodes) {
      if (!node->isBefore(write)) continue;
      for (const jit::Value* view : node->outputs()) {
        const bool is_read = std::ranges::any_of(
            view->uses(), [&](const jit::Use& use) { return use.user->isAfter(write); });
        if (!is_read || std::ranges::find(seen, view) != seen.end()) continue;
        if (names_of(view, aliases).back() != seen.back()) continue;
        throw std::runtime_error(std::string(write->kind().toQualString()) +
                                 " writes into a tensor of which a view is read later");
      }
    }
  }
}

/// What the decoders of one graph share.
struct Source {
  std::shared_ptr<jit::Graph> graph;
  ov::PartialShape picture;               ///< of the graph's input: a loaded file has lost it
  std::unique_ptr<jit::AliasDb> aliases;  ///< only where something still writes in place
};

/// Values of a node or block, as the front end asks for them.
struct Values {
  explicit Values(at::ArrayRef<jit::Value*> all) : values(all.begin(), all.end()) {
    for (const jit::Value* value : values) {
      ids.push_back(value->unique());
      names.push_back(value->debugName());
    }
  }
  std::vector<jit::Value*> values;
  std::vector<std::size_t> ids;
  std::vector<std::string> names;
};

/// Shows the front end one node, or a block: the graph's own, or one of a node with control flow.
class Decoder : public frontend::pytorch::TorchDecoder {
 public:
  Decoder(std::shared_ptr<const Source> source, jit::Block* block)
      : source_(std::move(source)), block_(block), in_(block->inputs()), out_(block->outputs()) {}
  Decoder(std::shared_ptr<const Source> source, jit::Node* node)
      : source_(std::move(source)),
        node_(node),
        kind_(node->kind().toQualString()),
        in_(node->inputs()),
        out_(node->outputs()) {
    if (const auto* schema = node->maybeSchema()) schema_ = c10::toString(*schema);
    if (node->kind() != c10::prim::Constant) return;
    const auto value = jit::toIValue(node->output());
    if (value && value->isString()) text_ = value->toStringRef();
    if (value && value->isDevice()) text_ = value->toDevice().str();
  }

  // Values
  const std::vector<std::size_t>& inputs() const override { return in_.ids; }
  const std::vector<std::size_t>& outputs() const override { return out_.ids; }
  std::size_t num_of_outputs() const override { return out_.ids.size(); }
  std::size_t output(std::size_t i) const override { return out_.ids.at(i); }
  std::size_t output_list_size() const override { return 0; }
  const std::string& get_input_debug_name(std::size_t i) const override { return in_.names.at(i); }
  const std::string& get_input_signature_name(std::size_t i) const override {
    return in_.names.at(i);
  }
  const std::string& get_output_debug_name(std::size_t i) const override {
    return out_.names.at(i);
  }
  ov::PartialShape get_input_shape(std::size_t i) const override {
    return shape_of(in_.values.at(i));
  }
  ov::PartialShape get_output_shape(std::size_t i) const override {
    return shape_of(out_.values.at(i));
  }
  ov::Any get_input_type(std::size_t i) const override { return type_of_value(in_.values.at(i)); }
  ov::Any get_output_type(std::size_t i) const override { return type_of_value(out_.values.at(i)); }
  const std::vector<std::size_t>& get_input_strides(std::size_t) const override {
    static const std::vector<std::size_t> kUnknown;
    return kUnknown;
  }
  bool input_is_none(std::size_t i) const override {
    return i >= in_.values.size() || in_.values[i]->mustBeNone();
  }
  bool may_produce_alias(std::size_t in, std::size_t out) const override {
    if (node_ == nullptr || !source_->aliases || gives_new(kind_)) return false;
    if (in >= in_.values.size() || out >= out_.values.size()) return false;
    return source_->aliases->mayContainAlias(in_.values[in], out_.values[out]);
  }

  // The node
  const std::string& get_op_type() const override { return kind_; }
  const std::string& get_schema() const override { return schema_; }
  const std::string& decoder_type_name() const override {
    static const std::string kTorchScript = "ts";
    return kTorchScript;
  }
  ov::OutputVector as_constant() const override {
    if (node_ == nullptr || node_->kind() != c10::prim::Constant) return {};
    const auto value = jit::toIValue(node_->output());
    const auto constant = value ? constant_of(*value, *node_->output()->type()) : nullptr;
    return constant ? constant->outputs() : ov::OutputVector{};
  }
  const std::string& as_string() const override { return text_; }
  ov::OutputVector try_decode_get_attr() const override { return {}; }  // a frozen graph has none
  std::shared_ptr<ov::Node> mark_node(std::shared_ptr<ov::Node> made) const override {
    made->set_friendly_name(out_.names.empty() ? kind_ : kind_ + "/" + out_.names[0]);
    return made;
  }

  // Blocks
  std::size_t get_subgraph_size() const override {
    return node_ != nullptr ? node_->blocks().size() : 1;
  }
  void visit_subgraph(
      std::function<void(std::shared_ptr<frontend::pytorch::TorchDecoder>)> visit) const override {
    for (jit::Node* node : block_->nodes()) visit(std::make_shared<Decoder>(source_, node));
  }
  std::shared_ptr<frontend::pytorch::TorchDecoder> get_subgraph_decoder(
      std::size_t i) const override {
    return std::make_shared<Decoder>(source_, node_->blocks().at(i));
  }

  // For graphs of torch.export and for extensions in Python: there are none here.
  ov::Any const_input(std::size_t) const override {
    throw std::logic_error("const_input() of a TorchScript graph");
  }
  bool is_input_inlined(std::size_t) const override { return false; }
  std::shared_ptr<frontend::pytorch::TorchDecoder> get_inlined_input_decoder(
      std::size_t) const override {
    return nullptr;
  }
  ov::Any get_attribute(const std::string&) const override { return {}; }
  std::size_t get_named_input(const std::string&) const override {
    throw std::logic_error("get_named_input() of a TorchScript graph");
  }
  frontend::pytorch::DecoderRTInfo get_rt_info() const override { return {}; }
  bool has_converter() const override { return false; }
  ov::OutputVector convert(const frontend::NodeContext*) const override { return {}; }

 private:
  bool is_picture(const jit::Value* value) const {
    return value->node() == source_->graph->param_node();
  }
  ov::PartialShape shape_of(const jit::Value* value) const {
    return is_picture(value) ? source_->picture : ov::PartialShape::dynamic();
  }
  ov::Any type_of_value(const jit::Value* value) const {
    if (is_picture(value)) return frontend::type::Tensor(ov::element::f32);
    return type_of(*value->type());
  }

  std::shared_ptr<const Source> source_;
  jit::Block* block_ = nullptr;
  jit::Node* node_ = nullptr;
  std::string kind_;
  std::string schema_;
  std::string text_;  ///< of a constant that is one
  Values in_;
  Values out_;
};

/// The head takes floats, whole numbers and answers (bool) of known sizes.
void check_outputs(const ov::Model& model) {
  for (const auto& output : model.outputs()) {
    if (output.get_element_type().is_dynamic()) {
      throw std::runtime_error("the type of a value at the cut is not known");
    }
    if (output.get_partial_shape().is_dynamic()) {
      throw std::runtime_error("the shape of a value at the cut depends on the picture");
    }
  }
}

}  // namespace

std::shared_ptr<ov::Model> to_openvino(const jit::Graph& graph, int count, int channels, int height,
                                       int width) {
  const auto source = std::make_shared<Source>();
  source->graph = const_cast<jit::Graph&>(graph).copy();  // copy() reads only
  source->picture = ov::PartialShape{count, channels, height, width};
  jit::RemoveListMutation(source->graph);
  jit::RemoveTensorMutation(source->graph);
  spell_out_constants(*source->graph);
  jit::EliminateDeadCode(source->graph);
  if (writes_in_place(*source->graph)) {
    source->aliases = std::make_unique<jit::AliasDb>(source->graph);
    refuse_unseen_writes(*source->graph, *source->aliases);
  }
  return openvino_in_one_line([&] {
    const frontend::pytorch::FrontEnd front_end;
    const std::shared_ptr<frontend::IDecoder> decoder =
        std::make_shared<Decoder>(source, source->graph->block());
    auto model = front_end.convert(front_end.load(decoder));
    if (model->inputs().empty()) {  // the front end leaves out an input that nothing takes
      throw std::runtime_error("nothing in front of the cut takes the picture");
    }
    check_outputs(*model);
    return model;
  });
}

}  // namespace gradcam
