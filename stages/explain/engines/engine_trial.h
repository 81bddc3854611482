#pragma once

#include <functional>
#include <stop_token>
#include <string>

namespace gradcam {

/// What became of one way to run a network, when the engine was chosen (engine_choice.h).
struct EngineTrial {
  enum class Outcome {
    kNotTried,
    kChosen,
    kSlower,  ///< than the chosen one
    kOut,     ///< it cannot run the network, or does not agree with the reference: see `reason`
  };

  std::string name;      ///< as Engine::name()
  double ms = 0;         ///< of one explained picture, median; 0 = not timed
  double agreement = 0;  ///< smaller correlation with the reference, of scores and of map
  Outcome outcome = Outcome::kNotTried;
  std::string reason{};  ///< of kOut, one line
};

/// "chosen", "slower", "not tried", "out: agreement 0.9312". What set_outcome() takes back.
std::string outcome_text(const EngineTrial& trial);

/// Sets outcome and reason. False, and the trial unchanged, for a text of another form.
bool set_outcome(EngineTrial& trial, const std::string& text);

/// Whoever waits until a network can run.
struct Waiting {
  /// Takes one line that says what goes on, before anything that may take longer than a moment.
  std::function<void(const std::string&)> tell{};
  std::stop_token stop{};  ///< once it is requested, Stopped is thrown at the next step
};

/// How an engine is chosen among those that agree.
enum class Choosing {
  kMeasured,  ///< the fastest on this machine: those that may win run in turn
  kUntimed,   ///< the one that was measured in an earlier start, else the last candidate that
              ///< agrees: for a preparation beside running work, which measuring would disturb
};

}  // namespace gradcam
