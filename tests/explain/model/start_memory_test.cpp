#include "stages/explain/model/start_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "stages/explain/tasks/task.h"
#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

class Remembered : public testing::Test {
 protected:
  StartMemory memory(const std::string& key) const { return {folder_.path() / "new", key}; }

  TempFolder folder_;
};

TEST_F(Remembered, AnAnswerIsThereInTheNextStart) {
  EXPECT_EQ(memory("net").recall("layers?"), std::nullopt);
  memory("net").remember("layers?", "one\ntwo\n");
  memory("net").remember("agrees?", "");
  EXPECT_EQ(memory("net").recall("layers?"), "one\ntwo\n");
  EXPECT_EQ(memory("net").recall("agrees?"), "");
  memory("net").remember("layers?", "three\n");
  EXPECT_EQ(memory("net").recall("layers?"), "three\n");
}

TEST_F(Remembered, AnotherNetworkOrQuestionHasNone) {
  memory("net").remember("layers?", "one");
  EXPECT_EQ(memory("other").recall("layers?"), std::nullopt);
  EXPECT_EQ(memory("net").recall("layers? of 32x32"), std::nullopt);
}

TEST_F(Remembered, ADamagedFileIsAsIfThereWereNone) {
  memory("net").remember("layers?", "one");
  for (const auto& file : std::filesystem::directory_iterator(folder_.path() / "new")) {
    std::ofstream(file.path()) << "half a li";
  }
  EXPECT_EQ(memory("net").recall("layers?"), std::nullopt);
}

TEST_F(Remembered, WithoutAFolderOrWhereNoneCanBeMadeNothingIs) {
  for (const StartMemory& none : {StartMemory(), StartMemory("/dev/null/cache", "net")}) {
    none.remember("layers?", "one");
    EXPECT_EQ(none.recall("layers?"), std::nullopt);
  }
}

TEST(KeyOfDescription, DiffersWhereTheNumbersOrTheirMeaningDo) {
  const std::string usual = key_of(ModelDescription());
  EXPECT_EQ(key_of(ModelDescription()), usual);
  const std::vector<std::function<void(ModelDescription&)>> changes = {
      [](ModelDescription& d) { d.input_width = 225; },
      [](ModelDescription& d) { d.color = ColorOrder::kGray; },
      [](ModelDescription& d) { d.mean[2] = 0; },
      [](ModelDescription& d) { d.scale = 1; },
      [](ModelDescription& d) { d.task = &find_task("detection"); },
      [](ModelDescription& d) { d.output.index = 0; },
      [](ModelDescription& d) { d.output.name = "logits"; },
      [](ModelDescription& d) {
        d.output.parts = {OutputChoice{1, ""}, OutputChoice{0, ""}};
      },
      [](ModelDescription& d) {
        d.output.parts = {OutputChoice{0, ""}, OutputChoice{1, ""}};
      },
      [](ModelDescription& d) { d.boxes.format = BoxFormat::kDetr; },
      [](ModelDescription& d) {
        d.tokens = TokenGrid{1, 7, 7};
      },
  };
  std::vector<std::string> keys{usual};
  for (const auto& change : changes) {
    ModelDescription description;
    change(description);
    keys.push_back(key_of(description));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
  }
}

}  // namespace
}  // namespace gradcam
