#include "pipeline/map_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gradcam {

MapPolicy::Decision MapPolicy::decide(std::uint64_t ticket, Pass pass) {
  if (each_frame_) return Decision::kExplain;
  return carries_newest_ ? decide_newest(ticket, pass) : decide_key(ticket, std::move(pass));
}

void MapPolicy::failed_before(std::uint64_t ticket, const std::string& error) {
  if (each_frame_ || carries_newest_) return;
  const std::lock_guard lock(mutex_);
  if (begin_key_frame(ticket)) newest_ = MapOutcome{ticket, nullptr, FrameStatus::kFailed, error};
}

MapPolicy::Decision MapPolicy::decide_newest(std::uint64_t ticket, const Pass& pass) {
  MapOutcome outcome;
  Decision decision = Decision::kCarry;
  {
    const std::lock_guard lock(mutex_);
    const bool own = !newest_ || every_ == 1;
    const bool due = ticket >= last_given_ + every_ || (newest_ && !newest_->explanation);
    if (own || (due && with_engine_ == 0)) {
      ++with_engine_;
      last_given_ = std::max(last_given_, ticket);
      decision = own ? Decision::kExplain : Decision::kCarryAndExplain;
    }
    if (own) return decision;
    outcome = *newest_;
  }
  pass(outcome);
  return decision;
}

MapPolicy::Decision MapPolicy::decide_key(std::uint64_t ticket, Pass pass) {
  MapOutcome outcome;
  {
    const std::lock_guard lock(mutex_);
    if (begin_key_frame(ticket)) return Decision::kExplain;
    if (!newest_) {
      waiting_[key_].push_back(std::move(pass));
      return Decision::kCarry;
    }
    outcome = *newest_;
  }
  pass(outcome);
  return Decision::kCarry;
}

/// The frames behind it, up to the next key frame, wait for its map.
bool MapPolicy::begin_key_frame(std::uint64_t ticket) {
  if (ticket < next_key_) return false;
  key_ = ticket;
  next_key_ = ticket + every_;
  newest_.reset();
  return true;
}

void MapPolicy::finished(const MapOutcome& outcome) {
  if (each_frame_) return;
  std::vector<Pass> passing;
  {
    const std::lock_guard lock(mutex_);
    if (outcome.explanation) adapt(outcome.explanation->explain_ms);
    if (carries_newest_) {
      --with_engine_;
      if (!newest_ || outcome.ticket > newest_->ticket) newest_ = outcome;
      return;
    }
    if (outcome.ticket == key_) newest_ = outcome;
    if (auto waiting = waiting_.extract(outcome.ticket)) passing = std::move(waiting.mapped());
  }
  for (const Pass& pass : passing) pass(outcome);
}

/// Up as soon as the mean asks for it, down only with some room, so that N does not flutter.
void MapPolicy::adapt(double explain_ms) {
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
