#include "stages/explain/model/normalisation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

TEST(Normalisation, IsTheFormulaOfTheDescription) {
  ModelDescription description;
  description.scale = 127;
  description.mean = {1, 0.5, 0};
  description.std = {1, 2, 0.25};
  // 5x7x3 values are no multiple of the period that the loop goes by; neither are those of one.
  for (const auto& shape : {std::vector<std::int64_t>{2, 5, 7, 3}, {1, 1, 1, 3}, {1, 4, 4, 3}}) {
    const at::Tensor pixels =
        (tiny::seeded(shape, 3).abs() * 100).clamp(0, 255).to(at::kByte).contiguous();
    const at::Tensor found = Normalisation(description).apply(pixels);
    const at::Tensor mean = at::tensor({1.F, 0.5F, 0.F}).view({1, 3, 1, 1});
    const at::Tensor std = at::tensor({1.F, 2.F, 0.25F}).view({1, 3, 1, 1});
    const at::Tensor expected = (pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 127 - mean) / std;
    EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(at::allclose(found, expected, 1e-5, 1e-5));
  }
}

}  // namespace
}  // namespace gradcam
