#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "config/options.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {

using Words = std::vector<std::string>;

inline std::optional<Options> parse(const Words& arguments, const Environment& environment = {}) {
  std::vector<const char*> argv = {"gradcam-live"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data(), environment);
}

/// Parameters show in the names of ctest, which bears only plain letters.
inline std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

/// What is printed in place of a run.
inline std::string printed(const Words& arguments, const Environment& environment = {}) {
  testing::internal::CaptureStdout();
  std::optional<Options> options;
  std::string refusal;
  try {
    options = parse(arguments, environment);
  } catch (const UserError& error) {
    refusal = error.what();
  }
  std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(refusal, "");
  EXPECT_FALSE(options.has_value());
  return text;
}

/// An options file that lives as long as this.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            (plain(std::string(test->test_suite_name()) + "_" + test->name()) + ".yaml");
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Of an option: "max-dim" -> "GRADCAM_MAX_DIM".
inline std::string variable_of(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return "GRADCAM_" + name;
}

struct Refusal {
  Words arguments;
  Environment environment;
  Words parts;  ///< of the message
};

inline std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << plain(refusal.parts[0]);
}

inline void expect_refused(const Refusal& refusal) {
  for (const std::string& part : refusal.parts) {
    EXPECT_USER_ERROR(parse(refusal.arguments, refusal.environment), ExitCode::kUsage, part);
  }
}

}  // namespace gradcam
