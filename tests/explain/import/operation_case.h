#pragma once

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <ostream>
#include <string>
#include <vector>

#include "stages/explain/import/openvino_to_torch.h"
#include "tests/explain/import/openvino_models.h"

/// A program that includes this tests operations that it names by
/// INSTANTIATE_TEST_SUITE_P(Group, OpenVinoToTorch, ..., kNameOfOperation).
namespace gradcam {

/// How far the gradient of a weighted sum of the outputs is from OpenVINO's own differences, both
/// along the gradient's direction.
inline double error_of_gradient(const torch::jit::Module& module,
                                const std::shared_ptr<ov::Model>& model,
                                const at::Tensor& picture) {
  const at::Tensor x = picture.clone().requires_grad_();
  const at::Tensor output = run(module, x);
  const at::Tensor weights = tiny::seeded(output.sizes(), 77);
  const at::Tensor gradient = torch::autograd::grad({(output * weights).sum()}, {x})[0];
  const double norm = gradient.norm().item<double>();
  const double step = 3e-3;
  const auto moved = [&](double by) {
    const at::Tensor y = by_openvino(model, picture + by * gradient / norm);
    return (y.to(at::kDouble) * weights).sum().item<double>();
  };
  return std::abs((moved(step) - moved(-step)) / (2 * step) - norm) / norm;
}

struct Operation {
  std::string name;
  std::function<Port(const Port& x)> make;  ///< of x [1, 4, 6, 6]
  bool several = true;                      ///< takes several pictures at once
};
inline std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << operation.name;
}

class OpenVinoToTorch : public testing::TestWithParam<Operation> {};

TEST_P(OpenVinoToTorch, HasTheValueAndTheGradientOfOpenVino) {
  const auto model = model_of({1, 4, 6, 6}, GetParam().make);
  const auto module = to_torchscript(*model);
  const at::Tensor picture = tiny::seeded({1, 4, 6, 6}, 5) * 0.7 + 0.05;
  const at::Tensor expected = by_openvino(model, picture);
  const at::Tensor found = run(module, picture);
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT((found - expected).abs().max().item<float>(), 2e-5);
  EXPECT_LT(error_of_gradient(module, model, picture), 0.02);
}

TEST_P(OpenVinoToTorch, GivesOfSeveralPicturesWhatEachGivesAlone) {
  if (!GetParam().several) GTEST_SKIP() << "its shapes are those of one picture";
  const auto module = to_torchscript(*model_of({1, 4, 6, 6}, GetParam().make));
  const at::Tensor pictures = tiny::seeded({3, 4, 6, 6}, 6);
  const at::Tensor together = run(module, pictures);
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor alone = run(module, pictures.narrow(0, i, 1));
    EXPECT_LT((together.narrow(0, i, 1) - alone).abs().max().item<float>(), 1e-5) << i;
  }
}

const auto kNameOfOperation = [](const auto& each) { return each.param.name; };

}  // namespace gradcam
