#include "stages/explain/engines/engine_choice.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "stages/explain/engines/probe.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"

namespace gradcam {
namespace {

using Outcome = EngineTrial::Outcome;

constexpr double kLead = 0.02;  ///< in probability: closer classes may change places
/// Runs until an engine is what it stays: LibTorch compiles anew in the second and third one, a
/// CUDA graph is recorded in the fifth.
constexpr int kWarmUp = 5;
constexpr int kFewestWarmUp = 3;
constexpr int kTurns = 9;
constexpr int kFewestTurns = 3;
constexpr auto kMostTime = std::chrono::seconds(3);  ///< for warming up or the turns of a candidate

/// Runs engines on one picture and measures them.
class Stopwatch {
 public:
  Stopwatch(at::Tensor pixels, int threads, const Now& now)
      : pixels_(std::move(pixels)), threads_(threads), now_(now) {}

  void warm_up(Engine& engine) const {
    const auto begin = now_();
    for (int i = 0; i < kWarmUp; ++i) {
      if (i >= kFewestWarmUp && now_() - begin > kMostTime) return;
      milliseconds(engine);
    }
  }

  /// Medians of turns A B A B: other work on the machine then meets both.
  std::pair<double, double> time_in_turn(Engine& one, Engine& other) const {
    std::vector<double> ones;
    std::vector<double> others;
    const auto begin = now_();
    for (int i = 0; i < kTurns; ++i) {
      if (i >= kFewestTurns && now_() - begin > kMostTime) break;
      ones.push_back(milliseconds(one));
      others.push_back(milliseconds(other));
    }
    return {median(ones), median(others)};
  }

 private:
  /// Of one explained picture.
  double milliseconds(Engine& engine) const {
    at::set_num_threads(engine.torch_threads(threads_));
    // The map is read, because a GPU works on after the call that asked it to.
    return milliseconds_of([&] { to_map(probe(engine, pixels_).map); }, now_);
  }

  const at::Tensor pixels_;
  const int threads_;
  const Now now_;
};

/// The best so far meets each candidate in turn, so that no more than two are held at once.
class Contest {
 public:
  Contest(const std::vector<EngineCandidate>& candidates, at::Tensor pixels,
          const ChoiceRules& rules, int threads)
      : candidates_(candidates),
        pixels_(std::move(pixels)),
        least_agreement_(rules.agreement),
        stopwatch_(pixels_, threads, rules.now) {
    for (const auto& candidate : candidates) trials_.push_back({.name = candidate.name});
    best_ = candidates[0].make();
    stopwatch_.warm_up(*best_);
    reference_ = probe(*best_, pixels_);
    class_ = reference_.scores.argmax().item<std::int64_t>();
    trials_[0].agreement = 1;
  }

  ChosenEngine measured() {
    for (std::size_t i = 1; i < candidates_.size(); ++i) {
      if (!candidates_[i].last_resort) meet(i);
    }
    for (std::size_t i = 1; leader_ == 0 && i < candidates_.size(); ++i) {
      if (candidates_[i].last_resort) meet(i);
    }
    return finish();
  }

  ChosenEngine untimed() {
    for (std::size_t i = candidates_.size(); i-- > 1;) {
      if (candidates_[i].last_resort) continue;
      auto rival = accepted(i);
      if (!rival) continue;
      leader_ = i;
      best_ = std::move(rival);
      break;
    }
    return finish();
  }

 private:
  /// The best so far and the i-th candidate, in turn.
  void meet(std::size_t i) {
    auto rival = accepted(i);
    if (!rival) return;
    const auto times = timed(i, *rival);
    if (!times) return;
    const auto [best_ms, rival_ms] = *times;
    if (trials_[leader_].ms == 0) trials_[leader_].ms = best_ms;
    trials_[i].ms = rival_ms;
    trials_[rival_ms < best_ms ? leader_ : i].outcome = Outcome::kSlower;
    if (rival_ms < best_ms) {
      leader_ = i;
      best_ = std::move(rival);
    }
  }

  /// Of the best so far and the rival; none if it fails.
  std::optional<std::pair<double, double>> timed(std::size_t i, Engine& rival) {
    try {
      return stopwatch_.time_in_turn(*best_, rival);
    } catch (const std::exception& error) {  // the best has run before
      rule_out(trials_[i], torch_reason(error.what()));
      return std::nullopt;
    }
  }

  /// The engine, if it can be made, runs and agrees.
  std::unique_ptr<Engine> accepted(std::size_t i) {
    EngineTrial& trial = trials_[i];
    try {
      auto engine = candidates_[i].make();
      stopwatch_.warm_up(*engine);
      const ProbeAnswer answer = probe(*engine, pixels_, class_);
      trial.agreement = std::min(correlation(answer.scores, reference_.scores),
                                 correlation(answer.map, reference_.map));
      double lead = 0;
      if (best_->output_shape().size() == 1) {  // of classes
        const at::Tensor odds = reference_.scores.softmax(0);
        lead = (odds[class_] - odds[answer.scores.argmax()]).item<double>();
      }
      if (trial.agreement >= least_agreement_ && lead < kLead) return engine;
      char text[64];
      std::snprintf(text, sizeof text, "agreement %.4f%s", trial.agreement,
                    lead < kLead ? "" : ", another class");
      rule_out(trial, text);
    } catch (const std::exception& error) {
      rule_out(trial, torch_reason(error.what()));
    }
    return nullptr;
  }

  static void rule_out(EngineTrial& trial, std::string reason) {
    trial.outcome = Outcome::kOut;
    trial.reason = std::move(reason);
  }

  ChosenEngine finish() {
    trials_[leader_].outcome = Outcome::kChosen;
    return {std::move(best_), std::move(trials_)};
  }

  const std::vector<EngineCandidate>& candidates_;
  const at::Tensor pixels_;
  const double least_agreement_;
  const Stopwatch stopwatch_;
  std::vector<EngineTrial> trials_;
  std::unique_ptr<Engine> best_;
  std::size_t leader_ = 0;
  ProbeAnswer reference_;
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
    if (trial.outcome != Outcome::kChosen) continue;
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

}  // namespace

ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           const ChoiceRules& rules, const ChoiceMemory& memory) {
  if (candidates.size() == 1) return {candidates[0].make(), {}};
  std::vector<EngineTrial> known = memory.read();
  if (auto engine = remembered(candidates, known)) {
    return {std::move(engine), std::move(known), memory.path()};
  }
  if (rules.choosing == Choosing::kUntimed) {
    return Contest(candidates, pixels, rules, at::get_num_threads()).untimed();
  }
  ChosenEngine chosen;
  with_threads(rules.threads,
               [&] { chosen = Contest(candidates, pixels, rules, rules.threads).measured(); });
  memory.write(chosen.trials);
  return chosen;
}

}  // namespace gradcam
