#include "stages/explain/model/model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include <fstream>

#include "config/user_error.h"
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
    list_layers(model, 12, 12);
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
  const auto layers = list_layers(model, 12, 10);
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].name, "conv");
  EXPECT_EQ(layers[0].type, "Conv2d");
  EXPECT_EQ(layers[0].shape, (std::vector<std::int64_t>{1, 4, 12, 10}));
  EXPECT_TRUE(layers[0].spatial());
  EXPECT_EQ(layers[1].name, "fc");
  EXPECT_FALSE(layers[1].spatial());
  EXPECT_EQ(layers[2].name, "unused");
  EXPECT_NE(layers[2].obstacle, "");
  EXPECT_EQ(automatic_layer(layers, "m.pt"), "conv");
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

TEST(Model, AFrozenFileHasNoLayersToName) {
  auto module = net();
  module.eval();
  EXPECT_EQ(refusal(tiny::saved(torch::jit::freeze_module(module), "frozen"), "frozen"),
            ExitCode::kModel);
}

TEST(Model, DevicesAreParsed) {
  EXPECT_EQ(parse_device("cpu"), c10::Device("cpu"));
  for (const char* bad : {"gpu", "cuda:x", "cuda:", "cuda:99", ""}) {
    EXPECT_THROW(parse_device(bad), UserError) << bad;
  }
}

}  // namespace
}  // namespace gradcam
