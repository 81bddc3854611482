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
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include "config/text.h"
#include "stages/explain/engines/probe.h"
#include "stages/explain/model/plain_runs.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/model/torch_reason.h"
#include "stages/frame/stopped.h"

namespace gradcam {
namespace {

using Outcome = EngineTrial::Outcome;

constexpr double kLead = 0.02;    ///< in probability: closer classes may change places
constexpr double kClearly = 1.5;  ///< times as long: a few turns are enough to tell
/// Runs until an engine is what it stays: LibTorch compiles anew in the second and third one, a
/// CUDA graph is recorded in the fifth.
constexpr int kWarmUp = 3;
constexpr int kSlowWarmUp = 6;
constexpr auto kMostTime = std::chrono::seconds(1);  ///< for turns, the fewest apart

/// How often two engines run in turn.
struct Turns {
  int fewest;
  int most;
};
constexpr Turns kLook = {2, 3};
constexpr Turns kMeasure = {3, 9};

/// What two engines took in turns A B A B, in milliseconds.
struct TurnTimes {
  std::vector<double> one{};
  std::vector<double> other{};

  std::pair<double, double> shortest() const {
    return {*std::min_element(one.begin(), one.end()),
            *std::min_element(other.begin(), other.end())};
  }
  std::pair<double, double> medians() const { return {median(one), median(other)}; }
  bool clear() const {
    const auto [a, b] = shortest();
    return a > kClearly * b || b > kClearly * a;
  }
};

/// Runs engines on one picture and measures them.
class Stopwatch {
 public:
  Stopwatch(at::Tensor pixels, int threads, const ChoiceRules& rules)
      : pixels_(std::move(pixels)),
        threads_(threads),
        warm_up_(rules.slow_at_first ? kSlowWarmUp : kWarmUp),
        stop_(rules.waiting.stop),
        now_(rules.now) {}

  /// Explains this number of what it makes of the picture.
  ProbeAnswer run(Engine& engine, const NumberChoice& choice) const {
    throw_if_stopped(stop_);
    // Setting it makes oneDNN forget what it has compiled.
    const int threads = engine.torch_threads(threads_);
    if (at::get_num_threads() != threads) at::set_num_threads(threads);
    return probe(engine, pixels_, choice);
  }
  ProbeAnswer run(Engine& engine, std::int64_t number) const {
    return run(engine, [&](const at::Tensor&) { return number; });
  }

  /// What it gives once it is warm, of this number.
  ProbeAnswer warm_up(Engine& engine, std::int64_t number) const {
    for (int i = 1; i < warm_up_; ++i) run(engine, number);
    return run(engine, number);
  }

  /// Other work on the machine meets both. Ends early where it is clear who takes longer.
  TurnTimes time_in_turn(Engine& one, Engine& other, std::int64_t number, Turns turns) const {
    TurnTimes times;
    const auto begin = now_();
    for (int i = 0; i < turns.most; ++i) {
      if (i >= turns.fewest && (times.clear() || now_() - begin > kMostTime)) break;
      times.one.push_back(milliseconds(one, number));
      times.other.push_back(milliseconds(other, number));
    }
    return times;
  }

 private:
  double milliseconds(Engine& engine, std::int64_t number) const {
    // The map is read, because a GPU works on after the call that asked it to.
    return milliseconds_of([&] { to_map(run(engine, number).map); }, now_);
  }

  const at::Tensor pixels_;
  const int threads_;
  const int warm_up_;
  const std::stop_token stop_;
  const Now now_;
};

/// The best so far meets each candidate, so that no more than two are held at once.
class Contest {
 public:
  Contest(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
          const ChoiceRules& rules, int threads)
      : candidates_(candidates), rules_(rules), stopwatch_(pixels, threads, rules) {
    for (const auto& candidate : candidates) trials_.push_back({.name = candidate.name});
    const PlainRuns plain;
    best_.engine = candidates[0].make(Proof::kNeeded);
    reference_ = stopwatch_.run(*best_.engine, rules.explained);
    gives_classes_ = best_.engine->output_shape().size() == 1;
    trials_[0].agreement = 1;
  }

  ChosenEngine measured() {
    for (std::size_t i = candidates_.size(); i-- > 1;) {
      if (!candidates_[i].last_resort) meet(i);
    }
    for (std::size_t i = candidates_.size(); best_.place == 0 && i-- > 1;) {
      if (candidates_[i].last_resort) meet(i);
    }
    // Other work may have met the two of a pair at unlike times, and the next pair at none.
    for (std::size_t i = candidates_.size(); i-- > 0;) {
      if (trials_[i].outcome == Outcome::kSlower && trials_[i].ms < best_.ms) meet(i);
    }
    trials_[best_.place].ms = best_.ms;
    return finish();
  }

  ChosenEngine untimed() {
    for (std::size_t i = candidates_.size(); i-- > 1;) {
      if (candidates_[i].last_resort) continue;
      Contender rival{.place = i};
      const bool agrees = stands(
          [&] {
            rival.engine = candidates_[i].make(Proof::kNeeded);
            warm_up(rival);
          },
          i);
      if (!agrees) continue;
      best_ = std::move(rival);
      break;
    }
    return finish();
  }

 private:
  struct Contender {
    std::unique_ptr<Engine> engine{};
    std::size_t place = 0;  ///< among the candidates
    double ms = 0;          ///< of one explained picture
    bool warm = false;
  };

  void meet(std::size_t i) {
    Contender rival{.place = i};
    if (!stands([&] { look_at(rival); }, i)) return;
    const bool look_tells = !rules_.slow_at_first;
    if (look_tells && rival.ms > kClearly * best_.ms) return lose(rival);
    if (!stands([&] { warm_up(rival); }, i)) return;
    const bool wins_clearly = look_tells && best_.ms > kClearly * rival.ms;
    // Only the reference is still as it was made.
    if (!best_.warm && !wins_clearly && !stands([&] { warm_up(best_); }, best_.place)) {
      best_ = std::move(rival);
      return;
    }
    if (!stands([&] { take_turns(rival); }, i)) return;
    if (rival.ms < best_.ms) std::swap(rival, best_);
    lose(rival);
  }

  /// Runs it as it is before LibTorch has optimised it.
  void look_at(Contender& rival) {
    const PlainRuns plain;
    rival.engine = candidates_[rival.place].make(Proof::kNeeded);
    require_agreement(stopwatch_.run(*rival.engine, reference_.number), trials_[rival.place]);
    std::tie(best_.ms, rival.ms) =
        stopwatch_.time_in_turn(*best_.engine, *rival.engine, reference_.number, kLook).shortest();
  }

  /// Brings it into the form that will serve, which must agree.
  void warm_up(Contender& contender) {
    require_agreement(stopwatch_.warm_up(*contender.engine, reference_.number),
                      trials_[contender.place]);
    contender.warm = true;
  }

  void take_turns(Contender& rival) {
    std::optional<PlainRuns> plain;  // else LibTorch would optimise the reference meanwhile
    if (!best_.warm) plain.emplace();
    std::tie(best_.ms, rival.ms) =
        stopwatch_.time_in_turn(*best_.engine, *rival.engine, reference_.number, kMeasure)
            .medians();
  }

  void lose(const Contender& contender) {
    trials_[contender.place].outcome = Outcome::kSlower;
    trials_[contender.place].ms = contender.ms;
  }

  /// Throws std::runtime_error that says how far it is off.
  void require_agreement(const ProbeAnswer& answer, EngineTrial& trial) const {
    trial.agreement = std::min(correlation(answer.scores, reference_.scores),
                               correlation(answer.map, reference_.map));
    double lead = 0;
    if (gives_classes_) {
      const at::Tensor odds = reference_.scores.softmax(0);
      lead = (odds[reference_.number] - odds[answer.scores.argmax()]).item<double>();
    }
    if (trial.agreement >= rules_.agreement && lead < kLead) return;
    char text[64];
    std::snprintf(text, sizeof text, "agreement %.4f%s", trial.agreement,
                  lead < kLead ? "" : ", another class");
    throw std::runtime_error(text);
  }

  /// False, and the candidate is out, if `work` throws.
  template <typename Work>
  bool stands(const Work& work, std::size_t place) {
    try {
      work();
      return true;
    } catch (const Stopped&) {
      throw;
    } catch (const std::exception& error) {
      trials_[place].outcome = Outcome::kOut;
      trials_[place].reason = torch_reason(error.what());
      return false;
    }
  }

  ChosenEngine finish() {
    trials_[best_.place].outcome = Outcome::kChosen;
    return {std::move(best_.engine), std::move(trials_)};
  }

  const std::vector<EngineCandidate>& candidates_;
  const ChoiceRules& rules_;
  const Stopwatch stopwatch_;
  std::vector<EngineTrial> trials_;
  Contender best_;
  ProbeAnswer reference_;
  bool gives_classes_ = false;
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
        return candidate.make(Proof::kGiven);
      } catch (const std::exception&) {
        return nullptr;  // the choice is made anew, and says what is wrong
      }
    }
  }
  return nullptr;
}

void tell_of_choice(const std::vector<EngineCandidate>& candidates, const ChoiceRules& rules) {
  if (!rules.waiting.tell) return;
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const EngineCandidate& candidate : candidates) names.push_back(candidate.name);
  rules.waiting.tell("choosing how to run " + rules.network + " on this machine: " + listed(names));
}

}  // namespace

ChosenEngine choose_engine(const std::vector<EngineCandidate>& candidates, const at::Tensor& pixels,
                           const ChoiceRules& rules, const ChoiceMemory& memory) {
  const bool no_choice = candidates.size() == 1;
  std::vector<EngineTrial> known = memory.read();
  if (auto engine = remembered(candidates, known)) {
    if (no_choice) return {std::move(engine), {}};
    return {std::move(engine), std::move(known), memory.path()};
  }
  throw_if_stopped(rules.waiting.stop);
  if (no_choice) {
    ChosenEngine only{candidates[0].make(Proof::kNeeded), {}};
    memory.write({{.name = candidates[0].name, .agreement = 1, .outcome = Outcome::kChosen}});
    return only;
  }
  if (rules.choosing == Choosing::kUntimed) {
    return Contest(candidates, pixels, rules, at::get_num_threads()).untimed();
  }
  tell_of_choice(candidates, rules);
  ChosenEngine chosen;
  with_threads(rules.threads,
               [&] { chosen = Contest(candidates, pixels, rules, rules.threads).measured(); });
  memory.write(chosen.trials);
  return chosen;
}

}  // namespace gradcam
