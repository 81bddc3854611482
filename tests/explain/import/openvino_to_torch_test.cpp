#include "stages/explain/import/openvino_to_torch.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <set>
#include <string>
#include <vector>

#include "stages/explain/import/known_values.h"
#include "tests/explain/import/openvino_models.h"

namespace gradcam {
namespace {

TEST(OpenVinoToTorchNetworks, AnOperationWithoutARuleIsNamed) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    Port turned = add<op::ReverseSequence>(x, ints({3}), 0, 2);
    turned.get_node()->set_friendly_name("turned");
    return turned;
  });
  try {
    to_torchscript(*model);
    FAIL() << "took an operation whose gradient it does not know";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "no gradient is known for ReverseSequence (turned)");
  }
}

/// As exporters write "where the shape is so": one of two constants of different lengths.
Port chosen_by_shape(const Port& x) {
  const auto body = [](const std::vector<std::int64_t>& values) {
    return std::make_shared<ov::Model>(ov::OutputVector{ints(values)}, ov::ParameterVector{});
  };
  const Port height = add<op::GatherND>(add<op::ShapeOf>(x), ints({2}));  // OpenVINO folds none
  const auto choice = std::make_shared<op::If>(add<op::Greater>(height, whole(5)));
  const auto yes = body({0, 2, 3});
  const auto no = body({1});
  choice->set_then_body(yes);
  choice->set_else_body(no);
  return choice->set_output(yes->get_results().at(0), no->get_results().at(0));
}

TEST(OpenVinoToTorchNetworks, ShapesThatValuesDecideAboutAreKnownWhereThePictureDoesNot) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    return add<op::Relu>(add<op::Gather>(x, chosen_by_shape(x), whole(1)));
  });
  ASSERT_TRUE(model->output().get_partial_shape().is_dynamic());
  settle_known_values(*model);
  const at::Tensor x = tiny::seeded({1, 4, 6, 6}, 5);
  const at::Tensor found = run(to_torchscript(*model), x);
  EXPECT_TRUE(found.equal(at::relu(x.index_select(1, at::tensor({0, 2, 3})))));
}

TEST(OpenVinoToTorchNetworks, LayersHaveTheNamesOfTheModulesInTheFile) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    const auto named = [](const Port& port, const std::string& name) {
      port.get_node()->set_friendly_name(name);
      return port;
    };
    Port y = named(add<op::Relu>(x), "/layer1/layer1.0/act/Relu");
    y = named(add<op::Tanh>(y), "/layer1/layer1.1/Tanh");
    y = named(y + x, "/layer1/layer1.1/Add");
    y = named(add<op::Sigmoid>(y), "Sigmoid_712");  // a part of something: counted by OpenVINO
    return named(add<op::Exp>(y), "my_exp");
  });
  std::vector<std::string> names;
  for (const auto& child : to_torchscript(*model).named_modules()) {
    if (!child.name.empty()) names.push_back(child.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"layer1.0", "layer1.0.act", "layer1.1.Tanh", "layer1",
                                             "layer1.1", "layer1.1.Add", "my_exp"}));
}

TEST(OpenVinoToTorchNetworks, WhereNothingHasANameLayersAreCountedByTheirTypes) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    const Port relu = add<op::Relu>(add<op::Tanh>(x));
    relu.get_node()->set_friendly_name("Transpose_712");  // which was moved past it
    return add<op::Tanh>(relu);
  });
  std::vector<std::string> names;
  for (const auto& child : to_torchscript(*model).named_modules()) {
    if (!child.name.empty()) names.push_back(child.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Tanh_0", "Relu_0", "Tanh_1"}));
}

TEST(OpenVinoToTorchNetworks, ABiasIsPutWherePyTorchHasIt) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    const auto conv = std::make_shared<op::Convolution>(
        x, numbers({5, 4, 3, 3}, 1), ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
        ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
    // As front ends spell them: the shape of a bias is asked of the value, and Gemm has factors.
    const Port rank = add<op::ShapeOf>(add<op::ShapeOf>(conv));
    const Port ones = add<op::Broadcast>(whole(1), add<op::Subtract>(rank, ints({2})));
    const Port shape = add<op::Concat>(ov::OutputVector{ints({1, 5}), ones}, 0);
    const Port bias = add<op::Reshape>(numbers({5}, 2), shape, false);
    const Port mean = add<op::ReduceMean>(conv + bias, ints({2, 3}), false);
    return add<op::MatMul>(mean, numbers({3, 5}, 3), false, true) * number(1) + numbers({3}, 4);
  });
  const auto module = to_torchscript(*model);
  int with_bias = 0;
  for (const auto* node : module.get_method("forward").graph()->nodes()) {
    EXPECT_NE(node->kind(), c10::aten::add);
    if (node->kind() != c10::aten::conv2d && node->kind() != c10::aten::linear) continue;
    with_bias += node->input(2)->mustBeNone() ? 0 : 1;
  }
  EXPECT_EQ(with_bias, 2);
  const at::Tensor x = tiny::seeded({2, 4, 6, 6}, 5);
  EXPECT_LT((run(module, x.narrow(0, 0, 1)) - by_openvino(model, x.narrow(0, 0, 1)))
                .abs()
                .max()
                .item<float>(),
            1e-5);
}

TEST(OpenVinoToTorchNetworks, ASigmoidTimesItsInputIsASilu) {
  const auto model = model_of({1, 4, 6, 6}, [](const Port& x) {
    const Port y = add<op::Tanh>(x);
    const Port silu = y * add<op::Sigmoid>(y);
    const Port gate = add<op::Sigmoid>(silu);  // is taken twice: stays
    return silu * gate + gate;
  });
  const auto module = to_torchscript(*model);
  std::multiset<std::string> kinds;
  for (const auto* node : module.get_method("forward").graph()->nodes()) {
    kinds.insert(node->kind().toQualString());
  }
  EXPECT_EQ(kinds.count("aten::silu"), 1);
  const at::Tensor x = tiny::seeded({1, 4, 6, 6}, 5);
  EXPECT_LT((run(module, x) - by_openvino(model, x)).abs().max().item<float>(), 1e-5);
  std::vector<std::string> names;
  for (const auto& child : module.named_modules()) {
    if (!child.name.empty()) names.push_back(child.name);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"Tanh_0", "Multiply_0", "Sigmoid_0", "Multiply_1", "Add_0"}));
}

TEST(OpenVinoToTorchNetworks, ABiasBehindATurnedInputIsPutWherePyTorchHasIt) {
  const auto model = model_of({1, 4, 6}, [](const Port& x) {  // the tokens of a Mixer
    return add<op::MatMul>(x, numbers({5, 4}, 3), true, true) + numbers({1, 1, 5}, 4);
  });
  const auto module = to_torchscript(*model);
  for (const auto* node : module.get_method("forward").graph()->nodes()) {
    EXPECT_NE(node->kind(), c10::aten::add);
  }
  const at::Tensor x = tiny::seeded({1, 4, 6}, 5);
  EXPECT_LT((run(module, x) - by_openvino(model, x)).abs().max().item<float>(), 1e-5);
}

TEST(OpenVinoToTorchNetworks, AnAdditionThatIsNoBiasStays) {
  const std::vector<std::pair<std::string, ov::Shape>> others{
      {"for each place", {1, 1, 6, 6}}, {"for all", {1}}, {"of more dimensions", {1, 1, 5, 1, 1}}};
  for (const auto& [name, of_other] : others) {
    const auto model = model_of({1, 4, 6, 6}, [&shape = of_other](const Port& x) {
      const auto conv = std::make_shared<op::Convolution>(
          x, numbers({5, 4, 1, 1}, 1), ov::Strides{1, 1}, ov::CoordinateDiff{0, 0},
          ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
      return conv + numbers(shape, 2);
    });
    const at::Tensor x = tiny::seeded({1, 4, 6, 6}, 5);
    const at::Tensor expected = by_openvino(model, x);
    const at::Tensor found = run(to_torchscript(*model), x);
    ASSERT_EQ(found.sizes(), expected.sizes()) << name;
    EXPECT_LT((found - expected).abs().max().item<float>(), 1e-5) << name;
  }
}

TEST(OpenVinoToTorchNetworks, RoundingPassesTheGradientAndTheRangesEndDoesNotStopIt) {
  // Scores as a quantised classifier gives them: the best lies at the very end of the range.
  const auto model = model_of({1, 4, 1, 1}, [](const Port& x) {
    const Port scores = add<op::FakeQuantize>(x, number(0), number(3), number(0), number(3), 256);
    const Port bytes = add<op::Convert>(scores * number(85), ov::element::u8);
    return add<op::Convert>(bytes, ov::element::f32) * number(1 / 85.F);
  });
  const auto module = to_torchscript(*model);
  const at::Tensor x = at::tensor({3.0F, 1.2F, -2.0F, 9.0F}).reshape({1, 4, 1, 1}).requires_grad_();
  const at::Tensor y = run(module, x);
  EXPECT_LT((y - by_openvino(model, x.detach())).abs().max().item<float>(), 1e-4);
  const at::Tensor gradient = torch::autograd::grad({y.sum()}, {x})[0].flatten();
  EXPECT_NEAR(gradient[0].item<float>(), 1, 1e-4);
  EXPECT_NEAR(gradient[1].item<float>(), 1, 1e-4);
  EXPECT_EQ(gradient[2].item<float>(), 0);  // a range from zero on is a ReLU
  EXPECT_EQ(gradient[3].item<float>(), 0);
}

TEST(OpenVinoToTorchNetworks, AReluSpelledAsMaximumAndMinimumHasNoHalfGradientAtItsBounds) {
  const auto model = model_of({1, 4, 1, 1}, [](const Port& x) {
    return add<op::Minimum>(add<op::Maximum>(x, number(0)), number(6));
  });
  const auto module = to_torchscript(*model);
  const at::Tensor x = at::tensor({0.0F, 6.0F, 1.0F, 7.0F}).reshape({1, 4, 1, 1}).requires_grad_();
  const at::Tensor gradient = torch::autograd::grad({run(module, x).sum()}, {x})[0].flatten();
  EXPECT_EQ(gradient[0].item<float>(), 0);  // as PyTorch's ReLU6; maximum() would give a half
  EXPECT_EQ(gradient[1].item<float>(), 0);
  EXPECT_EQ(gradient[2].item<float>(), 1);
  EXPECT_EQ(gradient[3].item<float>(), 0);
}

TEST(OpenVinoToTorchNetworks, SeveralOutputsComeInTheirOrder) {
  const auto picture = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 4, 6, 6});
  const ov::Model model(
      ov::OutputVector{add<op::Relu>(picture->output(0)), add<op::Tanh>(picture->output(0))},
      ov::ParameterVector{picture});
  auto module = to_torchscript(model);
  const at::Tensor x = tiny::seeded({1, 4, 6, 6}, 5);
  const auto results = module.forward({x}).toTupleRef().elements();
  ASSERT_EQ(results.size(), 2);
  EXPECT_TRUE(results[0].toTensor().equal(at::relu(x)));
  EXPECT_TRUE(results[1].toTensor().equal(at::tanh(x)));
}

}  // namespace
}  // namespace gradcam
