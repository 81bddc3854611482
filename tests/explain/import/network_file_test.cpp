#include "stages/explain/import/network_file.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/user_error.h"
#include "stages/explain/graph/cut_graph.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/graph/split_graph.h"
#include "stages/explain/import/cut_model.h"
#include "stages/explain/import/fp32_layers.h"
#include "stages/explain/import/int8_range.h"
#include "stages/explain/model/model.h"
#include "stages/explain/tasks/task.h"
#include "tests/explain/import/onnx_bytes.h"
#include "tests/explain/import/openvino_models.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

/// A convolution, its mean, five scores.
Port classifier(const Port& x) {
  const auto channels = static_cast<std::size_t>(x.get_partial_shape()[1].get_length());
  const auto conv = std::make_shared<op::Convolution>(x, numbers({8, channels, 3, 3}, 1),
                                                      ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
                                                      ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
  const auto relu = std::make_shared<op::Relu>(conv);
  relu->set_friendly_name("/features/Relu");
  const auto mean = std::make_shared<op::ReduceMean>(relu, ints({2, 3}), false);
  return std::make_shared<op::MatMul>(mean, numbers({5, 8}, 2), false, true);
}

class NetworkFileTest : public testing::Test {
 protected:
  std::string saved(const std::shared_ptr<ov::Model>& model) {
    std::string path = (folder_.path() / "net.xml").string();
    ov::serialize(model, path);
    return path;
  }
  std::string written(const std::string& name, const std::string& bytes) {
    std::string path = (folder_.path() / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  TempFolder folder_;
};

at::Tensor scores(const NetworkFile& file, const ModelDescription& description,
                  const at::Tensor& picture) {
  auto network = file.as_torchscript(description, c10::Device("cpu"));
  return network.module.forward({picture}).toTensor();
}

TEST_F(NetworkFileTest, TellsTheSizeAndTheChannelsOfItsPicture) {
  const NetworkFile file(saved(model_of({1, 1, 10, 14}, classifier)));
  EXPECT_EQ(file.usual().input_height, 10);
  EXPECT_EQ(file.usual().input_width, 14);
  EXPECT_EQ(file.usual().color, ColorOrder::kGray);
}

TEST_F(NetworkFileTest, ASizeThatTheFileLeavesOpenIsTheDescriptions) {
  const auto model = model_of({-1, 3, -1, -1}, classifier);
  const NetworkFile file(saved(model));
  ModelDescription description = file.usual();
  EXPECT_EQ(description.input_height, 224);
  description.input_height = 10;
  description.input_width = 14;
  const at::Tensor picture = tiny::seeded({1, 3, 10, 14}, 3);
  const at::Tensor expected = by_openvino(model, picture);
  EXPECT_LT((scores(file, description, picture) - expected).abs().max().item<float>(), 1e-5);
}

TEST_F(NetworkFileTest, APictureWithItsChannelsLastIsTurned) {
  const auto model = model_of({1, 10, 14, 3}, [](const Port& x) {
    return classifier(std::make_shared<op::Transpose>(x, ints({0, 3, 1, 2})));
  });
  const NetworkFile file(saved(model));
  EXPECT_EQ(file.usual().input_height, 10);
  EXPECT_EQ(file.usual().input_width, 14);
  const at::Tensor picture = tiny::seeded({1, 3, 10, 14}, 3);
  const at::Tensor expected = by_openvino(model, picture.permute({0, 2, 3, 1}));
  EXPECT_LT((scores(file, file.usual(), picture) - expected).abs().max().item<float>(), 1e-5);
}

TEST_F(NetworkFileTest, APictureOfBytesIsGivenAsItIs) {
  const auto model = model_of(
      {1, 3, 10, 14},
      [](const Port& x) { return classifier(std::make_shared<op::Convert>(x, ov::element::f32)); },
      ov::element::u8);
  const NetworkFile file(saved(model));
  EXPECT_EQ(file.usual().scale, 1);
  EXPECT_EQ(file.usual().mean[0], 0);
  EXPECT_EQ(file.usual().std[2], 1);
}

TEST_F(NetworkFileTest, ANetworkThatTakesOffTheMeanItselfIsGivenNone) {
  const auto numbers_of = [](float value) {
    return op::Constant::create(ov::element::f32, {1, 3, 1, 1}, {value, value, value / 2})
        ->output(0);
  };
  const auto usual = [&](const std::function<Port(const Port&)>& first) {
    const NetworkFile file(
        saved(model_of({1, 3, 10, 14}, [&](const Port& x) { return classifier(first(x)); })));
    return file.usual();
  };
  const auto shares = usual([&](const Port& x) {  // as torchvision's detectors
    const Port off = x - numbers_of(0.5F);
    return Port(std::make_shared<op::Divide>(off, numbers_of(0.2F)));
  });
  EXPECT_EQ(shares.scale, 255);
  EXPECT_EQ(shares.mean[0], 0);
  EXPECT_EQ(shares.std[2], 1);
  EXPECT_EQ(usual([&](const Port& x) { return x - numbers_of(120.F); }).scale, 1);
  EXPECT_EQ(usual([&](const Port& x) { return x * number(1 / 127.5F) - number(1); }).scale, 1);
  EXPECT_GT(usual([&](const Port& x) { return x; }).mean[0], 0);
  EXPECT_GT(usual([&](const Port& x) { return x * x; }).mean[0], 0);
}

TEST_F(NetworkFileTest, AnotherSizeThanTheFileAllowsIsRefused) {
  const auto fixed = model_of({1, 3, 10, 14}, [](const Port& x) {
    return std::make_shared<op::MatMul>(std::make_shared<op::Reshape>(x, ints({1, 420}), false),
                                        numbers({5, 420}, 2), false, true);
  });
  const std::string path = saved(fixed);
  const NetworkFile file(path);
  ModelDescription description = file.usual();
  description.input_height = 12;
  EXPECT_USER_ERROR(file.as_torchscript(description, c10::Device("cpu")), ExitCode::kModel,
                    "takes pictures of 1x3x10x14, and not of 1x3x12x14");
}

TEST_F(NetworkFileTest, WhatTakesNoPictureIsRefused) {
  const auto flat = model_of({1, 12}, [](const Port& x) { return std::make_shared<op::Relu>(x); });
  EXPECT_USER_ERROR(NetworkFile(saved(flat)), ExitCode::kModel, "takes 1x12; a picture is");
  const auto first = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 3, 4, 4});
  const auto second = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 3, 4, 4});
  first->set_friendly_name("picture");
  second->set_friendly_name("mask");
  const auto two =
      std::make_shared<ov::Model>(ov::OutputVector{std::make_shared<op::Add>(first, second)},
                                  ov::ParameterVector{first, second});
  EXPECT_USER_ERROR(NetworkFile(saved(two)), ExitCode::kModel,
                    "must take one picture, and takes picture, mask");
}

TEST_F(NetworkFileTest, WhatIsNoNetworkIsRefusedInALine) {
  for (const char* name : {"noise.onnx", "noise.xml", "noise.tflite"}) {
    const std::string path = written(name, std::string(100000, '\x5a'));
    try {
      NetworkFile file(path);
      FAIL() << name;
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel);
      const std::string what = error.what();
      EXPECT_TRUE(what.find(path) != std::string::npos) << what;
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
      EXPECT_LT(what.size(), 600) << "quotes the file";
    }
  }
}

TEST_F(NetworkFileTest, WeightsThatAreNotBesideTheFileAreNamed) {
  const std::string path = saved(model_of({1, 3, 10, 14}, classifier));
  EXPECT_NO_THROW(NetworkFile{path});
  std::filesystem::remove(folder_ / "net.bin");
  EXPECT_USER_ERROR(NetworkFile{path}, ExitCode::kModel,
                    "weights beside it, 'net.bin', are missing");
  // A float [1] of which the file says where it lies.
  const std::string place = onnx::part(1, "location") + onnx::part(2, "apart.data");
  const std::string weight = onnx::whole(1, 1) + onnx::whole(2, 1) + onnx::part(8, "weight") +
                             onnx::part(13, place) + onnx::whole(14, 1);
  const std::string sum = onnx::part(1, "x") + onnx::part(1, "weight") + onnx::part(2, "sum") +
                          onnx::part(3, "add") + onnx::part(4, "Add");
  const std::string more =
      onnx::part(1, sum) + onnx::part(5, weight) + onnx::part(12, onnx::value("sum"));
  const std::string apart =
      written("apart.onnx", onnx::model({{"node", "Relu", ""}}) + onnx::part(7, more));
  EXPECT_USER_ERROR(NetworkFile{apart}, ExitCode::kModel,
                    "weights beside it, 'apart.data', are missing");
}

TEST_F(NetworkFileTest, OperationsThatNobodyKnowsAreNamed) {
  const auto unknown =
      written("unknown.onnx", onnx::model({{"a", "Relu", ""}, {"b", "FooBar", ""}}));
  EXPECT_USER_ERROR(NetworkFile{unknown}, ExitCode::kModel,
                    "': holds operations that OpenVINO does not know: FooBar");
}

/// No reader can know whether a later version changed an operation.
TEST_F(NetworkFileTest, AnOnnxFileOfALaterVersionIsReadAsTheNewestThatIsKnown) {
  const std::vector<onnx::Node> nodes = {{"node", "Relu", ""}};
  const at::Tensor picture = tiny::seeded({1, 3, 8, 8}, 3);
  for (const auto& [version, opset] : {std::pair{8, 17}, std::pair{99, 99}}) {
    const NetworkFile file(written("later.onnx", onnx::model(nodes, version, opset)));
    EXPECT_TRUE(at::equal(scores(file, file.usual(), picture), picture.relu())) << version;
  }
}

TEST_F(NetworkFileTest, ItsIdentityIsThatOfItsWeights) {
  const std::string first = NetworkFile(saved(model_of({1, 3, 8, 8}, classifier))).identity();
  EXPECT_EQ(NetworkFile(saved(model_of({1, 3, 8, 8}, classifier))).identity(), first);
  const auto other = model_of({1, 3, 8, 8}, [](const Port& x) {
    return classifier(std::make_shared<op::Multiply>(x, number(1.001F)));
  });
  EXPECT_NE(NetworkFile(saved(other)).identity(), first);
  // What is remembered of a network names its layers.
  const auto renamed = model_of({1, 3, 8, 8}, [](const Port& x) {
    const Port scores = classifier(x);
    scores.get_node()->set_friendly_name("/head/Gemm");
    return scores;
  });
  EXPECT_NE(NetworkFile(saved(renamed)).identity(), first);
}

TEST_F(NetworkFileTest, ItsModulesAreLayersOfTheModel) {
  const NetworkFile file(saved(model_of({1, 3, 10, 14}, classifier)));
  const auto network = file.as_torchscript(file.usual(), c10::Device("cpu"));
  const Model model("net.xml", c10::Device("cpu"), network.module, network.source);
  const auto layers = list_layers(model, file.usual());
  EXPECT_EQ(automatic_layer(layers, file.usual(), "net.xml"), "features");
  EXPECT_EQ(layers.back().name, "features");
  EXPECT_EQ(layers.back().type, "Relu");
  EXPECT_EQ(layers.back().shape, (std::vector<std::int64_t>{1, 8, 10, 14}));
}

/// A quantised convolution whose result the head takes twice, beside the picture.
Port quantised(const Port& x) {
  const auto rounded = [](const Port& value, float range) -> Port {
    return std::make_shared<op::FakeQuantize>(value, number(-range), number(range), number(-range),
                                              number(range), 255);
  };
  const auto conv = std::make_shared<op::Convolution>(
      rounded(x, 3), rounded(numbers({8, 3, 3, 3}, 1), 2), ov::Strides{1, 1},
      ov::CoordinateDiff{1, 1}, ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
  conv->set_friendly_name("conv");
  const auto mean = std::make_shared<op::ReduceMean>(
      std::make_shared<op::Multiply>(conv, std::make_shared<op::Sigmoid>(conv)), ints({2, 3}),
      false);
  const auto colours = std::make_shared<op::ReduceMean>(x, ints({2, 3}), false);
  return std::make_shared<op::Concat>(ov::OutputVector{mean, colours}, 1);
}

TEST_F(NetworkFileTest, TheNodesOfTheFileItselfComputeTheFeatures) {
  const NetworkFile file(saved(model_of({1, 3, 10, 14}, quantised)));
  const auto network = file.as_torchscript(file.usual(), c10::Device("cpu"));
  const Model model("net.xml", c10::Device("cpu"), network.module, network.source);
  const auto halves = split(mark_layers(model, {"conv"}));
  ASSERT_TRUE(halves.has_value());
  const auto features = cut_model(*network.source, *halves->features, 1);
  ASSERT_NE(features, nullptr);
  const auto count = [&](const std::string& type) {
    return std::ranges::count_if(features->get_ops(),
                                 [&](const auto& node) { return node->get_type_name() == type; });
  };
  EXPECT_EQ(count("FakeQuantize"), 2);
  EXPECT_EQ(count("Sigmoid"), 0);  // which is behind the cut
  // Several pictures: where the shapes in the file allow it.
  EXPECT_EQ(cut_model(*network.source, *halves->features, 4)->output(0).get_shape(),
            (ov::Shape{4, 8, 10, 14}));
}

TEST_F(NetworkFileTest, TokensThatComeFirstAreLayersWithThePictureFirst) {
  const auto model = model_of({1, 3, 4, 4}, [](const Port& x) {
    const Port flat = std::make_shared<op::Reshape>(x, ints({1, 3, 16}), false);
    const Port first = std::make_shared<op::Transpose>(flat, ints({2, 0, 1}));
    const Port tokens = std::make_shared<op::Tanh>(first);
    tokens.get_node()->set_friendly_name("tokens");
    const Port mean = std::make_shared<op::ReduceMean>(tokens * tokens, ints({0}), false);
    return Port(std::make_shared<op::MatMul>(mean, numbers({5, 3}, 2), false, true));
  });
  const NetworkFile file(saved(model));
  const auto network = file.as_torchscript(file.usual(), c10::Device("cpu"));
  const at::Tensor picture = tiny::seeded({1, 3, 4, 4}, 3);
  const at::Tensor output = network.module.deepcopy().forward({picture}).toTensor();
  EXPECT_LT((output - by_openvino(model, picture)).abs().max().item<float>(), 1e-5);
  const Model net("net.xml", c10::Device("cpu"), network.module, network.source);
  CutGraph cut(net, {"tokens"}, file.usual());
  const at::Tensor tokens = cut.run(picture).activations[0].detach();
  EXPECT_EQ(tokens.sizes(), (std::vector<std::int64_t>{1, 16, 3}));
  const auto halves = split(mark_layers(net, {"tokens"}));
  ASSERT_TRUE(halves.has_value());
  const auto features = cut_model(*network.source, *halves->features, 1);
  ASSERT_NE(features, nullptr);
  EXPECT_LT((by_openvino(features, picture) - tokens).abs().max().item<float>(), 1e-5);
}

TEST_F(NetworkFileTest, OfASuppressionInsideAllBoxesInFrontAreRead) {
  const auto model = model_of({1, 3, 4, 4}, [](const Port& x) {
    const Port flat = std::make_shared<op::Reshape>(x, ints({1, 48}), false);
    const auto of_picture = [&](std::size_t count, const std::vector<std::int64_t>& shape) -> Port {
      const Port mixed =
          std::make_shared<op::MatMul>(flat, numbers({48, count}, count), false, false);
      return std::make_shared<op::Reshape>(mixed, ints(shape), false);
    };
    const auto chosen = std::make_shared<ov::op::v9::NonMaxSuppression>(
        of_picture(36, {1, 9, 4}), of_picture(27, {1, 3, 9}), whole(5), number(0.5F), number(0.1F));
    chosen->set_friendly_name("nms");
    return chosen->output(0);
  });
  const NetworkFile file(saved(model));
  EXPECT_NE(file.note().find("NonMaxSuppression (nms) is left out"), std::string::npos);
  const ModelDescription description = file.usual();
  ASSERT_NE(description.task, nullptr);
  EXPECT_TRUE(description.task->boxes);
  EXPECT_EQ(description.boxes.format, BoxFormat::kRawHeads);
  const at::Tensor output = scores(file, description, tiny::seeded({1, 3, 4, 4}, 3));
  EXPECT_EQ(output.sizes(), (std::vector<std::int64_t>{1, 9, 4 + 3}));
}

TEST_F(NetworkFileTest, TheGradientPassesTheRoundingBehindTheCut) {
  // The same network with and without rounding between the layer and the scores.
  const auto body = [](bool rounds) {
    return [rounds](const Port& x) {
      const Port conv = std::make_shared<op::Convolution>(
          x, numbers({8, 3, 3, 3}, 1), ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
          ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
      conv.get_node()->set_friendly_name("conv");
      Port y = std::make_shared<op::Tanh>(conv);
      if (rounds) {
        y = std::make_shared<op::FakeQuantize>(y, number(-1), number(1), number(-1), number(1),
                                               255);
      }
      const Port mean = std::make_shared<op::ReduceMean>(y * y, ints({2, 3}), false);
      return Port(std::make_shared<op::MatMul>(mean, numbers({5, 8}, 2), false, true));
    };
  };
  const auto gradient = [&](bool rounds) {
    const NetworkFile file(saved(model_of({1, 3, 10, 14}, body(rounds))));
    const auto network = file.as_torchscript(file.usual(), c10::Device("cpu"));
    const Model model("net.xml", c10::Device("cpu"), network.module, network.source);
    CutGraph cut(model, {"conv"}, file.usual());  // frozen, as the program runs it
    const auto result = cut.run(tiny::seeded({1, 3, 10, 14}, 3));
    return torch::autograd::grad({result.output[0][2]}, result.activations)[0];
  };
  const at::Tensor expected = gradient(false);
  EXPECT_GT(expected.norm().item<double>(), 0);
  EXPECT_LT((gradient(true) - expected).norm().item<double>(),
            0.02 * expected.norm().item<double>());
}

TEST_F(NetworkFileTest, SumsOfBytesMayOverflowUnlessTheFileNotesThatItLeavesRoom) {
  const auto overflows = [&](const std::optional<std::string>& noted) {
    const auto model = model_of({1, 3, 10, 14}, quantised);
    if (noted) {
      model->set_rt_info("3.4.0", "nncf", "version");
      model->set_rt_info(*noted, "nncf", "quantization", "advanced_parameters");
    }
    const NetworkFile file(saved(model));
    const auto network = file.as_torchscript(file.usual(), c10::Device("cpu"));
    return may_overflow_without_vnni(*network.source);
  };
  EXPECT_TRUE(overflows(std::nullopt));
  EXPECT_FALSE(overflows("{}"));
  EXPECT_FALSE(overflows("{'overflow_fix': 'first_layer_only', 'quantize_outputs': False}"));
  EXPECT_TRUE(overflows("{'overflow_fix': 'disable', 'quantize_outputs': False}"));
}

TEST_F(NetworkFileTest, TheFirstDepthwiseConvolutionAloneIsMarkedToStayInFp32) {
  const auto convolution = [](const Port& x, const ov::Shape& weights, const char* name) -> Port {
    const auto made = std::make_shared<op::GroupConvolution>(
        x, numbers(weights, 1), ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
        ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
    made->set_friendly_name(name);
    return made;
  };
  const auto model = model_of({1, 4, 10, 14}, [&](const Port& x) {
    const Port grouped = convolution(x, {2, 2, 2, 3, 3}, "grouped");
    const Port first = convolution(grouped, {4, 1, 1, 3, 3}, "first");
    return convolution(first, {4, 1, 1, 3, 3}, "second");
  });
  keep_first_depthwise_in_fp32(*model);
  for (const auto& node : model->get_ops()) {
    const bool marked = std::ranges::any_of(node->get_rt_info(), [](const auto& entry) {
      return entry.first.starts_with("DisablePrecisionConversion");
    });
    EXPECT_EQ(marked, node->get_friendly_name() == "first") << node->get_friendly_name();
  }
}

}  // namespace
}  // namespace gradcam
