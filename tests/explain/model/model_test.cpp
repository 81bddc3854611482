#include "stages/explain/model/model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <fstream>
#include <optional>
#include <string>

#include "config/user_error.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/model/device.h"
#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

torch::jit::Module net() {
  return tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                        {"unused", tiny::relu(false)},
                        {"fc", tiny::linear(tiny::seeded({5, 4}, 3), tiny::seeded({5}, 4))}},
                       "  return self.fc.forward(torch.mean(self.conv.forward(x), [2, 3]))\n");
}

ExitCode refusal(const std::string& path, const std::string& mentions) {
  try {
    const Model model(path, c10::Device("cpu"));
    list_layers(model, tiny::input_of(12, 12));
  } catch (const UserError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(mentions), std::string::npos) << text;
    EXPECT_NE(text.find(path), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return error.code();
  }
  ADD_FAILURE() << path << " was accepted";
  return ExitCode::kDone;
}

TEST(Model, ListsLayersWithTypeShapeAndObstacle) {
  const Model model(tiny::saved(net(), "layers"), c10::Device("cpu"));
  const auto layers = list_layers(model, tiny::input_of(12, 10));
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].name, "conv");
  EXPECT_EQ(layers[0].type, "Conv2d");
  EXPECT_EQ(layers[0].shape, (std::vector<std::int64_t>{1, 4, 12, 10}));
  EXPECT_TRUE(layers[0].spatial());
  EXPECT_EQ(layers[1].name, "fc");
  EXPECT_FALSE(layers[1].spatial());
  EXPECT_EQ(layers[2].name, "unused");
  EXPECT_NE(layers[2].obstacle, "");
  EXPECT_EQ(automatic_layer(layers, tiny::input_of(12, 10), "m.pt"), "conv");
}

TEST(Model, TheAutomaticLayerIsAMapOfThePicture) {
  const Layer map{"stage4", "Sequential", {1, 768, 7, 7}, ""};
  const Layer last{"norm", "LayerNorm", {1, 1, 1, 768}, ""};  // behind the mean, channels last
  const Layer grid{"stage4", "SwinTransformerBlock", {1, 7, 7, 768}, ""};
  const auto description = tiny::input_of(224, 224);
  EXPECT_EQ(automatic_layer({map, last}, description, "m.pt"), "stage4");
  EXPECT_EQ(automatic_layer({grid, last}, description, "m.pt"), "stage4");
  // Where nothing is in proportion, as of a sound: the last with places.
  EXPECT_EQ(automatic_layer({last}, description, "m.pt"), "norm");
}

TEST(Model, KeepsItsEmbeddedDescription) {
  const auto path = tiny::saved(net(), "embedded", {{"gradcam.json", "{\"name\":\"tiny\"}"}});
  EXPECT_EQ(Model(path, c10::Device("cpu")).embedded_description(), "{\"name\":\"tiny\"}");
}

TEST(Model, MissingAndForeignFilesAreRefused) {
  EXPECT_EQ(refusal("/nowhere/model.pt", "no such file"), ExitCode::kModel);
  const std::string text = tiny::saved(net(), "text");
  std::ofstream(text, std::ios::trunc) << "not a network\n";
  EXPECT_EQ(refusal(text, "not a TorchScript file"), ExitCode::kModel);
}

TEST(Model, AFileOfOptimizeForInferenceSaysWhatToDo) {
  auto module = net();
  module.eval();
  module = torch::jit::optimize_for_inference(module);
  EXPECT_EQ(refusal(tiny::saved(module, "optimised"), "optimize_for_inference"), ExitCode::kModel);
}

/// Counts what LibTorch warns of.
class Counting : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override { ++count; }
  int count = 0;
};

TEST(Model, LibTorchDoesNotWarnWhileAFileIsLoaded) {
  Counting counting;
  const c10::WarningUtils::WarningHandlerGuard guard(&counting);
  c10::WarningUtils::set_warnAlways(true);
  auto module = net();
  module.register_buffer("rounded", at::quantize_per_tensor(at::ones({2}), 0.1, 0, at::kQUInt8));
  const std::string path = tiny::saved(module, "warned");
  const int before = counting.count;
  EXPECT_GT(before, 0) << "LibTorch warns no more of quantised tensors: take something else";
  const Model model(path, c10::Device("cpu"));
  EXPECT_EQ(counting.count, before);
  TORCH_WARN("afterwards");
  EXPECT_EQ(counting.count, before + 1);
  c10::WarningUtils::set_warnAlways(false);
}

TEST(Model, AFrozenFileHasNoLayersToName) {
  auto module = net();
  module.eval();
  EXPECT_EQ(refusal(tiny::saved(torch::jit::freeze_module(module), "frozen"), "frozen"),
            ExitCode::kModel);
}

/// What PyTorch gives for a file, unchanged.
at::Tensor plain(const std::string& path, const at::Tensor& picture) {
  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  return module.forward({picture}).toTensor().detach().to(at::kFloat);
}

at::Tensor by_program(const std::string& path, const at::Tensor& picture) {
  const Model model(path, c10::Device("cpu"));
  const int channels = static_cast<int>(picture.size(1));
  CutGraph cut(model, {"conv"}, tiny::input_of(12, 10, channels));
  return cut.run(picture.contiguous(at::MemoryFormat::ChannelsLast)).output.detach();
}

torch::jit::Module flattening(const std::string& code, int inputs) {
  return tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                        {"fc", tiny::linear(tiny::seeded({5, inputs}, 3), tiny::seeded({5}, 4))}},
                       "  h = self.conv.forward(x)\n" + code + "  return self.fc.forward(h)\n");
}

struct Flattening {
  const char* name;
  const char* code;
  int inputs;
};

class Views : public testing::TestWithParam<Flattening> {};

TEST_P(Views, GiveWhatPyTorchGives) {
  const std::string path =
      tiny::saved(flattening(GetParam().code, GetParam().inputs), GetParam().name);
  const at::Tensor picture = tiny::seeded({1, 3, 12, 10}, 8);
  EXPECT_TRUE(at::allclose(by_program(path, picture), plain(path, picture), 1e-4, 1e-4));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Views,
    testing::Values(
        Flattening{"by_size", "  h = h.view([x.size(0), -1])\n", 480},
        Flattening{"by_minus_one", "  h = h.view([-1, 480])\n", 480},
        Flattening{"as_another", "  h = h.view_as(torch.zeros([1, 480]))\n", 480},
        Flattening{"mean", "  h = h.view([h.size(0), h.size(1), -1]).mean(-1)\n", 4},
        Flattening{"shuffle",
                   "  h = h.view([1, 2, 2, 12, 10]).transpose(1, 2).contiguous()\n"
                   "  h = h.view([1, -1])\n",
                   480},
        // Written through one of two names of a tensor, and read through the other.
        Flattening{"written_by_view", "  h.view([1, -1]).mul_(2.0)\n  h = h.mean([2, 3])\n", 4},
        Flattening{"read_by_view", "  v = h.view([1, -1])\n  h.mul_(2.0)\n  h = v\n", 480},
        Flattening{"written_in_branch",
                   "  v = h.view([1, -1])\n"
                   "  if x.size(0) == 1:\n"
                   "    v.relu_()\n"
                   "  h = h.mean([2, 3])\n",
                   4},
        // Knows how its input lies in memory.
        Flattening{"strided", "  h = torch.as_strided(h, [1, 480], [480, 1])\n", 480}),
    [](const auto& way) { return std::string(way.param.name); });

TEST(Model, FurtherInputsTakeTheirDefaults) {
  torch::jit::Module given("Given");
  given.register_module("conv", tiny::seeded_conv(3, 4, 1));
  given.define(
      "def forward(self, x, mask: Optional[Tensor] = None, factor: float = 2.0, keep: bool = "
      "False):\n"
      "  h = self.conv.forward(x)\n"
      "  if mask is not None:\n"
      "    h = h * mask\n"
      "  return torch.mean(h, [2, 3], keep) * factor\n");
  const std::string path = tiny::saved(given, "defaults");
  const at::Tensor picture = tiny::seeded({1, 3, 12, 10}, 8);
  EXPECT_TRUE(at::allclose(by_program(path, picture), plain(path, picture), 1e-4, 1e-5));
}

TEST(Model, AFurtherInputWithoutADefaultIsNamed) {
  torch::jit::Module module("Two");
  module.register_module("conv", tiny::seeded_conv(3, 4, 1));
  module.define("def forward(self, x, meta):\n  return self.conv.forward(x) + meta\n");
  EXPECT_EQ(refusal(tiny::saved(module, "two"), "takes x, meta; give the others defaults"),
            ExitCode::kModel);
}

TEST(Model, OtherFloatsBecomeFp32) {
  const at::Tensor picture = tiny::seeded({1, 3, 12, 10}, 8);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16, at::kDouble}) {
    auto module = flattening("  h = torch.mean(h, [2, 3]) * torch.ones([4], dtype=" +
                                 std::to_string(static_cast<int>(type)) + ")\n",
                             4);
    for (at::Tensor parameter : module.parameters()) parameter.set_data(parameter.to(type));
    const std::string path = tiny::saved(module, std::string("of_") + c10::toString(type));
    const at::Tensor found = by_program(path, picture);
    EXPECT_EQ(found.scalar_type(), at::kFloat);
    const double rounded = type == at::kDouble ? 1e-5 : 3e-2;
    EXPECT_TRUE(at::allclose(found, plain(path, picture.to(type)), rounded, rounded)) << type;
  }
}

TEST(Model, WhatWasLeftInTrainingIsSwitchedToInferenceAndNamed) {
  torch::jit::Module norm = tiny::batch_norm(4, 5);
  norm.define(
      "def trained(self, x):\n  return torch.batch_norm(x, self.weight, self.bias, self.mean, "
      "self.var, True, 0.1, 1e-5, True)\n");
  const auto net = [&](bool training) {
    const std::string drop =
        std::string("return torch.dropout(x, 0.5, ") + (training ? "True)" : "False)");
    const std::string channels =
        std::string("return torch.feature_dropout(x, 0.5, ") + (training ? "True)" : "False)");
    return tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                          {"bn", norm},
                          {"drop2d", tiny::leaf("Dropout2d", {}, channels)},
                          {"drop", tiny::leaf("Dropout", {}, drop)},
                          {"fc", tiny::linear(tiny::seeded({5, 4}, 3), tiny::seeded({5}, 4))}},
                         std::string("  h = self.bn.") + (training ? "trained" : "forward") +
                             "(self.conv.forward(x))\n"
                             "  h = torch.mean(self.drop2d.forward(h), [2, 3])\n"
                             "  return self.fc.forward(self.drop.forward(h))\n");
  };
  const std::string path = tiny::saved(net(true), "trained");
  const at::Tensor picture = tiny::seeded({1, 3, 12, 10}, 8);
  EXPECT_TRUE(at::allclose(by_program(path, picture),
                           plain(tiny::saved(net(false), "inferring"), picture), 1e-4, 1e-4));
  EXPECT_EQ(Model(path, c10::Device("cpu")).left_in_training(),
            "batch_norm of bn, dropout of drop2d, drop");
}

TEST(Model, ANormWithoutRunningStatisticsStaysAsItIs) {
  const auto module = tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)}},
                                    "  h = torch.batch_norm(self.conv.forward(x), None, None, "
                                    "None, None, True, 0.1, 1e-5, True)\n"
                                    "  return torch.mean(torch.relu(h), [2, 3])\n");
  const std::string path = tiny::saved(module, "statistics");
  const at::Tensor picture = tiny::seeded({1, 3, 12, 10}, 8);
  EXPECT_TRUE(at::allclose(by_program(path, picture), plain(path, picture), 1e-4, 1e-4));
  EXPECT_EQ(Model(path, c10::Device("cpu")).left_in_training(), "");
}

TEST(Model, TheFirstConvolutionTellsTheChannelsOfThePicture) {
  const auto channels = [](int in, const std::string& before, const std::string& name) {
    const auto module =
        tiny::network({{"conv", tiny::seeded_conv(in, 4, 1)}},
                      "  return torch.mean(self.conv.forward(" + before + "), [2, 3])\n");
    return Model(tiny::saved(module, name), c10::Device("cpu")).picture_channels();
  };
  EXPECT_EQ(channels(1, "x", "one"), 1);
  EXPECT_EQ(channels(1, "(x - 0.5) / 0.25", "one_normed"), 1);
  EXPECT_EQ(channels(3, "x", "three"), 3);
  EXPECT_FALSE(channels(1, "torch.mean(x, [1], True)", "made_gray").has_value());
}

TEST(Model, DevicesAreParsed) {
  EXPECT_EQ(parse_device("cpu"), c10::Device("cpu"));
  for (const char* bad : {"gpu", "cuda:x", "cuda:", "cuda:99", ""}) {
    EXPECT_THROW(parse_device(bad), UserError) << bad;
  }
}

}  // namespace
}  // namespace gradcam
