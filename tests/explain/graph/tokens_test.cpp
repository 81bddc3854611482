#include "stages/explain/graph/tokens.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace gradcam {
namespace {

constexpr TokenGrid kGrid{1, 2, 3};

ModelDescription with(std::optional<TokenGrid> tokens) {
  ModelDescription description;
  description.tokens = tokens;
  return description;
}

TEST(Tokens, ActivationWithPlacesStaysAsItIs) {
  const at::Tensor activation = at::rand({4, 2, 3});
  EXPECT_TRUE(to_places(activation, with(std::nullopt)).is_same(activation));
}

TEST(Tokens, ClassTokenIsDroppedAndTheRestLaidOut) {
  // Token t has the values 10 t and 10 t + 1 in its two channels.
  const at::Tensor tokens = at::stack({at::arange(7) * 10, at::arange(7) * 10 + 1}, 1);
  const at::Tensor places = to_places(tokens, with(kGrid));
  EXPECT_EQ(places.sizes(), (std::vector<std::int64_t>{2, 2, 3}));
  EXPECT_EQ(places[0][0][0].item<int>(), 10);
  EXPECT_EQ(places[1][1][2].item<int>(), 61);
}

TEST(Tokens, GridWithChannelsLastIsTurned) {
  const at::Tensor activation = at::rand({2, 3, 5});
  const at::Tensor places = to_places(activation, with(TokenGrid{0, 2, 3}));
  EXPECT_TRUE(at::equal(places[4], activation.select(2, 4)));
}

TEST(Tokens, WayBackKeepsTheClassToken) {
  const at::Tensor tokens = at::rand({7, 5});
  const at::Tensor places = to_places(tokens, with(kGrid));
  const at::Tensor back = from_places(at::stack({places, places * 2}), tokens, with(kGrid));
  EXPECT_TRUE(at::equal(back[0], tokens));
  EXPECT_TRUE(at::equal(back[1][0], tokens[0]));
  EXPECT_TRUE(at::equal(back[1][3], tokens[3] * 2));
  const at::Tensor grid = at::rand({2, 3, 5});
  const at::Tensor turned = to_places(grid, with(TokenGrid{0, 2, 3})).unsqueeze(0);
  EXPECT_TRUE(at::equal(from_places(turned, grid, with(TokenGrid{0, 2, 3}))[0], grid));
}

TEST(Tokens, WhatFollowsThePlacesIsLeftOutAndComesBack) {
  const at::Tensor tokens = at::rand({10, 5});  // a class token, 2x3 places, three to detect with
  const at::Tensor places = to_places(tokens, with(kGrid));
  EXPECT_TRUE(at::equal(places, to_places(tokens.narrow(0, 0, 7), with(kGrid))));
  const at::Tensor back = from_places(at::stack({places, places * 2}), tokens, with(kGrid));
  EXPECT_TRUE(at::equal(back[0], tokens));
  EXPECT_TRUE(at::equal(back[1].narrow(0, 7, 3), tokens.narrow(0, 7, 3)));
  EXPECT_TRUE(at::equal(back[1][6], tokens[6] * 2));
  const auto no_class_token = with(TokenGrid{0, 2, 3});
  const at::Tensor first = to_places(tokens, no_class_token).unsqueeze(0);
  EXPECT_TRUE(at::equal(from_places(first, tokens, no_class_token)[0], tokens));
}

TEST(Tokens, AMapBeforeThePatchesBecomeTokensStaysAsItIs) {
  const at::Tensor map = at::rand({5, 4, 6});
  EXPECT_TRUE(to_places(map, with(kGrid)).is_same(map));
  const at::Tensor places = at::rand({2, 5, 4, 6});
  EXPECT_TRUE(from_places(places, map, with(kGrid)).is_same(places));
}

TEST(Tokens, ChannelsLastIsSeenByTheProportionsOfTheInput) {
  ModelDescription wide;  // 224x224 it is not
  wide.input_height = 96;
  wide.input_width = 160;
  EXPECT_TRUE(is_channels_last(std::vector<std::int64_t>{12, 20, 3}, wide));
  EXPECT_TRUE(is_channels_last(std::vector<std::int64_t>{3, 5, 768}, wide));
  EXPECT_FALSE(is_channels_last(std::vector<std::int64_t>{3, 12, 20}, wide));
  EXPECT_FALSE(is_channels_last(std::vector<std::int64_t>{768, 3, 5}, wide));
  EXPECT_FALSE(is_channels_last(std::vector<std::int64_t>{12, 12, 20}, wide));
  const ModelDescription square = with(std::nullopt);
  EXPECT_TRUE(is_channels_last(std::vector<std::int64_t>{7, 7, 768}, square));
  EXPECT_FALSE(is_channels_last(std::vector<std::int64_t>{7, 7, 7}, square));
  EXPECT_FALSE(is_channels_last(std::vector<std::int64_t>{512, 14, 14}, square));
}

TEST(Tokens, ChannelsLastComesAndGoesWithoutAGrid) {
  const at::Tensor activation = at::rand({7, 7, 5});
  const at::Tensor places = to_places(activation, with(std::nullopt));
  EXPECT_TRUE(at::equal(places[4], activation.select(2, 4)));
  const at::Tensor back = from_places(places.unsqueeze(0), activation, with(std::nullopt));
  EXPECT_TRUE(at::equal(back[0], activation));
}

TEST(Tokens, OtherNumbersAreAnErrorThatSaysBoth) {
  EXPECT_THROW(to_places(at::rand({6, 5}), with(kGrid)), std::runtime_error);
  EXPECT_THROW(to_places(at::rand({3, 5}), with(std::nullopt)), std::runtime_error);
}

TEST(Tokens, WithoutADescriptionTheyLieInTheLargestGridOfTheInputsProportions) {
  const auto found = [](std::int64_t tokens, int height, int width) {
    ModelDescription description;
    description.input_height = height;
    description.input_width = width;
    const auto grid = grid_of(tokens, description);
    return grid ? std::vector<int>{grid->drop, grid->height, grid->width} : std::vector<int>();
  };
  using Grid = std::vector<int>;
  EXPECT_EQ(found(197, 224, 224), (Grid{1, 14, 14}));
  EXPECT_EQ(found(198, 224, 224), (Grid{2, 14, 14}));  // a token to distil, too
  EXPECT_EQ(found(261, 224, 224), (Grid{5, 16, 16}));  // four registers
  EXPECT_EQ(found(49, 224, 224), (Grid{0, 7, 7}));
  EXPECT_EQ(found(1 + 12 * 40, 192, 640), (Grid{1, 12, 40}));
  EXPECT_EQ(found(768, 224, 224), Grid());  // channels
  EXPECT_EQ(found(1, 224, 224), Grid());
}

TEST(Tokens, WithoutADescriptionTheyComeAndGoAsPlaces) {
  const at::Tensor tokens = at::rand({17, 5});
  const at::Tensor places = to_places(tokens, with(std::nullopt));
  EXPECT_EQ(places.sizes(), (std::vector<std::int64_t>{5, 4, 4}));
  EXPECT_TRUE(at::equal(from_places(places.unsqueeze(0), tokens, with(std::nullopt))[0], tokens));
}

}  // namespace
}  // namespace gradcam
