#include "stages/explain/engines/engine_choice.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "stages/explain/engines/timing.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kLead = 0.02;  ///< in probability: closer classes may change places
/// Runs until an engine is what it stays: LibTorch compiles anew in the second and third one, a
/// CUDA graph is recorded in the fifth.
constexpr int kWarmUp = 5;
constexpr int kFewestWarmUp = 3;
constexpr int kTurns = 9;
constexpr int kFewestTurns = 3;
constexpr auto kMostTime = std::chrono::seconds(3);  ///< for warming up or the turns of a candidate

struct Answer {
  at::Tensor scores;  ///< all numbers of the output
  at::Tensor map;     ///< [h, w] of the number asked for
};

/// One explained picture, as the explainer does it.
Answer explain(Engine& engine, const at::Tensor& pixels, std::optional<std::int64_t> target) {
  const CutResult result = engine.run(pixels);
  const at::Tensor scores = result.output.detach()[0].flatten();
  const auto best = target.value_or(scores.argmax().item<std::int64_t>());
  const auto gradients = engine.gradients(result, {Seed{{best, 1}}}, false);
  const at::NoGradGuard no_grad;
  const auto as_places = [](const at::Tensor& tensor) {  // of tokens, one row of places
    return tensor.dim() == 2 ? tensor.t().unsqueeze(2) : tensor;
  };
  MethodInput input;
  input.activation = as_places(result.activations[0].detach()[0]);
  input.gradient = as_places(gradients[0][0]);
  return {scores, map_of(find_method("gradcam"), input)};
}

double milliseconds(Engine& engine, const at::Tensor& pixels, int threads) {
  at::set_num_threads(engine.torch_threads(threads));
  // The map is read, because a GPU works on after the call that asked it to.
  return milliseconds_of([&] { to_map(explain(engine, pixels, std::nullopt).map); });
}

void warm_up(Engine& engine, const at::Tensor& pixels, int threads) {
  const auto begin = Clock::now();
  for (int i = 0; i < kWarmUp; ++i) {
    if (i >= kFewestWarmUp && Clock::now() - begin > kMostTime) return;
    milliseconds(engine, pixels, threads);
  }
}

/// Medians of turns A B A B: other work on the machine then meets both.
std::pair<double, double> time_in_turn(Engine& one, Engine& other, const at::Tensor& pixels,
                                       int threads) {
  std::vector<double> ones;
  std::vector<double> others;
  const auto begin = Clock::now();
  for (int i = 0; i < kTurns; ++i) {
    if (i >= kFewestTurns && Clock::now() - begin > kMostTime) break;
    ones.push_back(milliseconds(one, pixels, threads));
    others.push_back(milliseconds(other, pixels, threads));
  }
  return {median(ones), median(others)};
}

/// The best so far meets each candidate in turn, so that no more than two are held at once.
class Contest {
 public:
  Contest(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels, int threads,
          double agreement)
      : candidates_(candidates), pixels_(pixels), threads_(threads), agreement_(agreement) {
    for (const auto& candidate : candidates) trials_.push_back({candidate.name, 0, 0, "not tried"});
    best_ = candidates[0].make();
    warm_up(*best_, pixels_, threads_);
    reference_ = explain(*best_, pixels_, std::nullopt);
    class_ = reference_.scores.argmax().item<std::int64_t>();
    trials_[0].agreement = 1;
  }

  ChosenEngine measured() {
    for (std::size_t i = 1; i < candidates_.size(); ++i) {
      auto rival = accepted(i);
      if (!rival) continue;
      const auto times = timed(i, *rival);
      if (!times) continue;
      const auto [best_ms, rival_ms] = *times;
      if (trials_[leader_].ms == 0) trials_[leader_].ms = best_ms;
      trials_[i].ms = rival_ms;
      trials_[rival_ms < best_ms ? leader_ : i].verdict = "slower";
      if (rival_ms < best_ms) {
        leader_ = i;
        best_ = std::move(rival);
      }
    }
    return finish();
  }

  ChosenEngine untimed() {
    for (std::size_t i = candidates_.size(); i-- > 1;) {
      if (candidates_[i].only_measured) continue;
      auto rival = accepted(i);
      if (!rival) continue;
      leader_ = i;
      best_ = std::move(rival);
      break;
    }
    return finish();
  }

 private:
  /// Of the best so far and the rival; none if it fails.
  std::optional<std::pair<double, double>> timed(std::size_t i, Engine& rival) {
    try {
      return time_in_turn(*best_, rival, pixels_, threads_);
    } catch (const std::exception& error) {  // the best has run before
      trials_[i].verdict = "out: " + torch_reason(error.what());
      return std::nullopt;
    }
  }

  /// The engine, if it can be made, runs and agrees.
  std::unique_ptr<Engine> accepted(std::size_t i) {
    EngineTrial& trial = trials_[i];
    try {
      auto engine = candidates_[i].make();
      warm_up(*engine, pixels_, threads_);
      const Answer answer = explain(*engine, pixels_, class_);
      trial.agreement = std::min(correlation(answer.scores, reference_.scores),
                                 correlation(answer.map, reference_.map));
      double lead = 0;
      if (best_->output_shape().size() == 1) {  // of classes
        const at::Tensor odds = reference_.scores.softmax(0);
        lead = (odds[class_] - odds[answer.scores.argmax()]).item<double>();
      }
      if (trial.agreement >= agreement_ && lead < kLead) return engine;
      char text[64];
      std::snprintf(text, sizeof text, "out: agreement %.4f%s", trial.agreement,
                    lead < kLead ? "" : ", another class");
      trial.verdict = text;
    } catch (const std::exception& error) {
      trial.verdict = "out: " + torch_reason(error.what());
    }
    return nullptr;
  }

  ChosenEngine finish() {
    trials_[leader_].verdict = "chosen";
    return {std::move(best_), std::move(trials_)};
  }

  const std::vector<EngineCandidate>& candidates_;
  const at::Tensor pixels_;
  const int threads_;
  const double agreement_;  ///< the least
  std::vector<EngineTrial> trials_;
  std::unique_ptr<Engine> best_;
  std::size_t leader_ = 0;
  Answer reference_;
  std::int64_t class_ = 0;
};

/// On a thread of its own, whose OpenMP team ends with it.
template <typename Work>
void with_threads(int threads, const Work& work) {
  std::exception_ptr error;
  std::thread([&] {
    try {
      at::set_num_threads(threads);
      work();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

/// The engine that was chosen before; null if it is not to be had any more.
std::unique_ptr<Engine> remembered(const std::vector<EngineCandidate>& candidates,
                                   const std::vector<EngineTrial>& trials) {
  for (const EngineTrial& trial : trials) {
    if (trial.verdict != "chosen") continue;
    for (const EngineCandidate& candidate : candidates) {
      if (candidate.name != trial.name) continue;
      try {
        return candidate.make();
      } catch (const std::exception&) {
        return nullptr;  // the choice is made anew, and says what is wrong
      }
    }
  }
  return nullptr;
}

/// FNV-1a.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211U;
  return hash;
}

}  // namespace

ChoiceMemory::ChoiceMemory(const std::string& folder, const std::string& key) {
  if (folder.empty()) return;
  char name[32];
  std::snprintf(name, sizeof name, "choice-%016llx", static_cast<unsigned long long>(hash_of(key)));
  path_ = (fs::path(folder) / name).string();
}

std::vector<EngineTrial> ChoiceMemory::read() const {
  std::vector<EngineTrial> trials;
  std::ifstream in(path_);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    EngineTrial trial;
    std::string numbers;
    if (!std::getline(fields, trial.name, '\t') || !std::getline(fields, numbers, '\t') ||
        std::sscanf(numbers.c_str(), "%lf %lf", &trial.ms, &trial.agreement) != 2 ||
        !std::getline(fields, trial.verdict)) {
      return {};
    }
    trials.push_back(trial);
  }
  return trials;
}

void ChoiceMemory::write(const std::vector<EngineTrial>& trials) const {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::create_directories(fs::path(path_).parent_path(), ignored);
  const std::string beside = path_ + ".part";
  {
    std::ofstream out(beside);
    for (const EngineTrial& trial : trials) {
      out << trial.name << '\t' << trial.ms << ' ' << trial.agreement << '\t' << trial.verdict
          << '\n';
    }
  }
  fs::rename(beside, path_, ignored);
}

ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           int threads, double agreement, Choosing choosing,
                           const ChoiceMemory& memory) {
  if (candidates.size() == 1) return {candidates[0].make(), {}};
  std::vector<EngineTrial> known = memory.read();
  if (auto engine = remembered(candidates, known)) {
    return {std::move(engine), std::move(known), memory.path()};
  }
  ChosenEngine chosen;
  if (choosing == Choosing::kUntimed) {
    return Contest(candidates, pixels, at::get_num_threads(), agreement).untimed();
  }
  with_threads(threads,
               [&] { chosen = Contest(candidates, pixels, threads, agreement).measured(); });
  memory.write(chosen.trials);
  return chosen;
}

bool takes_batches(Engine& engine, const at::Tensor& pixels, int count) {
  constexpr double kSame = 0.999;  // formats below fp32 may round differently
  try {
    std::vector<at::Tensor> pictures;
    pictures.reserve(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
      pictures.push_back(pixels.roll(11 * n, 2).flip(n % 2 + 1));
    }
    const at::Tensor together = at::cat(pictures).contiguous();
    const CutResult result = engine.run(together);
    const std::vector<Seed> seeds(static_cast<std::size_t>(count), Seed{SeedTerm{}});
    const auto gradients = engine.gradients(result, seeds, false);
    for (int n = 0; n < count; ++n) {
      const CutResult alone = engine.run(pictures[static_cast<std::size_t>(n)].contiguous());
      const auto gradient = engine.gradients(alone, {Seed{SeedTerm{}}}, false);
      if (correlation(result.output.detach()[n], alone.output.detach()[0]) < kSame ||
          correlation(gradients[0][n], gradient[0][0]) < kSame) {
        return false;
      }
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

at::Tensor probe_pixels(int height, int width) {
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor coarse = at::rand({1, 3, 7, 7}, seeded, at::TensorOptions()) * 255;
  const at::Tensor smooth =
      at::upsample_bicubic2d(coarse, {height, width}, /*align_corners=*/false).clamp(0, 255);
  return smooth.permute({0, 2, 3, 1}).to(at::kByte).contiguous();
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  std::string found;
  for (std::string line; std::getline(in, line) && !line.empty();) {
    if (line.rfind("model name", 0) == 0 || line.rfind("flags", 0) == 0) found += line;
  }
  return found;
}

}  // namespace gradcam
