#include "stages/explain/import/check_import.h"

#include <gtest/gtest.h>

#include <string>

#include "stages/explain/import/openvino_to_torch.h"
#include "tests/explain/import/openvino_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

/// Five numbers of the picture.
Port scores(const Port& x) {
  const Port flat = add<op::Reshape>(add<op::Tanh>(x), ints({1, 48}), false);
  return add<op::MatMul>(flat, numbers({48, 5}, 2), false, false);
}

/// The network of `body` with `forward` in the place of what was imported; empty = that.
ImportedNetwork network(const std::function<Port(const Port&)>& body, const std::string& forward) {
  const auto model = model_of({1, 3, 4, 4}, body);
  torch::jit::Module module = to_torchscript(*model);
  if (!forward.empty()) {
    torch::jit::Module other("Other");
    other.register_module("imported", module);
    other.define("def forward(self, x):\n  y = self.imported.forward(x)\n  return " + forward +
                 "\n");
    module = other;
  }
  return {module, model, false, {}};
}

void check(const ImportedNetwork& network) {
  check_import(network, tiny::input_of(4, 4), c10::Device("cpu"), "net.onnx");
}

TEST(CheckImport, AFaithfulNetworkPasses) { EXPECT_NO_THROW(check(network(scores, ""))); }

TEST(CheckImport, OtherOutputsAreToldWithTheFile) {
  EXPECT_USER_ERROR(
      check(network(scores, "y * 1.2")), ExitCode::kModel,
      "model 'net.onnx': computes another output 0 in LibTorch than in OpenVINO, off");
  EXPECT_USER_ERROR(check(network(scores, "y.t()")), ExitCode::kModel, "another output 0");
  EXPECT_USER_ERROR(check(network(scores, "y * 1.005")), ExitCode::kModel, "another output 0");
}

TEST(CheckImport, OfTheSameOutputsTheGradientMustBeRightToo) {
  EXPECT_USER_ERROR(check(network(scores, "0.5 * y + 0.5 * y.detach()")), ExitCode::kModel,
                    "model 'net.onnx': has another gradient in LibTorch");
}

TEST(CheckImport, TheGradientOfEachOutputCountsAlike) {
  const auto picture =
      std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape{1, 3, 4, 4});
  const Port few = scores(picture->output(0));
  const auto model = std::make_shared<ov::Model>(
      ov::OutputVector{few * number(1e4F), add<op::Sigmoid>(few)}, ov::ParameterVector{picture});
  const auto with = [&](const std::string& second) {
    torch::jit::Module module("Other");
    module.register_module("imported", to_torchscript(*model));
    module.define("def forward(self, x):\n  y, z = self.imported.forward(x)\n  return y, " +
                  second + "\n");
    return ImportedNetwork{module, model, false, {}};
  };
  EXPECT_NO_THROW(check(with("z")));
  EXPECT_USER_ERROR(check(with("0.2 * z + 0.8 * z.detach()")), ExitCode::kModel,
                    "another gradient in LibTorch");
}

TEST(CheckImport, RoundingHasNoSlopeToCompareWith) {
  const auto rounded = [](const Port& x) {
    return add<op::FakeQuantize>(scores(x), number(-4), number(4), number(-4), number(4), 16);
  };
  EXPECT_NO_THROW(check(network(rounded, "")));
}

TEST(CheckImport, WhereRoundingMovesTheOutputsFarTheyMayDifferAsFar) {
  const auto wild = [](const Port& x) {
    const Port waves = add<op::Sin>(x * number(3e4F));
    return add<op::FakeQuantize>(waves, number(-1), number(1), number(-1), number(1), 16);
  };
  EXPECT_NO_THROW(check(network(wild, "self.imported.forward(x * 1.00001)")));
  EXPECT_USER_ERROR(check(network(wild, "y * 0.0")), ExitCode::kModel, "another output 0");
}

TEST(CheckImport, RowsInTheOrderOfTheirScoresMayChangePlaces) {
  const auto best_first = [](const Port& x) {
    const auto sorted = std::make_shared<op::TopK>(
        add<op::Reshape>(scores(x), ints({1, 5, 1}), false), whole(5), 1, op::TopK::Mode::MAX,
        op::TopK::SortType::SORT_VALUES, ov::element::i64);
    return sorted->output(0);
  };
  EXPECT_NO_THROW(check(network(best_first, "y.flip(1)")));
  EXPECT_USER_ERROR(check(network(best_first, "y.flip(1) * 1.2")), ExitCode::kModel, "output 0");
}

}  // namespace
}  // namespace gradcam
