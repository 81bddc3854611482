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

/// [1, 36, 4] of a picture.
Port tokens_of(const Port& x) {
  return add<op::Transpose>(add<op::Reshape>(x, ints({1, 4, 36}), false), ints({0, 2, 1}));
}

/// [1, 36, 16]: with fewer channels OpenVINO 2026.4 reads past the end where each picture has
/// places of its own.
Port wide_tokens_of(const Port& x) {
  return add<op::Tile>(tokens_of(x), ints({1, 1, 4})) * numbers({16}, 6);
}

/// Which three tokens are the largest, [1, 3], and how large they are.
std::shared_ptr<op::TopK> largest(const Port& tokens) {
  return std::make_shared<op::TopK>(add<op::ReduceMean>(tokens, ints({2}), false), whole(3), 1,
                                    "max", "value", ov::element::i64);
}

Port table(const ov::Shape& shape, const std::vector<std::int64_t>& values) {
  return op::Constant::create(ov::element::i64, shape, values);
}

/// With places that the picture decides about, as detectors choose their queries.
std::vector<Operation> choices() {
  return {
      {"gather_in_each_picture",
       [](const Port& x) {
         const Port tokens = wide_tokens_of(x);
         return add<op::Gather>(tokens, largest(tokens)->output(1), whole(1), 1);
       }},
      {"gather_counted_from_the_end",
       [](const Port& x) {
         const Port tokens = wide_tokens_of(x);
         return add<op::Gather>(tokens, largest(tokens)->output(1) - whole(36), whole(1), 1);
       }},
      {"gather_of_one_picture",
       [](const Port& x) {
         const Port tokens = tokens_of(x);
         const Port places = add<op::Reshape>(largest(tokens)->output(1), ints({3}), false);
         return add<op::Gather>(add<op::Reshape>(tokens, ints({36, 4}), false), places, whole(0));
       },
       /*several=*/false},
      {"gather_of_one_place",
       [](const Port& x) {
         const Port tokens = tokens_of(x);
         const Port first = add<op::Gather>(largest(tokens)->output(1), ints({0}), whole(1));
         const Port place = add<op::Squeeze>(first, ints({0, 1}));
         return add<op::Gather>(tokens, place, whole(1));
       },
       /*several=*/false},
      {"gather_from_what_all_share",
       [](const Port& x) {
         const auto chosen = largest(tokens_of(x));
         const Port values = add<op::Unsqueeze>(chosen->output(0), ints({2}));
         return values * add<op::Gather>(numbers({36, 5}, 4), chosen->output(1), whole(0));
       }},
      {"gather_the_same_in_each",
       [](const Port& x) {
         return add<op::Gather>(wide_tokens_of(x), table({1, 2}, {-1, 7}), whole(1), 1);
       }},
      {"gather_elements",
       [](const Port& x) {
         const auto sorted =
             std::make_shared<op::TopK>(x, whole(6), 3, "max", "value", ov::element::i64);
         return add<op::GatherElements>(add<op::Tanh>(x), sorted->output(1) - whole(6), 3);
       }},
      {"gather_elements_the_same_in_each",
       [](const Port& x) {
         return add<op::GatherElements>(tokens_of(x), table({1, 1, 4}, {3, -1, 0, 35}), 1);
       }},
      {"gather_nd",
       [](const Port& x) {
         const Port last = add<op::Transpose>(x, ints({2, 3, 0, 1}));  // [6, 6, 1, 4]
         const Port chosen = add<op::GatherND>(last, table({3, 2}, {0, 5, -1, 2, 3, 3}));
         return add<op::Transpose>(chosen, ints({1, 0, 2}));
       }},
      {"gather_nd_in_each_picture",
       [](const Port& x) {
         const Port tokens = tokens_of(x);
         const Port places = add<op::Unsqueeze>(largest(tokens)->output(1), ints({2}));
         return add<op::GatherND>(tokens, places, 1);
       }},
      {"gather_nd_the_same_in_each",
       [](const Port& x) {
         return add<op::GatherND>(x, table({1, 3, 2}, {0, 5, 3, -6, 2, 1}), 1);
       }},
      {"gather_nd_of_one_picture",
       [](const Port& x) {
         const Port tokens = tokens_of(x);
         const Port places = add<op::Unsqueeze>(largest(tokens)->output(1), ints({2}));
         const Port pictures = add<op::Broadcast>(whole(0), ints({1, 3, 1}));
         return add<op::GatherND>(tokens, add<op::Concat>(ov::OutputVector{pictures, places}, 2));
       },
       /*several=*/false},
      {"scatter_nd_update",
       [](const Port& x) {
         const Port tokens = tokens_of(x);
         const Port rows = add<op::Reshape>(tokens, ints({36, 4}), false);
         const Port places = add<op::Reshape>(largest(tokens)->output(1), ints({3, 1}), false);
         return add<op::ScatterNDUpdate>(rows, places, numbers({3, 4}, 2));
       },
       /*several=*/false},
      {"where_it_is_large",
       [](const Port& x) {
         const Port mean = add<op::ReduceMean>(x, ints({2, 3}), true);
         return add<op::Select>(add<op::Greater>(x, mean), x * number(2), add<op::Tanh>(x));
       }},
      // Which OpenVINO's operations cannot compute of themselves.
      {"gather_nd_of_constants",
       [](const Port& x) {
         return x * add<op::GatherND>(numbers({5, 6}, 3), table({6, 1}, {0, 4, 1, 1, -1, 2}));
       }},
      {"einsum_of_constants",
       [](const Port& x) {
         const ov::OutputVector factors{numbers({6}, 3), numbers({6}, 4)};
         return x * add<op::Einsum>(factors, "h,w->hw");
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
      {"einsum_with_pictures_second",
       [](const Port& x) {
         const Port mixed =
             add<op::Einsum>(ov::OutputVector{x, add<op::Tanh>(x)}, "bchw, bkhw -> cbk");
         return add<op::Transpose>(mixed, ints({1, 0, 2}));
       }},
      {"attention",
       [](const Port& x) {
         return add<op::ScaledDotProductAttention>(x, add<op::Tanh>(x), x, false);
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Shapes, OpenVinoToTorch, testing::ValuesIn(shapes()), kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Choices, OpenVinoToTorch, testing::ValuesIn(choices()), kNameOfOperation);
INSTANTIATE_TEST_SUITE_P(Reductions, OpenVinoToTorch, testing::ValuesIn(reductions()),
                         kNameOfOperation);

}  // namespace
}  // namespace gradcam
