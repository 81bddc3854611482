#include "pipeline/carry.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gradcam {

CarryPolicy::Way CarryPolicy::decide(std::uint64_t ticket, Pass pass) {
  if (each_frame()) return Way::kOwn;
  return live_ ? decide_live(ticket, pass) : decide_film(ticket, std::move(pass));
}

CarryPolicy::Way CarryPolicy::decide_live(std::uint64_t ticket, const Pass& pass) {
  MapOutcome outcome;
  Way way = Way::kCarry;
  {
    const std::lock_guard lock(mutex_);
    const bool own = !newest_ || every_ == 1;
    const bool due = ticket >= last_given_ + every_ || (newest_ && !newest_->explanation);
    if (own || (due && with_engine_ == 0)) {
      ++with_engine_;
      last_given_ = std::max(last_given_, ticket);
      way = own ? Way::kOwn : Way::kCarryExplain;
    }
    if (own) return way;
    outcome = *newest_;
  }
  pass(outcome);
  return way;
}

CarryPolicy::Way CarryPolicy::decide_film(std::uint64_t ticket, Pass pass) {
  const std::uint64_t key = ticket - ticket % every_;
  if (ticket == key) return Way::kOwn;
  MapOutcome outcome;
  {
    const std::lock_guard lock(mutex_);
    const auto found = outcomes_.find(key);
    if (found == outcomes_.end()) {
      waiting_[key].push_back(std::move(pass));
      return Way::kCarry;
    }
    outcome = found->second;
  }
  pass(outcome);
  return Way::kCarry;
}

void CarryPolicy::finished(const MapOutcome& outcome) {
  if (each_frame()) return;
  std::vector<Pass> passing;
  {
    const std::lock_guard lock(mutex_);
    if (live_) {
      --with_engine_;
      if (outcome.explanation) adapt(outcome.explanation->explain_ms);
      if (!newest_ || outcome.ticket > newest_->ticket) newest_ = outcome;
      return;
    }
    if (outcome.ticket % every_ != 0) return;  // it would have carried a map
    outcomes_[outcome.ticket] = outcome;
    if (auto waiting = waiting_.extract(outcome.ticket)) passing = std::move(waiting.mapped());
    // Frames that are still under way can need no more explained ones than this.
    while (outcomes_.size() > static_cast<std::size_t>(in_flight_) + 1) {
      outcomes_.erase(outcomes_.begin());
    }
  }
  for (const Pass& pass : passing) pass(outcome);
}

/// Up as soon as the mean asks for it, down only with some room, so that N does not flutter.
void CarryPolicy::adapt(double explain_ms) {
  if (budget_ms_ <= 0) return;
  constexpr double kNew = 0.25;
  constexpr double kRoom = 0.9;
  cost_ms_ = cost_ms_ > 0 ? (1 - kNew) * cost_ms_ + kNew * explain_ms : explain_ms;
  const auto needed = [this](double share) {
    return static_cast<std::uint64_t>(std::max(1.0, std::ceil(cost_ms_ / (share * budget_ms_))));
  };
  every_ = std::max(needed(1), std::min(every_, needed(kRoom)));
}

}  // namespace gradcam
