#include "stages/explain/import/onnx_modules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/explain/graph/layers.h"
#include "stages/explain/import/network_file.h"
#include "stages/explain/model/model.h"
#include "tests/explain/import/onnx_bytes.h"
#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

/// As PyTorch's newer exporter writes it.
std::string network() {
  return onnx::model({{"node_relu", "Relu", "['', 'layer4', 'layer4.0', 'layer4.0.act', 'relu']"},
                      {"node_tanh", "Tanh", "['', 'layer4', 'layer4.1', 'tanh']"},
                      {"node_exp", "Exp", "['', 'layer4', 'layer4.1', 'exp']"},
                      {"node_abs", "Abs", "['', 'abs']"}});
}

TEST(OnnxModules, AreReadFromTheFile) {
  const TempFolder folder;
  const OnnxNotes notes = read_onnx_notes(folder.file("net.onnx", network()));
  EXPECT_EQ(notes.producer, "pytorch");
  EXPECT_EQ(notes.modules.at("node_relu"), "layer4.0.act");
  EXPECT_EQ(notes.modules.at("node_tanh_out"), "layer4.1");
  EXPECT_FALSE(notes.modules.contains("node_abs"));
}

TEST(OnnxModules, AreLayersOfTheModel) {
  const TempFolder folder;
  const std::string path = folder.file("net.onnx", network());
  const NetworkFile file(path);
  const auto imported = file.as_torchscript(file.usual(), c10::Device("cpu"));
  const Model model(path, c10::Device("cpu"), imported.module, imported.source);
  std::vector<std::string> names;
  for (const Layer& layer : list_layers(model, file.usual())) names.push_back(layer.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"layer4.0.act", "layer4.0", "layer4.1.tanh", "layer4.1.exp",
                                      "layer4.1", "layer4", "node_abs_out"}));
}

TEST(OnnxModules, ADamagedFileTellsWhatCanBeReadOfIt) {
  const TempFolder folder;
  const std::string whole = network();
  for (std::size_t size = 0; size < whole.size(); size += 2) {
    EXPECT_LE(read_onnx_notes(folder.file("cut.onnx", whole.substr(0, size))).modules.size(), 6U);
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ '\xff');
    EXPECT_LE(read_onnx_notes(folder.file("changed.onnx", changed)).modules.size(), 6U);
  }
  EXPECT_TRUE(read_onnx_notes((folder / "missing.onnx").string()).modules.empty());
}

}  // namespace
}  // namespace gradcam
