#include "stages/explain/engines/engine_choice.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "stages/explain/engines/probe.h"
#include "stages/explain/model/tensors.h"
#include "stages/frame/stopped.h"
#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

/// Stands still but where a FakeEngine runs.
struct ManualClock {
  Clock::time_point now{};
};

/// Scores from the mean colour; a fake in time and accuracy, not in kind.
class FakeEngine : public Engine {
 public:
  FakeEngine(ManualClock& clock, std::string name, int ms, double error)
      : clock_(clock), name_(std::move(name)), ms_(ms), error_(error) {}

  Result run(const at::Tensor& pixels) override {
    clock_.now += std::chrono::milliseconds(ms_);
    const at::Tensor picture = pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255;
    at::Tensor activation = (picture + error_ * noise(picture)).detach().requires_grad_();
    const at::Tensor output = at::matmul(activation.pow(2).mean({2, 3}), weights_);
    return {output, {activation}, output};
  }
  at::Tensor forward_only(const at::Tensor& pixels) override { return run(pixels).output; }
  Tail tail(const Result&, std::size_t, std::int64_t) override { return {}; }
  std::vector<std::int64_t> output_shape() const override { return {4}; }
  std::string name() const override { return name_; }

 private:
  static at::Tensor noise(const at::Tensor& like) {
    return ((at::arange(like.numel()) * 7919 % 101).to(at::kFloat) / 50 - 1).view(like.sizes());
  }

  ManualClock& clock_;
  std::string name_;
  int ms_;
  double error_;
  at::Tensor weights_ =
      at::tensor({4.F, 1.F, 0.F, 2.F, 0.F, 5.F, 1.F, 3.F, 9.F, 1.F, 1.F, 1.F}).view({3, 4});
};

class Choice : public testing::Test {
 protected:
  EngineCandidate candidate(const std::string& name, int ms, double error = 0) {
    return {name, [this, name, ms, error](Proof proof) {
              made_ += name + (proof == Proof::kGiven ? " (proven) " : " ");
              return std::make_unique<FakeEngine>(clock_, name, ms, error);
            }};
  }
  ChosenEngine choose(const std::vector<EngineCandidate>& candidates,
                      Choosing choosing = Choosing::kMeasured, double agreement = kAgreesWithFp32) {
    made_.clear();
    const ChoiceRules rules{.threads = 1,
                            .agreement = agreement,
                            .choosing = choosing,
                            .slow_at_first = slow_at_first_,
                            .network = "net",
                            .waiting = waiting_,
                            .now = [this] { return clock_.now; }};
    return choose_engine(candidates, probe_pixels(12, 10), rules,
                         ChoiceMemory(folder_.path().string(), "key"));
  }

  void forget() const {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      std::filesystem::remove(file.path());
    }
  }

  ManualClock clock_;
  Waiting waiting_;
  bool slow_at_first_ = false;
  std::string made_;  ///< in order
  TempFolder folder_;
};

TEST(Correlation, OfOneValueTellsWhetherItIsTheSame) {
  const auto value = [](float of) { return at::full({1}, of); };
  EXPECT_EQ(correlation(value(0.3F), value(0.301F)), 1);
  EXPECT_EQ(correlation(value(0.3F), value(-0.3F)), 0);
  EXPECT_EQ(correlation(value(0), value(0)), 1);
  EXPECT_NEAR(correlation(at::tensor({1.F, 2.F}), at::tensor({5.F, 7.F})), 1, 1e-9);
}

TEST_F(Choice, TheFastestThatAgreesIsTaken) {
  const auto chosen = choose({candidate("slow", 12), candidate("fast", 2), candidate("mid", 6)});
  EXPECT_EQ(chosen.engine->name(), "fast");
  ASSERT_EQ(chosen.trials.size(), 3U);
  EXPECT_EQ(outcome_text(chosen.trials[0]), "slower");
  EXPECT_EQ(outcome_text(chosen.trials[1]), "chosen");
  EXPECT_EQ(outcome_text(chosen.trials[2]), "slower");
  EXPECT_EQ(chosen.trials[0].ms, 12);
  EXPECT_EQ(chosen.trials[1].ms, 2);
  EXPECT_GT(chosen.trials[1].agreement, 0.999);
}

TEST_F(Choice, WhoDisagreesIsOut) {
  const auto chosen = choose({candidate("reference", 8), candidate("wrong", 0, 2.0)});
  EXPECT_EQ(chosen.engine->name(), "reference");
  EXPECT_LT(chosen.trials[1].agreement, 0.5);
  EXPECT_EQ(outcome_text(chosen.trials[1]).rfind("out: agreement ", 0), 0U)
      << outcome_text(chosen.trials[1]);
}

TEST_F(Choice, WhoIsRoundedDisagreesWithFp32) {
  const auto chosen = choose({candidate("fp32", 8), candidate("rounded", 1, 0.1)});
  EXPECT_EQ(chosen.engine->name(), "fp32");
}

TEST_F(Choice, TwoThatAreRoundedNeedNotAgreeAsClosely) {
  const auto chosen = choose({candidate("one", 8), candidate("other", 1, 0.1)}, Choosing::kMeasured,
                             kAgreesWithRounded);
  EXPECT_EQ(chosen.engine->name(), "other") << outcome_text(chosen.trials[1]);
}

TEST_F(Choice, WhoCannotRunIsOutAndSaysWhy) {
  const EngineCandidate broken{
      "broken", [](Proof) -> std::unique_ptr<Engine> { throw std::runtime_error("no such unit"); }};
  const auto chosen = choose({candidate("reference", 1), broken});
  EXPECT_EQ(chosen.engine->name(), "reference");
  EXPECT_EQ(outcome_text(chosen.trials[1]), "out: no such unit");
}

/// The same answers as all for `runs` runs; then `change` makes of them what it likes.
class ChangingEngine : public FakeEngine {
 public:
  ChangingEngine(ManualClock& clock, int runs, std::function<void(at::Tensor&)> change)
      : FakeEngine(clock, "changing", 0, 0), runs_(runs), change_(std::move(change)) {}
  Result run(const at::Tensor& pixels) override {
    Result result = FakeEngine::run(pixels);
    if (--runs_ < 0) change_(result.output);
    return result;
  }

 private:
  int runs_;
  std::function<void(at::Tensor&)> change_;
};

EngineCandidate changing(ManualClock& clock, int runs,
                         const std::function<void(at::Tensor&)>& change) {
  return {"changing",
          [=, &clock](Proof) { return std::make_unique<ChangingEngine>(clock, runs, change); }};
}

TEST_F(Choice, WhoDisagreesOnceWarmIsOut) {
  const auto other = [](at::Tensor& output) { output = output.flip(1); };
  const auto chosen = choose({candidate("reference", 8), changing(clock_, 3, other)});
  EXPECT_EQ(chosen.engine->name(), "reference");
  EXPECT_EQ(outcome_text(chosen.trials[1]).rfind("out: agreement ", 0), 0U)
      << outcome_text(chosen.trials[1]);
}

TEST_F(Choice, WhoFailsLateIsOut) {
  const auto fail = [](at::Tensor&) { throw std::runtime_error("no memory left"); };
  for (const int runs : {1, 4, 7}) {  // when it is looked at, gets warm, is timed
    forget();
    const auto chosen = choose({candidate("reference", 8), changing(clock_, runs, fail)});
    EXPECT_EQ(chosen.engine->name(), "reference");
    EXPECT_EQ(outcome_text(chosen.trials[1]), "out: no memory left");
  }
}

/// Runs of an engine that takes `ms`, beside a reference that takes 100.
class RunsOf : public Choice {
 protected:
  int runs_of(int ms) {
    int runs = 0;
    choose({candidate("reference", 100), changing(clock_, 0, [&](at::Tensor&) {
              ++runs;
              clock_.now += std::chrono::milliseconds(ms);
            })});
    return runs;
  }
};

// Compared, looked at, warmed up, timed.
TEST_F(RunsOf, AClearWinnerTakesAFewTurns) { EXPECT_EQ(runs_of(20), 1 + 2 + 3 + 3); }
TEST_F(RunsOf, WhoIsAboutAsFastTakesMore) { EXPECT_EQ(runs_of(90), 1 + 3 + 3 + 6); }

TEST_F(RunsOf, WhoCannotWinIsLookedAtOnly) {
  for (const int ms : {151, 1600}) {
    forget();
    EXPECT_EQ(runs_of(ms), 1 + 2);
  }
  forget();
  const auto trials = choose({candidate("reference", 10), candidate("slow", 16)}).trials;
  EXPECT_EQ(outcome_text(trials[1]), "slower");
  EXPECT_EQ(trials[1].ms, 16);
}

TEST_F(Choice, AReferenceThatCannotWinIsNotOptimised) {
  int optimised = 0;
  const auto count = [&](at::Tensor&) {
    clock_.now += std::chrono::milliseconds(16);
    if (torch::jit::getGraphExecutorOptimize()) ++optimised;
  };
  EXPECT_EQ(choose({changing(clock_, 0, count), candidate("fast", 10)}).engine->name(), "fast");
  EXPECT_EQ(optimised, 0);
  forget();
  EXPECT_EQ(choose({changing(clock_, 0, count), candidate("near", 12)}).engine->name(), "near");
  EXPECT_GT(optimised, 0);
}

/// Slow for some runs, then fast, as what is recorded as a CUDA graph.
TEST_F(Choice, FirstRunsDoNotTellWhereEnginesAreSlowAtFirst) {
  const auto late = [this](at::Tensor&, int& runs) {
    clock_.now += std::chrono::milliseconds(++runs < 6 ? 30 : 2);
  };
  int runs = 0;
  const auto rival = changing(clock_, 0, [&](at::Tensor& output) { late(output, runs); });
  EXPECT_EQ(choose({candidate("reference", 10), rival}).engine->name(), "reference");
  forget();
  runs = 0;
  slow_at_first_ = true;
  EXPECT_EQ(choose({candidate("reference", 10), rival}).engine->name(), "changing");
}

/// A neighbour on the machine makes one run slow.
TEST_F(Choice, OneSlowLookDoesNotDecide) {
  int runs = 0;
  const auto disturbed = [&](at::Tensor&) {
    clock_.now += std::chrono::milliseconds(++runs == 2 ? 90 : 5);
  };
  EXPECT_EQ(choose({candidate("reference", 10), changing(clock_, 0, disturbed)}).engine->name(),
            "changing");
}

TEST_F(Choice, AReferenceThatFailsOnceWarmLosesToWhoAgreed) {
  const auto fail = [](at::Tensor&) { throw std::runtime_error("no memory left"); };
  const auto chosen = choose({changing(clock_, 1 + 3, fail), candidate("other", 0)});
  EXPECT_EQ(chosen.engine->name(), "other");
  EXPECT_EQ(outcome_text(chosen.trials[0]), "out: no memory left");
}

TEST_F(Choice, IsToldBeforeItIsMadeAndOnlyThen) {
  std::vector<std::string> lines;
  waiting_.tell = [&](const std::string& line) { lines.push_back(line + "; made: " + made_); };
  for (int start = 0; start < 2; ++start) choose({candidate("one", 2), candidate("two", 1)});
  EXPECT_EQ(lines,
            std::vector<std::string>{"choosing how to run net on this machine: one, two; made: "});
}

TEST_F(Choice, AStopEndsItAtTheNextRun) {
  std::stop_source stop;
  waiting_.stop = stop.get_token();
  int runs = 0;
  const auto rival = changing(clock_, 0, [&](at::Tensor&) {
    if (++runs == 3) stop.request_stop();
  });
  EXPECT_THROW(choose({candidate("reference", 8), rival}), Stopped);
  EXPECT_EQ(runs, 3);
  EXPECT_THROW(choose({candidate("reference", 8), rival}, Choosing::kUntimed), Stopped);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Choice, ALastResortIsTriedWhereNothingElseIsFaster) {
  EngineCandidate resort = candidate("resort", 1);
  resort.last_resort = true;
  const ChosenEngine chosen = choose({candidate("reference", 8), resort, candidate("faster", 4)});
  EXPECT_EQ(chosen.engine->name(), "faster");
  EXPECT_EQ(chosen.trials.at(1).outcome, EngineTrial::Outcome::kNotTried);
  EXPECT_EQ(choose({candidate("base", 8), resort, candidate("slower", 9)}).engine->name(),
            "resort");
}

/// While it met the reference nothing else ran; later something did, and the reference is slower.
TEST_F(Choice, WhoLostWithABetterFigureThanTheWinnersMeetsItAgain) {
  int runs = 0;
  const auto slower_and_slower = [&](at::Tensor&) {
    clock_.now += std::chrono::milliseconds(++runs <= 16 ? 4 : 10);
  };
  EngineCandidate resort = candidate("resort", 8);
  resort.last_resort = true;
  const auto chosen =
      choose({changing(clock_, 0, slower_and_slower), resort, candidate("good", 5)});
  EXPECT_EQ(chosen.engine->name(), "good");
  EXPECT_EQ(outcome_text(chosen.trials[1]), "slower");
  EXPECT_EQ(outcome_text(chosen.trials[2]), "chosen");
}

TEST_F(Choice, UntimedLeavesOutWhatIsGoodOnlyWhenMeasured) {
  EngineCandidate doubtful = candidate("doubtful", 1);
  doubtful.last_resort = true;
  EXPECT_EQ(choose({candidate("reference", 1), candidate("good", 1), doubtful}, Choosing::kUntimed)
                .engine->name(),
            "good");
  EXPECT_EQ(choose({candidate("reference", 8), doubtful}).engine->name(), "doubtful");
  EXPECT_EQ(choose({candidate("reference", 8), doubtful}, Choosing::kUntimed).engine->name(),
            "doubtful");  // as measured before
}

TEST_F(Choice, TheReferenceMustRun) {
  const EngineCandidate broken{
      "broken", [](Proof) -> std::unique_ptr<Engine> { throw std::runtime_error("no such unit"); }};
  EXPECT_THROW(choose({broken, candidate("other", 1)}), std::runtime_error);
}

TEST_F(Choice, OneCandidateIsTakenUnmeasured) {
  for (const std::string made : {"only ", "only (proven) "}) {
    const auto chosen = choose({candidate("only", 1)});
    EXPECT_EQ(chosen.engine->name(), "only");
    EXPECT_TRUE(chosen.trials.empty());
    EXPECT_EQ(made_, made);
    EXPECT_EQ(clock_.now, Clock::time_point());
  }
}

TEST_F(Choice, IsRememberedWithItsFigures) {
  const auto first = choose({candidate("slow", 8), candidate("fast", 1)});
  const auto again = choose({candidate("slow", 8), candidate("fast", 1)});
  EXPECT_EQ(made_, "fast (proven) ");
  ASSERT_EQ(again.trials.size(), 2U);
  EXPECT_EQ(outcome_text(again.trials[1]), "chosen");
  EXPECT_NEAR(again.trials[0].ms, first.trials[0].ms, 0.01);
  EXPECT_EQ(first.remembered_in, "");
  EXPECT_TRUE(std::filesystem::exists(again.remembered_in));
}

TEST_F(Choice, IsMadeAnewWhenTheChosenIsGoneOrTheFileIsDamaged) {
  choose({candidate("slow", 8), candidate("fast", 1)});
  EXPECT_EQ(choose({candidate("slow", 8), candidate("other", 1)}).engine->name(), "other");
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    std::ofstream(file.path()) << "half a li";
  }
  EXPECT_EQ(choose({candidate("slow", 8), candidate("fast", 1)}).engine->name(), "fast");
}

TEST_F(Choice, UntimedTakesTheLastThatAgrees) {
  const auto chosen = choose({candidate("reference", 1), candidate("good", 1),
                              candidate("better", 9), candidate("wrong", 0, 2.0)},
                             Choosing::kUntimed);
  EXPECT_EQ(chosen.engine->name(), "better");
  EXPECT_EQ(made_, "reference wrong better ");
}

TEST(Probe, ExplainsTheNumberThatIsChosen) {
  ManualClock clock;
  FakeEngine engine(clock, "engine", 0, 0);
  const at::Tensor pixels = probe_pixels(12, 10);
  const ProbeAnswer best = probe(engine, pixels);
  EXPECT_EQ(best.number, best.scores.argmax().item<std::int64_t>());
  const std::int64_t other = (best.number + 1) % 4;
  const ProbeAnswer chosen = probe(engine, pixels, [&](const at::Tensor& output) {
    EXPECT_TRUE(output.equal(best.scores));
    return other;
  });
  EXPECT_EQ(chosen.number, other);
  EXPECT_LT(correlation(chosen.map, best.map), 0.99);
}

TEST(ProbePixels, AreSmoothAndUseTheRange) {
  const at::Tensor pixels = probe_pixels(40, 60);
  EXPECT_TRUE(pixels.equal(probe_pixels(40, 60)));
  EXPECT_EQ(pixels.sizes(), (std::vector<std::int64_t>{1, 40, 60, 3}));
  const at::Tensor plain = pixels.to(at::kFloat);
  const at::Tensor steps = (plain.slice(2, 1) - plain.slice(2, 0, -1)).abs();
  EXPECT_LT(steps.mean().item<float>(), 15);
  EXPECT_GT(plain.max().item<float>() - plain.min().item<float>(), 150);
}

}  // namespace
}  // namespace gradcam
