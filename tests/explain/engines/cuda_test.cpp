// The network on a CUDA device against the same on the CPU. Skipped where there is none.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "config/method_table.h"
#include "stages/explain/engines/cuda_graph.h"
#include "stages/explain/explainer.h"
#include "stages/explain/methods/methods.h"
#include "stages/explain/model/device.h"
#include "stages/explain/model/network.h"
#include "stages/explain/model/normalisation.h"
#include "stages/explain/model/tensors.h"
#include "stages/explain/tasks/task.h"
#include "stages/explain/verify.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 32;
constexpr int kClasses = 7;
const c10::Device kCuda("cuda:0");

class Cuda : public testing::Test {
 protected:
  void SetUp() override {
    if (!parse_device("auto").is_cuda()) GTEST_SKIP() << "this machine has no CUDA device";
  }
};

ModelDescription described(const char* task = "classification") {
  ModelDescription description;
  description.input_height = kSize;
  description.input_width = kSize;
  description.task = &find_task(task);
  return description;
}

/// stem -> conv, bn, ReLU, + stem -> ReLU -> pooled linear.
std::string classifier() {
  const auto fc = tiny::leaf(
      "Linear",
      {{"weight", tiny::seeded({kClasses, 16}, 9)}, {"bias", tiny::seeded({kClasses}, 10)}},
      "return torch.linear(x, self.weight, self.bias)");
  return tiny::saved(
      tiny::network({{"stem", tiny::seeded_conv(3, 16, 1)},
                     {"conv", tiny::seeded_conv(16, 16, 3)},
                     {"bn", tiny::batch_norm(16, 5)},
                     {"relu", tiny::relu(true)},
                     {"fc", fc}},
                    "  h = self.stem.forward(x)\n"
                    "  y = self.relu.forward(self.bn.forward(self.conv.forward(h))) + h\n"
                    "  return self.fc.forward(torch.mean(self.relu.forward(y), [2, 3]))\n"),
      "classifier");
}

Blob blob(int seed) {
  Blob blob{kSize, kSize, {}};
  for (int i = 0; i < kSize * kSize * 3; ++i) {
    const double wave = std::sin(0.013 * seed * i) + std::cos(0.11 * (i % (3 * kSize)) + seed);
    blob.pixels.push_back(static_cast<std::uint8_t>(std::lround(127 + 60 * wave)));
  }
  return blob;
}

ExplainOptions options_of(const std::string& layer, Precision precision = Precision::kFp32) {
  ExplainOptions options;
  options.layers = {layer};
  options.precision = precision;
  options.threads = 1;
  return options;
}

Explainer explainer(const std::string& model, const char* device, const ExplainOptions& options,
                    const ModelDescription& description = described()) {
  return Explainer(Model(model, c10::Device(device)), description, options);
}

double largest_difference(const HeatMap& one, const HeatMap& other) {
  if (one.values.size() != other.values.size()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < one.values.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(one.values[i]) - other.values[i]));
  }
  return largest;
}

void expect_same(const Explanation& found, const Explanation& expected) {
  ASSERT_EQ(found.top.size(), expected.top.size());
  for (std::size_t i = 0; i < found.top.size(); ++i) {
    EXPECT_EQ(found.top[i].index, expected.top[i].index);
    EXPECT_NEAR(found.top[i].score, expected.top[i].score, 1e-4);
  }
  ASSERT_EQ(found.targets.size(), expected.targets.size());
  EXPECT_LT(largest_difference(found.heat, expected.heat), 2e-3);
}

TEST_F(Cuda, PixelsArriveAsTheyAreOnTheCpu) {
  const at::Tensor pixels =
      at::randint(256, {2, 5, 7, 3}, at::TensorOptions(at::kByte)).permute({0, 3, 1, 2});
  const at::Tensor there = upload(pixels, kCuda);
  EXPECT_TRUE(there.device().is_cuda());
  EXPECT_EQ(there.strides(), pixels.strides());
  EXPECT_TRUE(there.cpu().equal(pixels));
  const at::Tensor bytes = pixels.permute({0, 2, 3, 1}).contiguous();
  const at::Tensor found = Normalisation(described(), kCuda).apply(bytes);
  EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::allclose(found.cpu(), Normalisation(described()).apply(bytes), 1e-5, 1e-5));
}

at::Tensor of_bytes(int shift) {
  return (at::arange(24, at::TensorOptions(at::kByte)) + shift).view({2, 3, 2, 2});
}

TEST_F(Cuda, GraphIsReplayedOnNewBytesAndGivesNewTensors) {
  int calls = 0;
  GraphedFunction twice(
      [&](const at::Tensor& x) {
        ++calls;
        return std::vector<at::Tensor>{x.to(at::kFloat).mul(2), x.to(at::kFloat).sum()};
      },
      kCuda);
  std::vector<std::vector<at::Tensor>> all;
  all.reserve(20);
  for (int i = 0; i < 20; ++i) all.push_back(twice.run(of_bytes(i)));
  for (int i = 0; i < 20; ++i) {
    const at::Tensor bytes = of_bytes(i).to(at::kFloat);
    EXPECT_TRUE(all[static_cast<std::size_t>(i)].at(0).cpu().equal(bytes * 2)) << i;
    EXPECT_TRUE(all[static_cast<std::size_t>(i)].at(1).cpu().equal(bytes.sum())) << i;
  }
  EXPECT_EQ(calls, GRADCAM_WITH_CUDA_GRAPHS ? GraphedFunction::kWarmUp + 2 : 20);
}

TEST_F(Cuda, NetworksThatWaitForTheDeviceRunAsTheyAre) {
  const std::string model = tiny::saved(
      tiny::network({{"conv", tiny::seeded_conv(3, 8, 1)},
                     {"fc", tiny::linear(tiny::seeded({5, 8}, 9), tiny::seeded({5}, 10))}},
                    "  x = x / float(x.abs().max())\n"
                    "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n"),
      "waiting");
  Explainer here = explainer(model, "cpu", options_of("conv"));
  Explainer there = explainer(model, "cuda:0", options_of("conv"));
  for (int i = 0; i < 9; ++i) expect_same(there.explain(blob(i)), here.explain(blob(i)));
}

TEST_F(Cuda, AutomaticallyTaken) {
  EXPECT_EQ(parse_device("auto"), kCuda);
  EXPECT_EQ(explainer(classifier(), "cuda:0", options_of("bn")).device(), "cuda:0");
}

TEST_F(Cuda, EachMethodGivesTheMapOfTheCpu) {
  for (const char* layer : {"bn", "relu"}) {
    Explainer here = explainer(classifier(), "cpu", options_of(layer));
    Explainer there = explainer(classifier(), "cuda:0", options_of(layer));
    for (const std::string& method : method_names()) {
      if (find_method(method).needs.box) continue;  // of detectors
      SCOPED_TRACE(method + " at " + layer);
      const Question question{there.target(), method};
      expect_same(there.explain(blob(1), question), here.explain(blob(1), question));
    }
  }
}

TEST_F(Cuda, ManyFramesOneAfterAnotherKeepTheirOwnPixels) {
  Explainer here = explainer(classifier(), "cpu", options_of("bn"));
  for (const Precision precision :
       {Precision::kFp32, Precision::kFp16}) {  // most of them by the graph
    Explainer there = explainer(classifier(), "cuda:0", options_of("bn", precision));
    for (int frame = 0; frame < 40; ++frame) {
      const auto found = there.explain(blob(frame % 9));
      const auto expected = here.explain(blob(frame % 9));
      EXPECT_NEAR(found.top[0].score, expected.top[0].score, 0.01) << name_of(precision) << frame;
      EXPECT_LT(largest_difference(found.heat, expected.heat), 0.05) << name_of(precision) << frame;
    }
  }
}

TEST_F(Cuda, HalfPrecisionAgreesAndIsAnotherFormat) {
  Explainer here = explainer(classifier(), "cpu", options_of("bn"));
  Explainer half = explainer(classifier(), "cuda:0", options_of("bn", Precision::kFp16));
  EXPECT_EQ(half.engine(), "torchscript fp16");
  const auto found = half.explain(blob(2));
  const auto expected = here.explain(blob(2));
  EXPECT_EQ(found.targets.at(0).index, expected.targets.at(0).index);
  EXPECT_NEAR(found.top[0].score, expected.top[0].score, 0.01);
  EXPECT_LT(largest_difference(found.heat, expected.heat), 0.05);
  EXPECT_GT(largest_difference(found.heat, expected.heat), 0);
}

TEST_F(Cuda, FormsAreTimedAgainstEachOther) {
  Explainer chosen = explainer(classifier(), "cuda:0", options_of("bn", Precision::kAuto));
  std::vector<std::string> names;
  for (const EngineTrial& trial : chosen.engine_trials()) {
    names.push_back(trial.name);
    EXPECT_GT(trial.ms, 0) << trial.name << ": " << outcome_text(trial);
    EXPECT_EQ(outcome_text(trial), trial.name == chosen.engine() ? "chosen" : "slower");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"torchscript fp32", "torchscript fp32 split",
                                             "torchscript fp16"}));
}

TEST_F(Cuda, PicturesOfOneCallAreExplainedAsEachAlone) {
  ExplainOptions options = options_of("bn");
  options.batch = 3;
  Explainer there = explainer(classifier(), "cuda:0", options);
  ASSERT_EQ(there.batch(), 3);
  const Blob blobs[] = {blob(1), blob(2), blob(3)};
  const auto together =
      there.explain({&blobs[0], &blobs[1], &blobs[2]}, {there.target(), "gradcam"});
  for (std::size_t n = 0; n < 3; ++n) expect_same(together.at(n), there.explain(blobs[n]));
}

TEST_F(Cuda, SeveralLayersAndTargetsAreFusedAsOnTheCpu) {
  ExplainOptions options = options_of("conv");
  options.layers = {"conv", "relu"};
  options.target = "top:3";
  for (const char* method : {"gradcam", "shapleycam", "eigengradcam"}) {
    options.method = method;
    expect_same(explainer(classifier(), "cuda:0", options).explain(blob(4)),
                explainer(classifier(), "cpu", options).explain(blob(4)));
  }
}

TEST_F(Cuda, MapsAreVerifiedAsOnTheCpu) {
  Explainer here = explainer(classifier(), "cpu", options_of("bn"));
  Explainer there = explainer(classifier(), "cuda:0", options_of("bn"));
  const Faithfulness expected = verify(here, blob(1), here.explain(blob(1)), {});
  const Faithfulness found = verify(there, blob(1), there.explain(blob(1)), {});
  EXPECT_NEAR(found.drop, expected.drop, 1e-3);
  EXPECT_NEAR(found.deletion, expected.deletion, 1e-3);
  EXPECT_NEAR(found.insertion, expected.insertion, 1e-3);
  EXPECT_NEAR(found.randomised, expected.randomised, 1e-3);
}

TEST_F(Cuda, GuidedBackpropagationIsThatOfTheCpu) {
  ExplainOptions options = options_of("relu");
  options.guided = true;
  const auto found = explainer(classifier(), "cuda:0", options).explain(blob(1)).guided.value();
  const auto expected = explainer(classifier(), "cpu", options).explain(blob(1)).guided.value();
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_LT(largest_difference(found.planes.at(c), expected.planes.at(c)), 1e-4);
  }
}

TEST_F(Cuda, AttentionHasASecondDerivative) {
  const std::string model = tiny::saved(
      tiny::network({{"conv", tiny::seeded_conv(3, 8, 1)},
                     {"fc", tiny::linear(tiny::seeded({5, 8}, 9), tiny::seeded({5}, 10))}},
                    "  q = torch.tanh(torch.flatten(self.conv.forward(x), 2)).transpose(1, 2)\n"
                    "  y = torch.scaled_dot_product_attention(q.unsqueeze(1), q.unsqueeze(1), "
                    "q.unsqueeze(1))\n"
                    "  return self.fc.forward(torch.mean(y.squeeze(1), 1))\n"),
      "attention");
  for (const char* method : {"gradcam", "shapleycam"}) {
    SCOPED_TRACE(method);
    ExplainOptions options = options_of("conv");
    options.method = method;
    options.target = "2";
    expect_same(explainer(model, "cuda:0", options).explain(blob(1)),
                explainer(model, "cpu", options).explain(blob(1)));
  }
}

/// conv -> 1x1 convolution to 7 numbers for each place, and what `body` makes of them: y.
std::string dense_model(const std::string& name, const std::string& body) {
  const auto head = tiny::leaf(
      "Conv2d", {{"weight", tiny::seeded({7, 8, 1, 1}, 3)}, {"bias", tiny::seeded({7}, 4)}},
      "return torch.conv2d(x, self.weight, self.bias)");
  return tiny::saved(tiny::network({{"conv", tiny::seeded_conv(3, 8, 1)}, {"head", head}},
                                   "  y = self.head.forward(self.conv.forward(x))\n" + body),
                     name);
}

TEST_F(Cuda, SegmentationIsThatOfTheCpu) {
  const std::string model = dense_model("segmentation", "  return y\n");
  const auto description = described("segmentation");
  const auto found = explainer(model, "cuda:0", options_of("conv"), description).explain(blob(1));
  const auto expected = explainer(model, "cpu", options_of("conv"), description).explain(blob(1));
  expect_same(found, expected);
  EXPECT_EQ(found.classes.value().classes, expected.classes.value().classes);
}

TEST_F(Cuda, BoxesAreThoseOfTheCpu) {
  const std::string model = dense_model("boxes",
                                        "  y = torch.sigmoid(torch.flatten(y, 2))\n"
                                        "  return torch.cat([y[:, 0:4] * 32.0, y[:, 4:7]], 1)\n");
  ModelDescription description = described("detection");
  description.boxes.format = BoxFormat::kYolov8;
  description.boxes.classes = 3;
  ExplainOptions options = options_of("conv");
  options.target = "all";
  const auto found = explainer(model, "cuda:0", options, description).explain(blob(1));
  const auto expected = explainer(model, "cpu", options, description).explain(blob(1));
  ASSERT_GT(expected.objects.size(), 1U);
  ASSERT_EQ(found.objects.size(), expected.objects.size());
  EXPECT_LT(largest_difference(found.heat, expected.heat), 2e-3);
}

}  // namespace
}  // namespace gradcam
