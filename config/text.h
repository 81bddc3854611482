#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Small things that are done with texts everywhere. Standard library only.
namespace gradcam {

/// "a, b, c" in words of a sentence: `last` stands before the last one (" or ").
inline std::string listed(const std::vector<std::string>& words, std::string_view last = ", ") {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 < words.size() ? ", " : last;
    text += words[i];
  }
  return text;
}

/// "a, b, c and 4 more": at most three of them.
inline std::string some_of(std::vector<std::string> words) {
  constexpr std::size_t kMost = 3;
  if (words.size() <= kMost) return listed(words);
  const std::size_t more = words.size() - kMost;
  words.resize(kMost);
  return listed(words) + " and " + std::to_string(more) + " more";
}

/// ASCII letters become small ones.
inline std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace gradcam
