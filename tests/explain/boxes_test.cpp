#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "stages/explain/engines/engine_kinds.h"
#include "stages/explain/engines/torchscript_engine.h"
#include "stages/explain/explainer.h"
#include "stages/explain/maps/heat.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/network.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/tasks/task.h"
#include "tests/support/tiny_detector.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = tiny::kDetectorSize;
const std::vector<std::string> kLayers = {"fine", "coarse"};

Model model() { return {tiny::saved(tiny::detector(), "detector"), c10::Device("cpu")}; }

Explainer explainer(EngineName engine, const std::string& method = "auto") {
  ExplainOptions options;
  options.engine = engine;
  options.precision = Precision::kFp32;
  options.layers = kLayers;
  options.method = method;
  options.threads = 1;
  return {model(), tiny::detector_description(), options, Choosing::kUntimed};
}

void expect_near(const HeatMap& found, const HeatMap& expected, float tolerance = 1e-4F) {
  ASSERT_EQ(found.values.size(), expected.values.size());
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    ASSERT_NEAR(found.values[i], expected.values[i], tolerance) << i;
  }
}

TargetChoice box_in_place(int rank) { return {.rank = rank, .automatic = false}; }
const TargetChoice kAll{.automatic = false, .all = true};

TEST(Boxes, AreExplainedTogetherAsEachIsAlone) {
  Explainer one = explainer(EngineName::kTorchScript);
  const Blob blob = tiny::blob(kSize);
  const Explanation all = one.explain(blob, {kAll, ""});
  ASSERT_GE(all.targets.size(), 3U);
  std::vector<HeatMap> heats;
  for (int rank = 1; rank <= std::ssize(all.targets); ++rank) {
    heats.push_back(one.explain(blob, {box_in_place(rank), ""}).heat);
    EXPECT_GT(*std::ranges::max_element(heats.back().values), 0.5F) << rank;
  }
  expect_near(all.heat, merge_heats(std::move(heats)));
}

TEST(Boxes, OpenVinoGivesTheSame) {
  if (engine_kinds()[1].version().empty()) GTEST_SKIP() << "built without OpenVINO";
  Explainer torchscript = explainer(EngineName::kTorchScript);
  Explainer openvino = explainer(EngineName::kOpenVino);
  EXPECT_EQ(openvino.engine(), "openvino fp32");
  const Blob blob = tiny::blob(kSize);
  for (const TargetChoice& target : {kAll, box_in_place(2)}) {
    for (const char* method : {"", "gradcam", "odam", "eigengradcam"}) {
      SCOPED_TRACE(method);
      const Explanation expected = torchscript.explain(blob, {target, method});
      const Explanation found = openvino.explain(blob, {target, method});
      ASSERT_EQ(found.objects.size(), expected.objects.size());
      EXPECT_NEAR(found.objects[0].box.x2, expected.objects[0].box.x2, 1e-3);
      EXPECT_NEAR(found.strength, expected.strength, 1e-4F * expected.strength);
      expect_near(found.heat, expected.heat, 1e-3F);
    }
  }
}

/// Of the best box, by the engine and the method alone.
TEST(Boxes, OdamIsTheLargestOfFiveScaledMaps) {
  const ModelDescription description = tiny::detector_description();
  TorchScriptEngine engine(model(), kLayers, description);
  const Blob blob = tiny::blob(kSize);
  const CutResult result = engine.run(pixels_of({&blob}, description));
  const HeatMap output = to_map(result.output.detach().flatten(1));
  const auto shape = engine.output_shape();
  const auto reading = read_output({output.values, shape}, description, {});
  const ExplainedTarget& best = reading.targets.at(0);
  ASSERT_EQ(best.box_numbers.size(), 4U);
  EXPECT_NEAR(output.values[static_cast<std::size_t>(best.box_numbers[0])],
              (best.box->x1 + best.box->x2) / 2, 1e-3);
  std::vector<Seed> seeds{best.scalar.seed(output.values)};
  for (const std::int64_t number : best.box_numbers) seeds.push_back({{number, 1}});
  std::vector<HeatMap> heats;
  for (const Seed& seed : seeds) {
    const auto gradients = engine.gradients(result, {seed}, /*more=*/true);
    std::vector<HeatMap> maps;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      MethodInput input;
      input.activation = result.activations[i].detach()[0];
      input.gradient = gradients[i][0];
      maps.push_back(to_map(find_method("odam").map(input)));
    }
    heats.push_back(to_heat(maps, Style::kGradcam, kSize, kSize));
  }
  EXPECT_NE(heats[0].values, heats[1].values);
  Explainer odam = explainer(EngineName::kTorchScript, "odam");
  const Explanation found = odam.explain(blob);
  EXPECT_EQ(found.method, "odam");
  expect_near(found.heat, merge_heats(std::move(heats)));
}

}  // namespace
}  // namespace gradcam
