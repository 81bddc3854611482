#include "stages/explain/graph/layers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <exception>
#include <map>
#include <set>

#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/graph/all_layers.h"
#include "stages/explain/graph/graph_marks.h"
#include "stages/explain/graph/tokens.h"
#include "stages/explain/model/normalisation.h"

namespace gradcam {
namespace {

std::string class_name(const torch::jit::Module& module) {
  const auto name = module.type()->name();
  return name ? name->name() : std::string("Module");
}

/// A map of the picture: not the norm [1, 1, 1, C] behind one, whose channels come last.
bool shows_picture(const Layer& layer, const ModelDescription& description) {
  const auto& shape = layer.shape;
  const auto fits = [&](std::size_t first) {
    return shape[first] * shape[first + 1] > 1 &&
           in_proportion(shape[first], shape[first + 1], description);
  };
  return shape.size() == 4 && (fits(2) || fits(1));
}

/// Tokens [1, T, C], not a map whose rows were laid one behind the other, [1, C, h w] of [1, C, h,
/// w].
bool holds_tokens(const std::vector<std::int64_t>& shape,
                  const std::vector<MarkedGraph::Shape>& others,
                  const ModelDescription& description) {
  if (shape.size() != 3 || shape[0] != 1 || !grid_of(shape[1], description)) return false;
  return std::none_of(others.begin(), others.end(), [&](const MarkedGraph::Shape& other) {
    const auto& map = other.shape;
    return map.size() == 4 && map[1] == shape[1] && map[2] * map[3] == shape[2] &&
           in_proportion(map[2], map[3], description);
  });
}

/// Tokens [T, 1, C], whose picture is the second dimension.
bool has_tokens_first(const Layer& layer, const ModelDescription& description) {
  const auto& shape = layer.shape;
  return shape.size() == 3 && shape[0] > 1 && shape[1] == 1 &&
         grid_of(shape[0], description).has_value();
}

/// Throws UserError(kModel) if nothing has a name.
MarkedGraph mark_all(const Model& model) {
  if (model.module().named_modules().size() < 2) {
    throw UserError(ExitCode::kModel,
                    "model '" + model.path() +
                        (model.source() != nullptr
                             ? "': computes nothing with rows and columns, or tokens, that a heat "
                               "map could be made of"
                             : "': has no sub-modules to name a layer by (frozen before it was "
                               "saved?): export it without torch.jit.freeze"));
  }
  return {model, [](const std::string&) { return true; }};
}

std::vector<Layer> layers_of(const Model& model, const MarkedGraph& marked,
                             const ModelDescription& description) {
  std::map<std::string, std::string> types;
  for (const auto& child : model.module().named_modules()) {
    if (!child.name.empty()) types[child.name] = class_name(child.value);
  }
  const auto shapes = marked.shapes(description);
  std::vector<Layer> layers;
  for (const auto& mark : shapes) {
    layers.push_back({mark.layer, types[mark.layer], mark.shape, mark.obstacle,
                      holds_tokens(mark.shape, shapes, description)});
    types.erase(mark.layer);
  }
  for (const auto& [name, type] : types) {
    layers.push_back({name, type, {}, "is never called by forward, or gives no tensor"});
  }
  return layers;
}

namespace jit = torch::jit;

/// What of a graph lies behind its marks.
class Ends {
 public:
  explicit Ends(const jit::Graph& graph) : graph_(graph) {}

  struct Found {
    bool comes_from_picture = false;
    bool attends = false;
  };
  /// Behind the mark: whether the output is made of the picture in another way, too, and whether
  /// tokens look at each other.
  Found behind(const jit::Node* mark) const {
    Found found;
    std::vector<const jit::Value*> waiting{graph_.outputs().at(0)};
    std::set<const jit::Value*> seen(waiting.begin(), waiting.end());
    while (!waiting.empty()) {
      const jit::Value* const value = waiting.back();
      waiting.pop_back();
      if (value->node() == mark) continue;
      if (value == graph_.inputs().at(0)) found.comes_from_picture = true;
      found.attends = found.attends || attends(*value->node());
      for (const jit::Value* before : inputs_of(*value->node())) {
        if (seen.insert(before).second) waiting.push_back(before);
      }
    }
    return found;
  }

 private:
  static bool attends(const jit::Node& node) {
    const std::string kind = node.kind().toUnqualString();
    return kind == "softmax" || kind.find("attention") != std::string::npos ||
           kind == "_transformer_encoder_layer_fwd";
  }

  /// Those of a branch or loop are all that is read inside. A size says nothing of the numbers.
  static std::vector<const jit::Value*> inputs_of(const jit::Node& node) {
    if (node.kind() == c10::aten::size) return {};
    std::vector<const jit::Value*> inputs(node.inputs().begin(), node.inputs().end());
    for (const jit::Block* block : node.blocks()) {
      for (const jit::Node* inner : block->nodes()) {
        const auto more = inputs_of(*inner);
        inputs.insert(inputs.end(), more.begin(), more.end());
      }
      inputs.insert(inputs.end(), block->outputs().begin(), block->outputs().end());
    }
    return inputs;
  }

  const jit::Graph& graph_;
};

/// A layer that may be chosen.
struct Candidate {
  const Layer* layer;
  bool is_passage = false;   ///< all that the output is made of goes through it
  bool is_attended = false;  ///< attention lies behind it
  bool counts = false;       ///< every place of it
  bool is_turned = false;    ///< has_tokens_first()
};

/// Of most of its places: a dead unit here and there does not matter.
bool every_place_counts(const at::Tensor& gradient, const ModelDescription& description) {
  const at::Tensor places = to_places(gradient.detach()[0], description).abs().amax(0);
  return (places > 0).to(at::kFloat).mean().item<double>() > 0.9;
}

/// Notes which places count, for the class that wins on a picture of noise. Nothing is noted where
/// no gradient is to be had.
void look_for_places(const Model& model, const ModelDescription& description,
                     std::vector<Candidate>& candidates) {
  std::map<std::string, Candidate*> by_name;
  for (Candidate& candidate : candidates) by_name[candidate.layer->name] = &candidate;
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor noise = at::randint(
      0, 256, {1, description.input_height, description.input_width, description.channels()},
      seeded, at::TensorOptions(at::kByte));
  try {
    const AllLayers all(model, description.output,
                        [&](const std::string& name) { return by_name.count(name) > 0; });
    const auto run = all.run(Normalisation(description, model.device()).apply(noise), true);
    const auto best = run.output.detach().flatten().argmax().item<std::int64_t>();
    AllLayers::gradients(run, Seed{{best, 1}}, [&](std::size_t i, const at::Tensor& gradient) {
      by_name.at(all.names()[i])->counts = every_place_counts(gradient, description);
    });
  } catch (const std::exception&) {  // such as of an operation without a derivative
    for (Candidate& candidate : candidates) candidate.counts = false;
  }
}

/// The last of which all of these are true; null = there is none.
template <typename... Conditions>
const Candidate* last_with(const std::vector<Candidate>& candidates,
                           const Conditions&... conditions) {
  const auto found = std::find_if(candidates.rbegin(), candidates.rend(),
                                  [&](const Candidate& each) { return (conditions(each) && ...); });
  return found == candidates.rend() ? nullptr : &*found;
}

const Layer* choose(const std::vector<Candidate>& candidates) {
  const auto passage = [](const Candidate& each) { return each.is_passage; };
  const auto counts = [](const Candidate& each) { return each.counts; };
  const auto tokens = [](const Candidate& each) { return each.layer->tokens; };
  const auto attended = [](const Candidate& each) { return each.is_attended; };
  const Candidate* found = last_with(candidates, passage, counts);
  const Candidate* const last = last_with(candidates, passage, tokens);
  // Where two streams of tokens run side by side, all goes through none of their blocks.
  if (found == nullptr || (!found->layer->tokens && last != nullptr && found < last)) {
    const auto alike = [&](const Candidate& each) {
      return last == nullptr || each.layer->shape == last->layer->shape;
    };
    if (const Candidate* other = last_with(candidates, counts, tokens, alike)) found = other;
  }
  // Without a gradient: in front of the last attention.
  if (found == nullptr) found = last_with(candidates, passage, tokens, attended);
  if (found == nullptr) found = last;
  if (found == nullptr) return nullptr;
  // Keys and values of an attention that all goes through: what they are made of.
  const auto source = [&](const Candidate& each) {
    return &each < found && found->is_attended && found->layer->tokens &&
           each.layer->shape[1] == found->layer->shape[1];
  };
  const Candidate* const made_of = last_with(candidates, passage, tokens, source);
  if (made_of != nullptr && made_of->layer->shape != found->layer->shape) found = made_of;
  return found->layer;
}

}  // namespace

std::vector<Layer> list_layers(const Model& model, const ModelDescription& description) {
  return layers_of(model, mark_all(model), description);
}

std::string automatic_layer(const std::vector<Layer>& layers, const ModelDescription& description,
                            const std::string& model_path) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (shows_picture(*layer, description) && layer->obstacle.empty()) return layer->name;
  }
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->spatial() && !layer->tokens && layer->obstacle.empty()) return layer->name;
  }
  std::vector<std::string> in_branch;
  for (const Layer& layer : layers) {
    if (layer.obstacle == kInBranch) in_branch.push_back(layer.name);
  }
  throw UserError(ExitCode::kModel,
                  "model '" + model_path + "': no layer gives a spatial activation [1, C, h, w]" +
                      (in_branch.empty() ? ""
                                         : " that can be cut: " + some_of(in_branch) +
                                               " lie inside a branch or loop of the scripted code; "
                                               "export by torch.jit.trace"));
}

std::string automatic_layer(const Model& model, const ModelDescription& description) {
  const MarkedGraph marked = mark_all(model);
  const auto layers = layers_of(model, marked, description);
  std::vector<Candidate> candidates;
  bool has_tokens = false;
  for (const Layer& layer : layers) {
    const bool turned = has_tokens_first(layer, description);
    const bool fits = layer.tokens || turned || shows_picture(layer, description);
    if (!fits || !layer.obstacle.empty()) continue;
    candidates.push_back({&layer});
    candidates.back().is_turned = turned;
    has_tokens = has_tokens || layer.tokens || turned;
  }
  if (!has_tokens) return automatic_layer(layers, description, model.path());
  std::map<std::string, Candidate*> by_name;
  for (Candidate& candidate : candidates) by_name[candidate.layer->name] = &candidate;
  const Ends ends(*marked.graph());
  for (const Mark& mark : marked.marks()) {
    const auto candidate = by_name.find(mark.layer);
    if (candidate == by_name.end()) continue;
    const auto behind = ends.behind(mark.node);
    candidate->second->is_passage = !behind.comes_from_picture;
    candidate->second->is_attended = behind.attends;
  }
  const auto last = std::find_if(candidates.rbegin(), candidates.rend(), [](const Candidate& each) {
    return each.is_passage && each.is_attended;
  });
  if (last != candidates.rend() && last->is_turned) {
    throw UserError(ExitCode::kModel,
                    "model '" + model.path() + "': layer " + last->layer->name +
                        " gives tokens as [T, 1, C], where a TorchScript file cannot be cut: give "
                        "the network as an ONNX file, or say another --layer");
  }
  std::erase_if(candidates, [](const Candidate& each) { return each.is_turned; });
  look_for_places(model, description, candidates);
  const Layer* const chosen = choose(candidates);
  return chosen != nullptr ? chosen->name : automatic_layer(layers, description, model.path());
}

}  // namespace gradcam
