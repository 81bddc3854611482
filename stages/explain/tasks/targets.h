#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stages/explain/tasks/target_choice.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// A `--target` that is to be understood, and the network's classes. Valid as long as text and
/// labels.
struct TargetText {
  const std::string& text;
  const std::vector<std::string>& labels;
  int classes;  ///< 0 = not known
};

/// Throws UserError(kUsage) that says what is allowed in place of `text`.
[[noreturn]] void refuse_target(const std::string& text, const std::string& allowed);

std::optional<int> whole_number(const std::string& text);

/// `top:K`, K from 1 to `most` (0 = no limit); null: the text is no `top:`. Throws as
/// refuse_target().
std::optional<TargetChoice> parse_top(const std::string& text, int most);

/// A class index or a label, case does not matter unless labels differ by it alone. `index:N` and
/// `label:TEXT` say which of the two is meant: a number that is the label of another class is
/// refused. Of several classes with one label the first is taken: see doubt_of().
/// `words`: what else is allowed, for messages. Throws as refuse_target().
TargetChoice parse_class(const TargetText& target, const std::string& words);

/// Which of several classes with the label `text` parse_class() takes, and how to ask for the
/// others. Empty where nothing is in doubt.
std::string doubt_of(const std::string& text, const std::vector<std::string>& labels);

/// `top:K` or what parse_class() takes: what most tasks take.
TargetChoice parse_class_target(const TargetText& target);

/// The class of `explained`, whatever its score.
TargetChoice same_class(const TargetChoice& asked, const ClassScore& explained);

}  // namespace gradcam
