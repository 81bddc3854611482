#include "stages/explain/engines/choice_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

using Outcome = EngineTrial::Outcome;

/// As earlier versions wrote it, too.
constexpr const char* kFile =
    "torchscript fp32\t31.2 1\tslower\n"
    "torchscript bf16\t0 0.9312\tout: agreement 0.9312, another class\n"
    "openvino fp32\t8.5 0.9999\tchosen\n"
    "openvino bf16\t0 0\tnot tried\n";

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(ChoiceMemory, ReadsEveryOutcomeAndWritesTheSameFile) {
  const TempFolder folder;
  const ChoiceMemory memory(folder.path().string(), "key");
  std::ofstream(memory.path()) << kFile;
  const auto trials = memory.read();
  ASSERT_EQ(trials.size(), 4U);
  EXPECT_EQ(trials[0].outcome, Outcome::kSlower);
  EXPECT_EQ(trials[0].ms, 31.2);
  EXPECT_EQ(trials[1].outcome, Outcome::kOut);
  EXPECT_EQ(trials[1].reason, "agreement 0.9312, another class");
  EXPECT_EQ(trials[1].agreement, 0.9312);
  EXPECT_EQ(trials[2].outcome, Outcome::kChosen);
  EXPECT_EQ(trials[3].outcome, Outcome::kNotTried);
  memory.write(trials);
  EXPECT_EQ(contents(memory.path()), kFile);
}

TEST(ChoiceMemory, AFileIsNamedByTheHashOfItsKey) {
  EXPECT_EQ(ChoiceMemory("/cache", "").path(), "/cache/choice-cbf29ce484222325");
  EXPECT_EQ(ChoiceMemory("/cache", "a").path(), "/cache/choice-af63dc4c8601ec8c");
}

TEST(ChoiceMemory, DamagedIsAsIfThereWereNone) {
  const TempFolder folder;
  const ChoiceMemory memory(folder.path().string(), "key");
  EXPECT_TRUE(memory.read().empty());
  for (const char* line :
       {"half a li", "a\tb c\tchosen", "a\t1 1\tbest", "a\t1 1\tout", "a\t1 1\tchosen: why"}) {
    std::ofstream(memory.path()) << "good\t1 1\tchosen\n" << line << '\n';
    EXPECT_TRUE(memory.read().empty()) << line;
  }
}

TEST(ChoiceMemory, WithoutAFolderKeepsNothing) {
  const ChoiceMemory memory("", "key");
  memory.write({EngineTrial{.name = "a"}});
  EXPECT_EQ(memory.path(), "");
  EXPECT_TRUE(memory.read().empty());
}

}  // namespace
}  // namespace gradcam
