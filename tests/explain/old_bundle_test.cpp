#include <gtest/gtest.h>
#include <torch/headeronly/version.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "stages/explain/engines/processor.h"
#include "stages/explain/load.h"
#include "stages/explain/load_explainer.h"
#include "tests/explain/import/openvino_models.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

/// Bundles are no longer made, but are read: this is how they were made.
namespace gradcam {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSize = 12;

/// A classifier whose layers are conv and late, cut at conv.
class OldBundle : public testing::Test {
 protected:
  OldBundle() {
    write_features("features.xml", 0.3F);
    const torch::jit::Module fc = tiny::linear(tiny::seeded({3, 4}, 3), tiny::seeded({3}, 4));
    const torch::jit::Module late = tiny::seeded_conv(4, 4, 5);
    const std::string behind =
        "torch.mean(torch.relu(self.late.forward(torch.relu(h))), [2, 3]))\n";
    tiny::network({{"late", late}, {"fc", fc}},
                  "  h = torch.clone(x)\n  return self.fc.forward(" + behind)
        .save(path("head.pt"));
    tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)}, {"late", late}, {"fc", fc}},
                  "  h = self.conv.forward(x)\n  return self.fc.forward(" + behind)
        .save(path("model.pt"));
    const auto torch =
        std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + ".0";
    description_ = {{"input_size", {kSize, kSize}},
                    {"layer", "conv"},
                    {"stamp", {{"bundle", 3}, {"torch", torch}, {"layer", "conv"}}}};
    for (const char* name : {"features.xml", "features.bin", "head.pt", "model.pt"}) stamp(name);
    write_description();
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// In front of the cut: a convolution with weights that spread as seeded_conv()'s do.
  void write_features(const std::string& name, float spread) const {
    const auto model = model_of({1, 3, kSize, kSize}, [&](const Port& x) {
      const Port conv = add<op::Convolution>(x, numbers({4, 3, 3, 3}, 1, spread), ov::Strides{1, 1},
                                             ov::CoordinateDiff{1, 1}, ov::CoordinateDiff{1, 1},
                                             ov::Strides{1, 1});
      return conv + numbers({1, 4, 1, 1}, 2, 0.1F);
    });
    ov::save_model(model, path(name), /*compress_to_fp16=*/false);
  }

  void stamp(const std::string& name) {
    std::ifstream in(path(name), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(in)),
                              std::istreambuf_iterator<char>());
    const auto* const bytes = reinterpret_cast<const Bytef*>(content.data());
    description_["stamp"]["files"][name] = {
        {"bytes", content.size()}, {"crc32", crc32(0, bytes, static_cast<uInt>(content.size()))}};
  }

  void write_description() const { std::ofstream(path("model.json")) << description_.dump(); }

  /// Other weights than those of the rest, so that it shows which were run.
  void add_int8(bool needs_vnni) {
    write_features("features_int8.xml", 0.2F);
    for (const char* name : {"features_int8.xml", "features_int8.bin"}) stamp(name);
    description_["stamp"]["int8"] = {{"needs_vnni", needs_vnni}, {"agrees", false}};
    write_description();
  }

  ExplainOptions options(EngineName engine, Precision precision = Precision::kFp32) const {
    ExplainOptions options;
    options.model = folder_.path().string();
    options.device = "cpu";
    options.engine = engine;
    options.precision = precision;
    options.threads = 1;
    return options;
  }

  static Explanation explained(const ExplainOptions& options) {
    return load_explainer(options)->explain(tiny::blob(kSize));
  }

  json description_;
  TempFolder folder_;
};

double largest_difference(const Explanation& found, const Explanation& expected) {
  EXPECT_EQ(found.top.size(), expected.top.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.top.size(); ++i) {
    EXPECT_EQ(found.top[i].index, expected.top[i].index);
    largest = std::max(largest, std::abs(double{found.top[i].score} - expected.top[i].score));
  }
  EXPECT_EQ(found.heat.values.size(), expected.heat.values.size());
  for (std::size_t i = 0; i < found.heat.values.size(); ++i) {
    largest = std::max(largest, std::abs(double{found.heat.values[i]} - expected.heat.values[i]));
  }
  return largest;
}

TEST_F(OldBundle, ExplainsAsTheWholeNetworkInItDoes) {
  const Explanation found = explained(options(EngineName::kOpenVino));
  EXPECT_EQ(found.engine, "openvino fp32");
  EXPECT_EQ(found.layers, std::vector<std::string>{"conv"});
  auto whole = options(EngineName::kTorchScript);
  whole.model = path("model.pt");
  EXPECT_LT(largest_difference(found, explained(whole)), 1e-4);
}

TEST_F(OldBundle, AnotherLayerRunsOnTheWholeNetwork) {
  auto late = options(EngineName::kOpenVino);
  late.layers = {"late"};
  EXPECT_EQ(explained(late).layers, std::vector<std::string>{"late"});
  fs::remove(path("model.pt"));
  EXPECT_USER_ERROR(load_explainer(late), ExitCode::kUsage, "layer conv");
}

TEST_F(OldBundle, WhereAPartIsDamagedTheWholeNetworkServes) {
  fs::resize_file(path("features.bin"), 100);
  const LoadedModel loaded = load_model(options(EngineName::kAuto));
  EXPECT_NE(loaded.note.find("features.bin is missing, cut short"), std::string::npos);
  EXPECT_NE(loaded.note.find("its model.pt is used instead"), std::string::npos) << loaded.note;
  EXPECT_USER_ERROR(load_model(options(EngineName::kAuto, Precision::kInt8)), ExitCode::kModel,
                    "features.bin");
  fs::remove(path("model.pt"));
  EXPECT_USER_ERROR(load_model(options(EngineName::kAuto)), ExitCode::kModel, "features.bin");
}

TEST_F(OldBundle, ItsInt8FormRunsWhereItIsAskedFor) {
  const auto int8 = options(EngineName::kAuto, Precision::kInt8);
  EXPECT_USER_ERROR(load_explainer(int8), ExitCode::kUsage, "there is no int8 form of it");
  add_int8(false);
  EXPECT_NE(load_model(int8).note.find("did not agree well"), std::string::npos);
  const Explanation found = explained(int8);
  EXPECT_EQ(found.engine, "openvino int8");
  EXPECT_GT(largest_difference(found, explained(options(EngineName::kOpenVino))), 1e-4);
}

TEST_F(OldBundle, Int8OfAProcessorWithVnniIsRefusedOnOneWithout) {
  add_int8(true);
  const auto int8 = options(EngineName::kAuto, Precision::kInt8);
  if (processor_has_vnni()) {
    EXPECT_EQ(explained(int8).engine, "openvino int8");
  } else {
    EXPECT_USER_ERROR(load_explainer(int8), ExitCode::kUsage, "its sums would overflow");
  }
}

}  // namespace
}  // namespace gradcam
