#include "stages/explain/methods.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "config/user_error.h"

namespace gradcam {
namespace {

TEST(Methods, GradcamWeightsAreSpatialMeansOfGradients) {
  // Means of the gradients: 1 and -0.5.
  const at::Tensor gradient = at::tensor({0.F, 2.F, 1.F, 1.F, -2.F, 0.F, 0.F, 0.F}).view({2, 2, 2});
  const at::Tensor activation =
      at::tensor({1.F, 2.F, 3.F, 4.F, 2.F, 2.F, 4.F, 8.F}).view({2, 2, 2});
  const at::Tensor expected = at::tensor({0.F, 1.F, 1.F, 0.F}).view({2, 2});
  EXPECT_TRUE(at::allclose(gradcam(activation, gradient), expected));
}

TEST(Methods, AreFoundByName) { EXPECT_EQ(find_method("gradcam"), &gradcam); }

TEST(Methods, UnknownNameListsThoseThereAre) {
  try {
    find_method("gradkam");
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_STREQ(error.what(), "--method gradkam: allowed: gradcam");
  }
}

}  // namespace
}  // namespace gradcam
