#include "config/suggest.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

using Names = std::vector<std::string>;

TEST(NearNames, EqualButForCaseComesFirst) {
  EXPECT_EQ(near_names("Cock", {"cocker spaniel", "peacock", "cock"}),
            (Names{"cock", "cocker spaniel", "peacock"}));
}

TEST(NearNames, BeginningThenContentsThenTypingErrors) {
  EXPECT_EQ(near_names("layer4", {"layer3", "net.layer4", "layer4.2.conv3", "layer4.2"}),
            (Names{"layer4.2", "layer4.2.conv3", "net.layer4", "layer3"}));
}

TEST(NearNames, OneTypingErrorInThreeLetters) {
  EXPECT_EQ(near_names("abc", {"abd", "aed", "xyz"}), Names{"abd"});
  EXPECT_EQ(near_names("opcaity", {"opacity"}), Names{"opacity"});      // neighbours swapped
  EXPECT_EQ(near_names("opcty", {"opacity"}), Names{});                 // two left out of five
  EXPECT_EQ(near_names("colourmap", {"colormap"}), Names{"colormap"});  // one too many
}

TEST(NearNames, NearerErrorsFirstThenTheOrderGiven) {
  EXPECT_EQ(near_names("layer2.conv9", {"layer3.conv8", "layer2.conv2", "layer2.conv1"}),
            (Names{"layer2.conv2", "layer2.conv1", "layer3.conv8"}));
}

TEST(NearNames, WhatTheWantedNameBeginsWith) {
  EXPECT_EQ(near_names("output-file-name", {"output", "out", "o"}), (Names{"output", "out"}));
}

TEST(NearNames, NothingInCommonIsNoSuggestion) {
  EXPECT_EQ(near_names("zebra", {"opacity", "view"}), Names{});
  EXPECT_EQ(near_names("", {"opacity"}), Names{});
  EXPECT_EQ(near_names("x", {"y"}), Names{});
}

TEST(NearNames, AtMostAsManyAsAsked) {
  EXPECT_EQ(near_names("a", {"a1", "a2", "a3", "a4", "a5", "a6"}).size(), 5U);
  EXPECT_EQ(near_names("a", {"a1", "a2", "a3"}, 2), (Names{"a1", "a2"}));
}

TEST(DidYouMean, NamesUpToThree) {
  EXPECT_EQ(did_you_mean("opacty", {"opacity", "view"}), "; did you mean 'opacity'?");
  EXPECT_EQ(did_you_mean("a", {"a1", "a2", "a3", "a4"}), "; did you mean 'a1' or 'a2' or 'a3'?");
  EXPECT_EQ(did_you_mean("zebra", {"opacity"}), "");
  EXPECT_EQ(did_you_mean("opacty", {"opacity"}, "--"), "; did you mean '--opacity'?");
}

}  // namespace
}  // namespace gradcam
