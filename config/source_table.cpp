#include "config/source_table.h"

#include <algorithm>
#include <vector>

#include "config/text.h"

namespace gradcam {

const SourceEntry* find_source(std::string_view text) {
  const auto found = std::find_if(
      kSourceTable.begin(), kSourceTable.end(),
      [&](const SourceEntry& kind) { return kind.recognises != nullptr && kind.recognises(text); });
  return found == kSourceTable.end() ? nullptr : &*found;
}

std::string known_sources(bool with_remarks) {
  std::vector<std::string> phrases;
  for (const SourceEntry& kind : kSourceTable) {
    if (kind.phrase.empty()) continue;
    phrases.emplace_back(kind.phrase);
    if (with_remarks && !kind.remark.empty()) phrases.back() += " " + std::string(kind.remark);
  }
  return listed(phrases, ", or ");
}

std::string brief_sources(const std::string& camera) {
  std::vector<std::string> names = {camera};  // first: most begin with theirs
  for (const SourceEntry& kind : kSourceTable) {
    if (kind.value != SourceKind::kCamera) names.emplace_back(kind.name);
  }
  return "a " + listed(names, " or ");
}

}  // namespace gradcam
