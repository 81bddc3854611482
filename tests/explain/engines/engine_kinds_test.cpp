#include "stages/explain/engines/engine_kinds.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "stages/explain/engines/make_engine.h"
#include "stages/explain/engines/probe.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSize = 12;

/// A TorchScript file on the CPU, which is no bundle.
class EngineKinds : public testing::Test {
 protected:
  EngineKinds() {
    description_.input_height = kSize;
    description_.input_width = kSize;
    options_.threads = 1;
  }

  EngineRequest request() const {
    return {network_, layers_, description_, options_, probe_pixels(kSize, kSize)};
  }
  ChosenEngine make() const { return make_engine(network_, layers_, description_, options_); }
  const EngineKind& openvino() const { return engine_kinds()[1]; }

  Network network_{Model(
      tiny::saved(
          tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                         {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                        "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n"),
          "engine_kinds"),
      c10::Device("cpu"))};
  std::vector<std::string> layers_{"conv"};
  ModelDescription description_;
  ExplainOptions options_;
};

TEST_F(EngineKinds, CandidatesAreNamedByEngineAndAFormatThatItOffers) {
  for (const EngineKind& kind : engine_kinds()) {
    if (!kind.obstacle(network_, layers_).empty()) continue;
    const auto candidates = kind.candidates(request());
    EXPECT_FALSE(candidates.empty()) << name_of(kind.name);
    for (const EngineCandidate& candidate : candidates) {
      EXPECT_TRUE(std::ranges::any_of(kind.formats, [&](Precision format) {
        const std::string name =
            std::string(name_of(kind.name)) + " " + std::string(name_of(format));
        return (candidate.name + " ").starts_with(name + " ");
      })) << candidate.name;
      EXPECT_EQ(candidate.make(Proof::kNeeded)->name(), candidate.name);
    }
  }
}

TEST_F(EngineKinds, EveryFormatIsOfferedBySomeEngine) {
  for (const PrecisionEntry& precision : kPrecisionTable) {
    if (precision.value == Precision::kAuto) continue;
    EXPECT_TRUE(std::ranges::any_of(engine_kinds(), [&](const EngineKind& kind) {
      return std::ranges::find(kind.formats, precision.value) != kind.formats.end();
    })) << precision.name;
  }
}

TEST_F(EngineKinds, AutoStandsForAllEnginesAndForAllFormatsButInt8) {
  EXPECT_TRUE(request().allows(EngineName::kOpenVino));
  EXPECT_TRUE(request().allows(Precision::kFp16));
  EXPECT_FALSE(request().allows(Precision::kInt8));
  options_.precision = Precision::kInt8;
  options_.engine = EngineName::kTorchScript;
  EXPECT_FALSE(request().allows(EngineName::kOpenVino));
  EXPECT_FALSE(request().allows(Precision::kFp16));
  EXPECT_TRUE(request().allows(Precision::kInt8));
}

TEST_F(EngineKinds, OpenVinoRunsAFileAsItIs) {
  if (openvino().version().empty()) GTEST_SKIP() << "built without OpenVINO";
  const at::Tensor pixels = probe_pixels(kSize, kSize);
  const auto answer_of = [&](EngineName name) {
    options_.engine = name;
    options_.precision = Precision::kFp32;
    const ChosenEngine chosen = make();
    EXPECT_TRUE(chosen.engine->name().starts_with(name_of(name))) << chosen.engine->name();
    return probe(*chosen.engine, pixels);
  };
  const ProbeAnswer torchscript = answer_of(EngineName::kTorchScript);
  const ProbeAnswer openvino = answer_of(EngineName::kOpenVino);
  EXPECT_LT((openvino.scores - torchscript.scores).abs().max().item<float>(), 1e-4);
  EXPECT_LT((openvino.map - torchscript.map).abs().max().item<float>(), 1e-4);
}

TEST_F(EngineKinds, SeveralLayersRunInOpenVinoUnlessTheMethodNeedsTheirTails) {
  if (openvino().version().empty()) GTEST_SKIP() << "built without OpenVINO";
  layers_ = {"conv", "conv"};
  options_.engine = EngineName::kOpenVino;
  options_.precision = Precision::kFp32;
  EXPECT_EQ(make().engine->name(), "openvino fp32");
  options_.method = "ablationcam";
  EXPECT_USER_ERROR(make(), ExitCode::kModel, "method ablationcam at several layers");
}

TEST_F(EngineKinds, AnEngineThatCannotRunTheNetworkSaysWhy) {
  options_.engine = EngineName::kOpenVino;
  Bundle bundle;  // without a model.pt for other layers
  bundle.layer = "stem";
  network_ = Network(bundle, c10::Device("cpu"));
  EXPECT_USER_ERROR(make(), ExitCode::kUsage,
                    "--engine openvino: " + openvino().obstacle(network_, layers_));
}

TEST_F(EngineKinds, AChoiceIsRememberedAsLongAsTheOutputIsTheSame) {
  if (openvino().version().empty()) GTEST_SKIP() << "built without OpenVINO";
  const TempFolder folder;
  network_ = Network(network_.model(), StartMemory(folder.path().string(), "net"));
  EXPECT_EQ(make().remembered_in, "");
  const ChosenEngine again = make();
  EXPECT_NE(again.remembered_in, "");
  EXPECT_EQ(again.engine->run(probe_pixels(kSize, kSize)).output.sizes().vec(),
            (std::vector<std::int64_t>{1, 2}));
  description_.output.index = 0;
  EXPECT_EQ(make().remembered_in, "");
}

TEST_F(EngineKinds, AFormatThatIsNotToBeHadSaysWhy) {
  options_.precision = Precision::kFp16;
  EXPECT_USER_ERROR(make(), ExitCode::kUsage,
                    "--precision fp16: needs a CUDA device; give auto or fp32");
  options_.precision = Precision::kInt8;
  EXPECT_USER_ERROR(make(), ExitCode::kUsage,
                    "--precision int8: " + openvino().format_obstacle(request()));
}

}  // namespace
}  // namespace gradcam
