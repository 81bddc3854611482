#include "stages/explain/engines/make_engine.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "config/user_error.h"
#include "stages/explain/engines/engine_kinds.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/model/start_memory.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/explain/tasks/decode_boxes.h"
#include "stages/explain/tasks/task.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

[[noreturn]] void refuse(const std::string& option, std::string_view value,
                         const std::string& why) {
  throw UserError(ExitCode::kUsage, "--" + option + " " + std::string(value) + ": " + why);
}

/// `obstacles`: of all engines that the request allows, each of which has one.
[[noreturn]] void refuse_network(const EngineRequest& request,
                                 const std::vector<std::string>& obstacles) {
  const EngineName engine = request.options.engine;
  if (engine != EngineName::kAuto) refuse("engine", name_of(engine), obstacles.at(0));
  std::string all;
  for (const std::string& obstacle : obstacles) all += (all.empty() ? "" : ", and ") + obstacle;
  throw UserError(ExitCode::kModel, all);
}

[[noreturn]] void refuse_precision(const EngineRequest& request) {
  const Precision wanted = request.options.precision;
  for (const EngineKind& kind : engine_kinds()) {
    if (std::ranges::find(kind.formats, wanted) == kind.formats.end()) continue;
    refuse("precision", name_of(wanted), kind.format_obstacle(request));
  }
  throw std::logic_error("an engine that offers no candidate in fp32");
}

/// At least one, of all engines. Throws UserError that says why there is none.
std::vector<EngineCandidate> candidates_for(const EngineRequest& request) {
  std::vector<EngineCandidate> candidates;
  std::vector<std::string> obstacles;
  bool runs = false;
  for (const EngineKind& kind : engine_kinds()) {
    if (!request.allows(kind.name)) continue;
    if (std::string why = kind.obstacle(request.network, request.layers); !why.empty()) {
      obstacles.push_back(std::move(why));
      continue;
    }
    runs = true;
    std::ranges::move(kind.candidates(request), std::back_inserter(candidates));
  }
  if (!runs) refuse_network(request, obstacles);
  if (candidates.empty()) refuse_precision(request);
  return candidates;
}

/// All that the choice depends on.
std::string key_of(const EngineRequest& request, const std::vector<EngineCandidate>& candidates) {
  const ExplainOptions& options = request.options;
  std::string key = request.network.memory().key();
  const auto add = [&](std::string_view part) { key.append("|").append(part); };
  add(key_of(request.description));
  for (const EngineCandidate& candidate : candidates) add(candidate.name);
  for (const std::string& layer : request.layers) add(layer);
  add(name_of(options.engine));
  add(name_of(options.precision));
  add(std::to_string(engine_threads(options)));
  add(request.network.device().str());
  return key;
}

/// Of boxes the class score of the best: the largest number is a place, as a rule.
NumberChoice explained_by(const ModelDescription& description) {
  if (!task_of(description).boxes) return largest_number;
  return [description](const at::Tensor& output) {
    const at::Tensor floats = output.to(at::kCPU, at::kFloat).contiguous();
    const std::span values(floats.const_data_ptr<float>(),
                           static_cast<std::size_t>(floats.numel()));
    const std::span shape(floats.sizes().data(), floats.sizes().size());
    const auto boxes = decode(values, shape, description.boxes, description.input_height,
                              description.input_width, /*threshold=*/0);
    const auto best = std::ranges::max_element(boxes, {}, &Detection::score);
    return best == boxes.end() ? largest_number(output) : best->by_class.index;
  };
}

}  // namespace

int engine_threads(const ExplainOptions& options) {
  return options.threads > 0 ? options.threads
                             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

ChosenEngine make_engine(const Network& network, const std::vector<std::string>& layers,
                         const ModelDescription& description, const ExplainOptions& options,
                         Choosing choosing, const Waiting& waiting) {
  const EngineRequest request{network, layers, description, options, probe_pixels(description)};
  const auto candidates = candidates_for(request);
  const ChoiceRules rules{.threads = engine_threads(options),
                          .agreement = request.agreement(),
                          .choosing = choosing,
                          .slow_at_first = network.device().is_cuda(),
                          .network = description.name.empty() ? network.path() : description.name,
                          .explained = explained_by(description),
                          .waiting = waiting};
  try {
    return choose_engine(candidates, request.probe, rules,
                         ChoiceMemory(network.memory().folder(), key_of(request, candidates)));
  } catch (const UserError&) {
    throw;
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(ExitCode::kModel, "model '" + network.path() + "': cannot run as " +
                                          candidates[0].name + ": " + torch_reason(error.what()));
  }
}

}  // namespace gradcam
