#include "stages/explain/found_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/explain/load_explainer.h"
#include "stages/explain/tasks/task.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

constexpr int kSide = 64;  // 84 cells: 8x8, 4x4, 2x2

/// A convolution to `channels`, averaged over the cells of three grids: `y` [1, channels, 84]; then
/// `rest`.
torch::jit::Module detector(int channels, const std::string& rest) {
  return tiny::network({{"conv", tiny::seeded_conv(3, channels, 1)}},
                       "  x = self.conv.forward(x)\n"
                       "  y = torch.cat([torch.flatten(torch.avg_pool2d(x, [8, 8]), 2),\n"
                       "                 torch.flatten(torch.avg_pool2d(x, [16, 16]), 2),\n"
                       "                 torch.flatten(torch.avg_pool2d(x, [32, 32]), 2)], 2)\n"
                       "  y = torch.sigmoid(y)\n" +
                           rest);
}

/// Boxes 20 to 84 pixels wide around places all over the picture, and scores.
constexpr const char* kYolov8 =
    "  return torch.cat([y[:, 0:2] * 64, y[:, 2:4] * 64 + 20, y[:, 4:]], 1)\n";

Model saved(const torch::jit::Module& module, const std::string& name) {
  return {tiny::saved(module, name), c10::kCPU};
}

ModelDescription undescribed(int side = kSide) {
  ModelDescription description = tiny::input_of(side, side);
  description.assumed = true;
  return description;
}

TEST(FindFormat, TellsBoxesByARunOfTheNetwork) {
  const Model model = saved(detector(7, kYolov8), "boxes");
  ModelDescription description = undescribed();
  const std::string note = find_format(model, {}, description);
  EXPECT_EQ(
      note.rfind("nothing describes it: output 0 (1x7x84) is taken for boxes of format yolov8", 0),
      0U)
      << note;
  EXPECT_EQ(task_of(description).name, "detection");
  EXPECT_EQ(description.boxes.classes, 3);
  EXPECT_FALSE(description.assumed);
}

TEST(FindFormat, ChoosesAmongTheKeysOfADict) {
  const Model model = saved(detector(9,
                                     "  y = torch.transpose(y, 1, 2)\n"
                                     "  return {'logits': y[:, :, 4:] * 9 - 8, 'mask': x,\n"
                                     "          'pred_boxes': y[:, :, 0:4]}\n"),
                            "dict");
  ModelDescription description = undescribed();
  EXPECT_NE(find_format(model, {}, description), "");
  EXPECT_EQ(description.boxes.format, BoxFormat::kDetr);
  ASSERT_EQ(description.output.parts.size(), 2U);
  EXPECT_EQ(description.output.parts[0].name, "pred_boxes");
  EXPECT_EQ(description.output.parts[1].name, "logits");
}

TEST(FindFormat, OutputsOfATupleHaveTheNamesOfTheFile) {
  const Model model = saved(detector(9,
                                     "  y = torch.transpose(y, 1, 2)\n"
                                     "  return y[:, :, 4:] * 9 - 8, x, y[:, :, 0:4]\n"),
                            "tuple");
  ModelDescription description = undescribed();
  EXPECT_EQ(find_format(model, {}, description), "");
  ASSERT_EQ(description.outputs.size(), 3U);
  EXPECT_EQ(description.outputs[0], "output 0 (1x84x5)");
  EXPECT_EQ(description.outputs[1], "output 1 (1x9x64x64)");
  EXPECT_NE(find_format(model, {"logits", "mask", "pred_boxes"}, description), "");
  ASSERT_EQ(description.output.parts.size(), 2U);
  EXPECT_EQ(description.output.parts[0].index, 2);
  EXPECT_EQ(description.output.parts[1].index, 0);
}

TEST(FindFormat, LeavesWhatIsDescribedAndWhatCannotRun) {
  const Model model = saved(detector(7, kYolov8), "left");
  ModelDescription described = undescribed();
  described.assumed = false;
  EXPECT_EQ(find_format(model, {}, described), "");
  EXPECT_EQ(described.task, nullptr);
  ModelDescription small = undescribed(16);  // too small for the coarsest grid
  EXPECT_EQ(find_format(model, {}, small), "");
  EXPECT_EQ(small.task, nullptr);
}

ExplainOptions options_of(const torch::jit::Module& module, const std::string& name,
                          const torch::jit::ExtraFilesMap& extra = {}) {
  ExplainOptions options = tiny::options();
  options.model = tiny::saved(module, name, extra);
  options.device = "cpu";
  options.threads = 1;
  options.layers = {"conv"};
  options.confidence = 0.05;
  return options;
}

TEST(LoadExplainer, TakesAFileOfUltralyticsAsItIs) {
  const auto explainer = load_explainer(options_of(
      detector(7, kYolov8), "yolo",
      {{"config.txt", R"({"task":"detect","imgsz":[64,64],"names":{"0":"a","1":"b","2":"c"}})"}}));
  const ModelDescription& description = explainer->description();
  EXPECT_EQ(task_of(description).name, "detection");
  EXPECT_EQ(description.resize, ResizeMode::kLetterbox);
  EXPECT_EQ(explainer->classes(), 3);
  const Explanation explanation = explainer->explain(tiny::blob(kSide));
  ASSERT_FALSE(explanation.objects.empty());
  EXPECT_FALSE(explanation.objects[0].label.empty());
  EXPECT_EQ(explanation.targets.size(), 1U);
}

TEST(LoadExplainer, ExplainsTheScoresOfABoxThatIsApart) {
  // Boxes in 0..1 and logits, as of a DETR that nothing describes.
  ExplainOptions options = options_of(detector(9,
                                               "  y = torch.transpose(y, 1, 2)\n"
                                               "  return y[:, :, 4:] * 4 - 3, y[:, :, 0:4]\n"),
                                      "detr");
  options.input_size = {kSide, kSide};
  const auto explainer = load_explainer(options);
  EXPECT_EQ(explainer->description().boxes.format, BoxFormat::kDetr);
  EXPECT_EQ(explainer->classes(), 5);
  const Explanation explanation = explainer->explain(tiny::blob(kSide));
  ASSERT_FALSE(explanation.objects.empty());
  const Box& box = explanation.objects[0].box;
  EXPECT_GT(box.area(), 1);  // pixels, no shares
  EXPECT_LE(box.x2, 1.5 * kSide);
}

TEST(LoadExplainer, RefusalsOfUnknownOutputsListThem) {
  ExplainOptions options = options_of(detector(6, "  return x, y[:, 0:3]\n"), "unknown");
  options.confidence = 0;
  EXPECT_USER_ERROR(load_explainer(options), ExitCode::kModel,
                    "its outputs are output 0 (1x6x224x224), output 1 (1x3x1029)");
}

TEST(LoadExplainer, ClassScoresAreNotReadAsCorners) {
  // Of a DETR the logits alone, which a description calls raw-heads.
  const auto wrong =
      options_of(detector(9,
                          "  y = torch.cat([y[:, 0:2], y[:, 2:4] - 2, y[:, 4:] * 20 - 10], 1)\n"
                          "  return torch.transpose(y, 1, 2)\n"),
                 "corners", {{"gradcam.json", R"({"input_size":[64,64],"task":"detection",
                            "output":{"format":"raw-heads","activation":"sigmoid"}})"}});
  EXPECT_USER_ERROR(load_explainer(wrong), ExitCode::kModel, "have x2 < x1 or y2 < y1");
}

}  // namespace
}  // namespace gradcam
