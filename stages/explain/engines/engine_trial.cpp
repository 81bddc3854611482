#include "stages/explain/engines/engine_trial.h"

#include <array>

#include "config/named.h"

namespace gradcam {
namespace {

using Outcome = EngineTrial::Outcome;

/// Written to files that later versions read.
constexpr std::array kOutcomes = {Named{"not tried", Outcome::kNotTried},
                                  Named{"chosen", Outcome::kChosen},
                                  Named{"slower", Outcome::kSlower}, Named{"out", Outcome::kOut}};
constexpr const char* kBeforeReason = ": ";

}  // namespace

std::string outcome_text(const EngineTrial& trial) {
  std::string text(row_of(kOutcomes, trial.outcome).name);
  if (trial.outcome == Outcome::kOut) text += kBeforeReason + trial.reason;
  return text;
}

bool set_outcome(EngineTrial& trial, const std::string& text) {
  EngineTrial read = trial;
  const std::size_t colon = text.find(kBeforeReason);
  const auto* const row = find_named(kOutcomes, text.substr(0, colon));
  if (row == nullptr) return false;
  read.outcome = row->value;
  read.reason = colon == std::string::npos ? "" : text.substr(colon + 2);
  if (outcome_text(read) != text)
    return false;  // a reason where there is none, or none where one is due
  trial = read;
  return true;
}

}  // namespace gradcam
