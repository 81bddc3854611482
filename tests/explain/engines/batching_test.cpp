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
  EXPECT_EQ(calls, 6);  // four alone, four together, and those that were given
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
  EXPECT_EQ(calls, 7);
}

TEST(Batching, EachNumberOfInputsIsTriedForItself) {
  Batching batching;
  const auto function = [](const at::Tensor& inputs) {  // right for two, wrong for four
    return inputs.sum(1) + (inputs.size(0) == 4 ? 1 : 0);
  };
  EXPECT_TRUE(at::equal(batching.run(function, kInputs.narrow(0, 0, 2)), kSums.narrow(0, 0, 2)));
  EXPECT_TRUE(at::equal(batching.run(function, kInputs), kSums));
}

TEST(Batching, InputsThatAreAlikeDoNotHideThatTheyMix) {
  Batching batching;
  const auto function = [](const at::Tensor& inputs) {
    return inputs.sum(1) + inputs.mean() - inputs.mean({1});
  };
  const at::Tensor alike = at::ones({4, 2});
  batching.run(function, alike);
  const at::Tensor found = batching.run(function, kInputs);
  EXPECT_TRUE(at::equal(found, kSums));
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
