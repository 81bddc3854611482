#include "tests/explain/import/operation_case.h"

namespace gradcam {
namespace {

std::vector<Operation> shapes() {
  const auto tokens = [](const Port& x) {  // [1, 36, 4]
    return add<op::Transpose>(add<op::Reshape>(x, ints({1, 4, 36}), false), ints({0, 2, 1}));
  };
  return {
      {"reshape",
       [](const Port& x) {
         return add<op::Reshape>(x, ints({1, 4, -1}), false);
       }},
      {"reshape_zero_keeps",
       [](const Port& x) {
         return add<op::Reshape>(x, ints({0, 2, 2, -1}), true);
       }},
      {"transpose",
       [](const Port& x) {
         return add<op::Transpose>(x, ints({0, 2, 3, 1}));
       }},
      {"squeeze_and_unsqueeze",
       [](const Port& x) {
         const Port mean = add<op::ReduceMean>(x, ints({2}), true);
         return add<op::Unsqueeze>(add<op::Squeeze>(mean, ints({2})), ints({3}));
       }},
      {"concat",
       [](const Port& x) {
         return add<op::Concat>(ov::OutputVector{x, add<op::Relu>(x)}, 1);
       }},
      {"class_token",
       [=](const Port& x) {
         return add<op::Concat>(ov::OutputVector{numbers({1, 1, 4}, 3), tokens(x)}, 1);
       }},
      {"windows_and_back",  // a Swin's, whose batch grows
       [](const Port& x) {
         const Port last = add<op::Transpose>(x, ints({0, 2, 3, 1}));
         const Port split = add<op::Reshape>(last, ints({1, 3, 2, 3, 2, 4}), false);
         const Port windows = add<op::Transpose>(split, ints({0, 1, 3, 2, 4, 5}));
         const Port flat = add<op::Reshape>(windows, ints({9, 4, 4}), false);
         const Port mixed = add<op::MatMul>(add<op::Softmax>(flat, 2), flat, false, false);
         const Port back = add<op::Reshape>(mixed, ints({1, 3, 3, 2, 2, 4}), false);
         return add<op::Reshape>(add<op::Transpose>(back, ints({0, 1, 3, 2, 4, 5})),
                                 ints({1, 6, 6, 4}), false);
       }},
      {"split",
       [](const Port& x) {
         const auto parts = std::make_shared<op::Split>(x, whole(1), 2);
         return parts->output(0) * add<op::Sigmoid>(parts->output(1));
       }},
      {"split_in_sizes",
       [](const Port& x) {
         const auto parts = std::make_shared<op::VariadicSplit>(x, whole(-3), ints({1, 3}));
         return parts->output(1) * parts->output(0);
       }},
      {"slice",
       [](const Port& x) {
         return add<op::Slice>(x, ints({1, 0}), ints({6, 9}), ints({2, 1}), ints({2, 3}));
       }},
      {"slice_backwards",
       [](const Port& x) {
         return add<op::Slice>(x, ints({-1}), ints({-9}), ints({-2}), ints({3}));
       }},
      {"strided_slice",
       [](const Port& x) {
         return add<op::StridedSlice>(
             x, ints({0, 1, 0, 2}), ints({0, 3, 5, 3}), ints({1, 1, 2, 1}),
             std::vector<std::int64_t>{1, 0, 1, 0}, std::vector<std::int64_t>{1, 0, 0, 0},
             std::vector<std::int64_t>{}, std::vector<std::int64_t>{0, 0, 0, 1});
       }},
      {"gather_one", [](const Port& x) { return add<op::Gather>(x, whole(-1), whole(1)); }},
      {"gather_several",
       [](const Port& x) {
         return add<op::Gather>(x, ints({2, 0, 0}), whole(3));
       }},
      {"gather_table",
       [](const Port& x) {
         const Port table = op::Constant::create(ov::element::i64, {2, 2}, {0, 3, 1, 2});
         return add<op::Gather>(x, table, whole(1));
       }},
      {"broadcast",
       [](const Port& x) {
         return add<op::Broadcast>(add<op::ReduceMean>(x, ints({2, 3}), true), ints({1, 4, 3, 5}));
       }},
      {"tile",
       [](const Port& x) {
         return add<op::Tile>(x, ints({1, 2, 1, 2}));
       }},
      {"depth_to_space_blocks_first",
       [](const Port& x) {
         return add<op::DepthToSpace>(x, op::DepthToSpace::DepthToSpaceMode::BLOCKS_FIRST, 2);
       }},
      {"depth_to_space_depth_first",
       [](const Port& x) {
         return add<op::DepthToSpace>(x, op::DepthToSpace::DepthToSpaceMode::DEPTH_FIRST, 2);
       }},
      {"space_to_depth_blocks_first",
       [](const Port& x) {
         return add<op::SpaceToDepth>(x, op::SpaceToDepth::SpaceToDepthMode::BLOCKS_FIRST, 2);
       }},
      {"space_to_depth_depth_first",
       [](const Port& x) {
         return add<op::SpaceToDepth>(x, op::SpaceToDepth::SpaceToDepthMode::DEPTH_FIRST, 2);
       }},
      {"shuffle_channels", [](const Port& x) { return add<op::ShuffleChannels>(x, 1, 2); }},
      {"roll",
       [](const Port& x) {
         return add<op::Roll>(x, ints({1, -2}), ints({2, 3}));
       }},
      {"places_of_the_largest",
       [](const Port& x) {
         return add<op::TopK>(x, whole(3), 3, "max", "value", ov::element::i64);
       }},
  };
}

std::vector<Operation> reductions() {
  const auto mvn = [](const std::vector<std::int64_t>& axes, bool variance,
                      ov::op::MVNEpsMode mode) {
    return [=](const Port& x) { return add<op::MVN>(x, ints(axes), variance, 1e-3F, mode); };
  };
  return {
      {"mean",
       [](const Port& x) {
         return add<op::ReduceMean>(x, ints({2, 3}), false);
       }},
      {"sum", [](const Port& x) { return add<op::ReduceSum>(x, ints({-1}), true); }},
      {"max",
       [](const Port& x) {
         return add<op::ReduceMax>(x, ints({2, 3}), true);
       }},
      {"min", [](const Port& x) { return add<op::ReduceMin>(x, ints({1}), false); }},
      {"product", [](const Port& x) { return add<op::ReduceProd>(x, ints({3}), false); }},
      {"norm_1", [](const Port& x) { return add<op::ReduceL1>(x, ints({1}), true); }},
      {"norm_2", [](const Port& x) { return add<op::ReduceL2>(x, ints({1}), true); }},
      {"matmul",
       [](const Port& x) {
         return add<op::MatMul>(x, numbers({6, 3}, 2), false, false);
       }},
      {"matmul_transposed",
       [](const Port& x) {
         return add<op::MatMul>(x, numbers({3, 6}, 2), false, true);
       }},
      {"matmul_of_two",
       [](const Port& x) { return add<op::MatMul>(x, add<op::Tanh>(x), true, false); }},
      {"softmax", [](const Port& x) { return add<op::Softmax>(x, -1); }},
      {"log_softmax", [](const Port& x) { return add<op::LogSoftmax>(x, 1); }},
      {"layer_norm", mvn({3}, true, ov::op::MVNEpsMode::INSIDE_SQRT)},
      {"layer_norm_over_channels", mvn({1}, true, ov::op::MVNEpsMode::INSIDE_SQRT)},
      {"norm_outside", mvn({2, 3}, true, ov::op::MVNEpsMode::OUTSIDE_SQRT)},
      {"centred", mvn({2, 3}, false, ov::op::MVNEpsMode::INSIDE_SQRT)},
      {"batch_norm",
       [](const Port& x) {
         return add<op::BatchNormInference>(x, numbers({4}, 1), numbers({4}, 2), numbers({4}, 3),
                                            add<op::Abs>(numbers({4}, 4)) + number(0.5F), 1e-3);
       }},
      {"group_norm",
       [](const Port& x) {
         return add<op::GroupNormalization>(x, numbers({4}, 1), numbers({4}, 2), 2, 1e-3);
       }},
      {"normalize_l2",
       [](const Port& x) {
         return add<op::NormalizeL2>(x, ints({1}), 1e-3F, ov::op::EpsMode::ADD);
       }},
      {"cumulative_sum", [](const Port& x) { return add<op::CumSum>(x, whole(3)); }},
      {"einsum",
       [](const Port& x) {
         return add<op::Einsum>(ov::OutputVector{x, numbers({4, 6, 3}, 2)}, "bchw,cwk->bhk");
       }},
      {"attention",
       [](const Port& x) {
         return add<op::ScaledDotProductAttention>(x, add<op::Tanh>(x), x, false);
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Shapes, OpenVinoToTorch, testing::ValuesIn(shapes()), kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Reductions, OpenVinoToTorch, testing::ValuesIn(reductions()),
                         kNameOfOperation);

}  // namespace
}  // namespace gradcam
