#include "stages/explain/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "stages/explain/load_explainer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

using Folders = std::vector<fs::path>;

/// The value of a variable for as long as the object lives; nullptr = not set.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    const char* const before = std::getenv(name);
    if (before != nullptr) before_ = before;
    was_set_ = before != nullptr;
    set(value);
  }
  ~Variable() { set(was_set_ ? before_.c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) const {
    value != nullptr ? setenv(name_, value, 1) : unsetenv(name_);
  }
  const char* name_;
  std::string before_;
  bool was_set_ = false;
};

ExplainOptions tiny_classifier(const std::string& name, const std::string& description) {
  const auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                    "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n");
  ExplainOptions options;
  options.model = tiny::saved(net, name, {{"gradcam.json", description}});
  options.device = "cpu";
  options.threads = 1;
  return options;
}

TEST(ModelFolders, AreBesideTheProgramThenOfTheUserThenOfTheBuild) {
  const Variable data("XDG_DATA_HOME", "/data");
  const Variable home("HOME", "/home/a");
  const Folders folders = model_folders("/usr/bin/gradcam-live");
  ASSERT_EQ(folders.size(), 3U);
  EXPECT_EQ(folders[0].lexically_normal(), "/usr/share/gradcam-live/models");
  EXPECT_EQ(folders[1], "/data/gradcam-live/models");
  EXPECT_EQ(folders[2], GRADCAM_BUILD_MODELS);
}

TEST(ModelFolders, OfTheUserAreBelowTheHomeFolderUnlessSaid) {
  const Variable data("XDG_DATA_HOME", nullptr);
  {
    const Variable home("HOME", "/home/a");
    EXPECT_EQ(model_folders("/usr/bin/p")[1], "/home/a/.local/share/gradcam-live/models");
  }
  const Variable home("HOME", nullptr);
  EXPECT_EQ(model_folders("/usr/bin/p").size(), 2U);
}

TEST(DefaultModel, IsTheFirstThatExists) {
  const TempFolder folder;
  for (const char* name : {"empty", "second", "third"}) fs::create_directory(folder / name);
  for (const char* name : {"second", "third"}) {
    std::ofstream(folder / name / "efficientnet_lite0.pt") << "x";
  }
  fs::create_directory(folder / "second" / "efficientnet_lite0.bundle");  // of an earlier version
  const Folders folders = {folder / "missing", folder / "empty", folder / "second" / "." / "",
                           folder / "third"};
  EXPECT_EQ(default_model(folders), (folder / "second" / "efficientnet_lite0.pt").string());
}

TEST(DefaultModel, MissingEverywhereNamesTheSetUp) {
  const TempFolder folder;
  fs::create_directory(folder / "efficientnet_lite0.pt");  // no file
  EXPECT_USER_ERROR(default_model({folder.path(), folder / "missing"}), ExitCode::kModel,
                    "scripts/setup");
}

TEST(FindModel, TakesWhatIsAskedFor) { EXPECT_EQ(find_model("my.pt"), "my.pt"); }

TEST(FindModel, OfAFolderTakesTheNetworkInIt) {
  const TempFolder folder;
  const std::string path = folder.path().string();
  EXPECT_USER_ERROR(find_model(path), ExitCode::kModel, "a folder: give the network file in it");
  const std::string network = folder.file("net.onnx", "");
  EXPECT_EQ(find_model(path), network);
  folder.file("model.json", R"({"stamp": {}})");  // a bundle
  EXPECT_EQ(find_model(path), path);
}

TEST(LoadExplainer, RefusesAMissingModelByName) {
  ExplainOptions options;
  options.model = "/nowhere/net.pt";
  EXPECT_USER_ERROR(load_explainer(options), ExitCode::kModel, "'/nowhere/net.pt': no such file");
}

TEST(LoadExplainer, RefusesAModelBelowAFolderThatMayNotBeEntered) {
  const TempFolder folder;
  fs::create_symlink("loop", folder / "loop");  // for root too
  ExplainOptions options;
  options.model = (folder / "loop" / "net.pt").string();
  EXPECT_USER_ERROR(load_explainer(options), ExitCode::kModel, "loop/net.pt");
  EXPECT_USER_ERROR(require_model(options), ExitCode::kModel, "loop/net.pt");
}

TEST(FilesRead, AreModelDescriptionLabelsAndThoseOfABundle) {
  const TempFolder folder;
  ExplainOptions options;
  options.model = (folder / "net.pt").string();
  options.labels = "names.txt";
  EXPECT_EQ(files_read(options),
            (std::vector<fs::path>{folder / "net.pt", folder / "net.json", "names.txt"}));
  std::ofstream(folder / "features.xml") << "x";
  folder.file("model.json", R"({"stamp": {}})");
  options.model = folder.path().string();
  const auto files = files_read(options);
  EXPECT_EQ(std::count(files.begin(), files.end(), folder / "features.xml"), 1);
}

TEST(FilesRead, AreWeightsBesideTheFileToo) {
  const TempFolder folder;
  ExplainOptions options;
  const auto holds = [&](const std::string& network, const fs::path& weights) {
    options.model = network;
    const auto files = files_read(options);
    return std::ranges::find(files, weights) != files.end();
  };
  EXPECT_TRUE(holds(folder.file("net.xml", "<net/>"), folder / "net.bin"));
  // A graph with an initialiser whose external_data says {"location": "w.data"}.
  const std::string onnx("\x3a\x18\x2a\x16\x6a\x14\x0a\x08location\x12\x08w.data.1", 26);
  EXPECT_TRUE(holds(folder.file("net.onnx", onnx), folder / "w.data.1"));
}

TEST(LoadExplainer, RefusesABrokenDescriptionByKey) {
  EXPECT_USER_ERROR(load_explainer(tiny_classifier("broken", R"({"scale":-1})")), ExitCode::kModel,
                    "scale");
}

TEST(LoadExplainer, TakesNameAndLabelsFromTheDescription) {
  const auto explainer = load_explainer(tiny_classifier(
      "described", R"({"input_size":[12,10],"labels":["cat","dog"],"name":"Net"})"));
  EXPECT_EQ(explainer->description().name, "Net");
  EXPECT_EQ(explainer->description().labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(explainer->description().input_width, 10);
  EXPECT_EQ(explainer->layers(), std::vector<std::string>{"conv"});
  EXPECT_EQ(explainer->classes(), 2);
}

TEST(LoadExplainer, ALayerThatIsNamedTwiceIsOne) {
  ExplainOptions options = tiny_classifier("twice", R"({"input_size":[12,10]})");
  options.layers = {"conv", "conv"};
  EXPECT_EQ(load_explainer(options)->layers(), std::vector<std::string>{"conv"});
}

TEST(LoadExplainer, LabelsFileWinsAndTheFileNameIsTheNameUnlessSaid) {
  const TempFolder folder;
  std::ofstream(folder / "labels.txt") << "left\nright\n";
  ExplainOptions options =
      tiny_classifier("nameless", R"({"input_size":[12,10],"labels":["cat","dog"]})");
  options.labels = (folder / "labels.txt").string();
  options.target = "right";
  const auto explainer = load_explainer(options);
  EXPECT_EQ(explainer->description().labels, (std::vector<std::string>{"left", "right"}));
  EXPECT_EQ(explainer->description().name, "nameless");
  EXPECT_EQ(explainer->target().index, 1);
}

TEST(LoadExplainer, RefusesAMissingLabelsFileByName) {
  ExplainOptions options = tiny_classifier("unlabelled", R"({"input_size":[12,10]})");
  options.labels = "/nowhere/labels.txt";
  EXPECT_USER_ERROR(load_explainer(options), ExitCode::kUsage, "'/nowhere/labels.txt'");
}

}  // namespace
}  // namespace gradcam
