#include "stages/explain/tasks/scalar.h"

#include <algorithm>
#include <cmath>

namespace gradcam {
namespace {

constexpr std::size_t kRivals = 3;
constexpr double kEps = 1e-9;  ///< as pytorch-grad-cam's FinerWeightedTarget

/// The three numbers that are nearest to number `index`, with their softmax over all.
struct Rivals {
  std::vector<std::int64_t> indices;
  std::vector<double> shares;
  double total = 0;  ///< of the shares
};

Rivals rivals_of(std::int64_t index, std::span<const float> output) {
  const auto own = static_cast<double>(output[static_cast<std::size_t>(index)]);
  std::vector<std::int64_t> others;
  others.reserve(output.size());
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (static_cast<std::int64_t>(i) != index) others.push_back(static_cast<std::int64_t>(i));
  }
  const auto distance = [&](std::int64_t i) {
    return std::abs(static_cast<double>(output[static_cast<std::size_t>(i)]) - own);
  };
  const auto count = std::min(kRivals, others.size());
  std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(count),
                    others.end(), [&](std::int64_t a, std::int64_t b) {
                      return distance(a) != distance(b) ? distance(a) < distance(b) : a < b;
                    });
  others.resize(count);
  const auto highest = static_cast<double>(*std::max_element(output.begin(), output.end()));
  double sum = 0;
  for (const float value : output) sum += std::exp(static_cast<double>(value) - highest);
  Rivals rivals{others, {}, 0};
  for (const std::int64_t i : others) {
    const auto value = static_cast<double>(output[static_cast<std::size_t>(i)]);
    rivals.shares.push_back(std::exp(value - highest) / sum);
    rivals.total += rivals.shares.back();
  }
  return rivals;
}

/// S = sum of p_k (s - s_k) / (sum of p_k + eps).
double lead_of(std::int64_t index, const Rivals& rivals, std::span<const float> output) {
  const auto own = static_cast<double>(output[static_cast<std::size_t>(index)]);
  double sum = 0;
  for (std::size_t k = 0; k < rivals.indices.size(); ++k) {
    const auto i = static_cast<std::size_t>(rivals.indices[k]);
    sum += rivals.shares[k] * (own - static_cast<double>(output[i]));
  }
  return sum / (rivals.total + kEps);
}

/// The shares p_k depend on the output too: dS/ds_k = p_k (s - s_k - 1 - S) / sum of p_k. What the
/// softmax gives all other numbers cancels out.
Seed seed_of_lead(std::int64_t index, std::span<const float> output) {
  const Rivals rivals = rivals_of(index, output);
  const double lead = lead_of(index, rivals, output);
  const auto own = static_cast<double>(output[static_cast<std::size_t>(index)]);
  const double total = rivals.total + kEps;
  Seed seed{{index, static_cast<float>(rivals.total / total)}};
  for (std::size_t k = 0; k < rivals.indices.size(); ++k) {
    const auto value = static_cast<double>(output[static_cast<std::size_t>(rivals.indices[k])]);
    seed.push_back({rivals.indices[k],
                    static_cast<float>(rivals.shares[k] * (own - value - 1 - lead) / total)});
  }
  return seed;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

/// 0 where either is all zeros.
double cosine_of(std::span<const float> output, std::span<const float> reference) {
  const double lengths = std::sqrt(dot(output, output) * dot(reference, reference));
  return lengths > 0 ? dot(output, reference) / lengths : 0;
}

/// (r / |r| - cos * e / |e|) / |e|.
Seed seed_of_cosine(std::span<const float> output, std::span<const float> reference) {
  const double own = std::sqrt(dot(output, output));
  const double other = std::sqrt(dot(reference, reference));
  const double cosine = cosine_of(output, reference);
  Seed seed;
  if (own == 0 || other == 0) return seed;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const double slope =
        (static_cast<double>(reference[i]) / other - cosine * static_cast<double>(output[i]) / own);
    seed.push_back({static_cast<std::int64_t>(i), static_cast<float>(slope / own)});
  }
  return seed;
}

}  // namespace

Scalar Scalar::cosine(std::shared_ptr<const std::vector<float>> reference) {
  Scalar scalar({}, Kind::kCosine);
  scalar.reference_ = std::move(reference);
  return scalar;
}

double Scalar::value(std::span<const float> output) const {
  const auto number = [&](const SeedTerm& term) {
    return static_cast<double>(output[static_cast<std::size_t>(term.index)]);
  };
  if (kind_ == Kind::kCosine) return cosine_of(output, *reference_);
  if (kind_ == Kind::kLead) {
    return lead_of(terms_[0].index, rivals_of(terms_[0].index, output), output);
  }
  double result = kind_ == Kind::kProduct ? 1 : 0;
  for (const SeedTerm& term : terms_) {
    if (kind_ == Kind::kProduct) {
      result *= number(term);
    } else {
      result += static_cast<double>(term.weight) * number(term);
    }
  }
  return result;
}

Seed Scalar::seed(std::span<const float> output) const {
  if (kind_ == Kind::kSum) return terms_;
  if (kind_ == Kind::kCosine) return seed_of_cosine(output, *reference_);
  if (kind_ == Kind::kLead) return seed_of_lead(terms_[0].index, output);
  Seed seed = terms_;
  for (std::size_t i = 0; i < seed.size(); ++i) {
    seed[i].weight = 1;
    for (std::size_t k = 0; k < seed.size(); ++k) {
      if (k != i) seed[i].weight *= output[static_cast<std::size_t>(terms_[k].index)];
    }
  }
  return seed;
}

}  // namespace gradcam
