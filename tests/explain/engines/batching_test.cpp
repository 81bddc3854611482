#include "stages/explain/engines/batching.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace gradcam {
namespace {

const at::Tensor kInputs = at::arange(8).to(at::kFloat).view({4, 2});
const at::Tensor kSums = kInputs.sum(1);

TEST(Batching, FunctionOfManyRunsOnceAndThenAlways) {
  Batching batching;
  int calls = 0;
  const auto function = [&](const at::Tensor& inputs) {
    ++calls;
    return inputs.sum(1);
  };
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
  EXPECT_EQ(calls, 4);  // two alone, the two together, all
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
  EXPECT_EQ(calls, 5);
}

TEST(Batching, FunctionThatRefusesManyIsGivenThemOneByOne) {
  Batching batching;
  const auto function = [](const at::Tensor& inputs) {
    if (inputs.size(0) != 1) throw std::runtime_error("made for one");
    return inputs.sum(1);
  };
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
}

TEST(Batching, FunctionThatMixesItsInputsIsFoundOut) {
  Batching batching;
  const auto function = [](const at::Tensor& inputs) {
    return inputs.sum(1) + inputs.mean() - inputs.mean({1}).select(0, 0);
  };
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
}

}  // namespace
}  // namespace gradcam
