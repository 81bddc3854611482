#include "pipeline/keys.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace gradcam {
namespace {

Explanation cats() {
  Explanation explanation;
  explanation.top = {{281, "tabby", 0.7f}, {282, "tiger cat", 0.2f}, {287, "", 0.1f}};
  explanation.targets = {explanation.top[1]};
  explanation.method = "gradcam";
  explanation.layers = {"layer3"};
  return explanation;
}

const std::vector<std::string> kLayers = {"layer2", "layer3", "layer4"};

/// Settings under the keys of a window.
class Keys : public testing::Test {
 protected:
  Keys() : shown_(cats()) {
    context_.shown = &shown_;
    context_.layers = kLayers;
    context_.methods = {"gradcam", "gradcam++", "layercam"};
  }
  KeyEffect press(int code) { return apply_key(code, context_, settings_); }

  Explanation shown_;
  KeyContext context_;
  ViewSettings settings_;
};

struct Press {
  int code;
  KeyAction action;
  const char* notice;
};

std::ostream& operator<<(std::ostream& out, const Press& press) {
  return out << "key " << press.code << (*press.notice != 0 ? ": " : "") << press.notice;
}

class EachKey : public Keys, public testing::WithParamInterface<Press> {};

TEST_P(EachKey, AsksFor) {
  const KeyEffect effect = press(GetParam().code);
  EXPECT_EQ(effect.action, GetParam().action);
  EXPECT_EQ(effect.notice, GetParam().notice);
}

INSTANTIATE_TEST_SUITE_P(
    OfTheWindow, EachKey,
    testing::Values(Press{'q', KeyAction::kQuit, ""}, Press{'Q', KeyAction::kQuit, ""},
                    Press{27, KeyAction::kQuit, ""}, Press{0x100000 | 'q', KeyAction::kQuit, ""},
                    Press{' ', KeyAction::kPause, ""}, Press{'.', KeyAction::kStep, ""},
                    Press{'s', KeyAction::kScreenshot, ""}, Press{'f', KeyAction::kFullScreen, ""},
                    Press{'h', KeyAction::kRedraw, "HUD off"},
                    Press{'v', KeyAction::kRedraw, "view: heat map"},
                    Press{'[', KeyAction::kRedraw, "opacity 0.4"},
                    Press{']', KeyAction::kRedraw, "opacity 0.6"},
                    Press{'c', KeyAction::kRedraw, "colour map: turbo"},
                    Press{'m', KeyAction::kExplain, "method gradcam++"},
                    Press{'l', KeyAction::kExplain, "layer layer4"},
                    Press{'k', KeyAction::kExplain, "layer layer2"},
                    Press{'1', KeyAction::kExplain, "rank 1: tabby"},
                    Press{'3', KeyAction::kExplain, "rank 3: class 287"},
                    Press{'5', KeyAction::kExplain, "rank 5"},
                    Press{'0', KeyAction::kExplain, "best class"},
                    Press{'t', KeyAction::kExplain, "class locked: tiger cat"}));

TEST_F(Keys, OthersChangeNothing) {
  for (const int code : std::initializer_list<int>{65505, 65513, 13, 'x', '6', '9', 255, 0xFFFF}) {
    const KeyEffect effect = press(code);
    EXPECT_EQ(effect.action, KeyAction::kNothing) << code;
    EXPECT_EQ(effect.notice, "") << code;
  }
  EXPECT_EQ(settings_.overlay.opacity, 0.5);
  EXPECT_FALSE(settings_.paused);
}

TEST_F(Keys, SpacePausesAndGoesOn) {
  press(' ');
  EXPECT_TRUE(settings_.paused);
  press(' ');
  EXPECT_FALSE(settings_.paused);
}

TEST_F(Keys, AStepPauses) {
  press('.');
  EXPECT_TRUE(settings_.paused);
  press('.');
  EXPECT_TRUE(settings_.paused);
}

TEST_F(Keys, OpacityStaysWithinItsRange) {
  for (int i = 0; i < 5; ++i) press(']');
  EXPECT_EQ(settings_.overlay.opacity, 1.0);
  EXPECT_EQ(press(']').notice, "opacity 1");
  for (int i = 0; i < 10; ++i) press('[');
  EXPECT_EQ(settings_.overlay.opacity, 0.0);
  EXPECT_EQ(press('[').notice, "opacity 0");
}

TEST_F(Keys, OpacityKeepsItsHundredths) {
  settings_.overlay.opacity = 0.45;
  EXPECT_EQ(press(']').notice, "opacity 0.55");
}

TEST_F(Keys, ViewsComeRoundInOrder) {
  std::vector<ViewKind> views;
  for (int i = 0; i < 4; ++i) {
    press('v');
    views.push_back(settings_.overlay.view);
  }
  EXPECT_EQ(views, (std::vector{ViewKind::kHeatmap, ViewKind::kSideBySide, ViewKind::kOriginal,
                                ViewKind::kOverlay}));
}

TEST_F(Keys, GuidedViewsComeInTurnWhereThereIsAGradient) {
  shown_.guided = InputGradient{};
  settings_.overlay.view = ViewKind::kOriginal;
  EXPECT_EQ(press('v').notice, "view: guided backpropagation");
  EXPECT_EQ(press('v').notice, "view: guided Grad-CAM");
  EXPECT_EQ(press('v').notice, "view: overlay");
}

TEST_F(Keys, ColourMapsComeRoundAfterAllEight) {
  for (int i = 0; i < 7; ++i) press('c');
  EXPECT_EQ(settings_.overlay.colormap, Colormap::kBone);
  press('c');
  EXPECT_EQ(settings_.overlay.colormap, Colormap::kJet);
}

TEST_F(Keys, HudGoesAndComesBack) {
  press('h');
  EXPECT_FALSE(settings_.overlay.hud);
  EXPECT_EQ(press('h').notice, "HUD on");
  EXPECT_TRUE(settings_.overlay.hud);
}

TEST_F(Keys, ADigitIsARank) {
  settings_.target.index = 281;
  press('2');
  EXPECT_EQ(settings_.target.rank, 2);
  EXPECT_EQ(settings_.target.index, -1);
}

TEST_F(Keys, ZeroIsTheBestAgain) {
  settings_.target = {3, 2, 281};
  press('0');
  EXPECT_EQ(settings_.target.best, 1);
  EXPECT_EQ(settings_.target.rank, 0);
  EXPECT_EQ(settings_.target.index, -1);
}

TEST_F(Keys, LockTakesTheClassOnTheScreenAndKeepsIt) {
  settings_.target.rank = 2;
  press('t');
  EXPECT_EQ(settings_.target.index, 282);
  EXPECT_EQ(settings_.target.rank, 0);
  EXPECT_EQ(press('t').action, KeyAction::kNothing);
  EXPECT_EQ(settings_.target.index, 282);
  shown_.targets = {shown_.top[0]};  // of a frame explained before the lock
  EXPECT_EQ(press('t').notice, "class locked: class 282");
  EXPECT_EQ(settings_.target.index, 282);
}

TEST_F(Keys, NothingCanBeLockedBeforeAnExplanation) {
  context_.shown = nullptr;
  const KeyEffect effect = press('t');
  EXPECT_EQ(effect.action, KeyAction::kNothing);
  EXPECT_EQ(effect.notice, "no class to lock yet");
  EXPECT_EQ(settings_.target.index, -1);
}

TEST_F(Keys, LayersEndAtBothEnds) {
  press('l');
  EXPECT_EQ(settings_.layer, "layer4");
  const KeyEffect effect = press('l');
  EXPECT_EQ(effect.action, KeyAction::kNothing);
  EXPECT_EQ(effect.notice, "last layer: layer4");
  press('k');
  press('k');
  EXPECT_EQ(settings_.layer, "layer2");
  EXPECT_EQ(press('k').notice, "first layer: layer2");
  EXPECT_EQ(settings_.layer, "layer2");
}

TEST_F(Keys, FromALayerOutsideTheListTheLastIsNext) {
  shown_.layers = {"layer4.2.conv3"};
  press('k');
  EXPECT_EQ(settings_.layer, "layer4");
}

TEST_F(Keys, LayersThatAreNotKnownYetAreSaid) {
  context_.layers.clear();
  EXPECT_EQ(press('l').notice, "layers are not known yet");
  EXPECT_EQ(settings_.layer, "");
}

TEST_F(Keys, WhatSpeaksForOrAgainstAValueStays) {
  settings_.target.push = TargetChoice::Push::kUp;
  press('2');
  EXPECT_EQ(settings_.target.push, TargetChoice::Push::kUp);
  press('t');
  EXPECT_EQ(settings_.target.push, TargetChoice::Push::kUp);
}

TEST_F(Keys, MethodsGoRound) {
  settings_.method = "layercam";
  press('m');
  EXPECT_EQ(settings_.method, "gradcam");
  settings_.method = "scorecam";  // given by an option, and not in the list
  press('m');
  EXPECT_EQ(settings_.method, "gradcam");
}

TEST(LayerKeys, AreTheOnesThatLookAtLayers) {
  for (const int code : std::initializer_list<int>{'l', 'k', 'L'})
    EXPECT_TRUE(chooses_layer(code)) << code;
  for (const int code : std::initializer_list<int>{'q', ' ', 65505})
    EXPECT_FALSE(chooses_layer(code)) << code;
}

}  // namespace
}  // namespace gradcam
