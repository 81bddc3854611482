#include "config/suggest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/text.h"

namespace gradcam {
namespace {

/// How far a name is: the way it is alike, then the distance within that way.
using Rank = std::pair<int, std::size_t>;

constexpr std::size_t kShortestStem = 3;

/// Optimal string alignment: letters added, left out, replaced, or two neighbours swapped.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

/// Empty when the names have nothing in common.
std::optional<Rank> rank_of(const std::string& asked, const std::string& name) {
  if (name == asked) return Rank{0, 0};
  const std::size_t at = name.find(asked);
  if (at == 0) return Rank{1, name.size()};
  if (at != std::string::npos && asked.size() > 1) return Rank{2, name.size()};
  const std::size_t allowed = std::max<std::size_t>(1, asked.size() / 3);
  const std::size_t longer = std::max(asked.size(), name.size());
  const std::size_t shorter = std::min(asked.size(), name.size());
  if (longer - shorter <= allowed) {
    const std::size_t distance = edits(asked, name);
    if (distance <= allowed && distance < longer) return Rank{3, distance};
  }
  if (name.size() >= kShortestStem && asked.rfind(name, 0) == 0) {
    return Rank{4, asked.size() - name.size()};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> near_names(const std::string& wanted, const std::vector<std::string>& have,
                                    std::size_t most) {
  const std::string asked = lower_case(wanted);
  if (asked.empty()) return {};
  std::vector<std::pair<Rank, const std::string*>> ranked;
  for (const std::string& name : have) {
    if (const auto rank = rank_of(asked, lower_case(name))) ranked.emplace_back(*rank, &name);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [rank, name] : ranked) {
    if (names.size() < most) names.push_back(*name);
  }
  return names;
}

std::string did_you_mean(const std::string& wanted, const std::vector<std::string>& have,
                         const std::string& prefix) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (const std::string& name : near_names(wanted, have, kMost)) {
    text += text.empty() ? "; did you mean '" : " or '";
    text += prefix + name;
    text += "'";
  }
  return text.empty() ? text : text + "?";
}

}  // namespace gradcam
