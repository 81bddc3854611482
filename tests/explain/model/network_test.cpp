#include "stages/explain/model/network.h"

#include <gtest/gtest.h>

#include <optional>

#include "config/user_error.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

class LetGo : public testing::Test {
 protected:
  Model load() const { return {file_, c10::Device("cpu")}; }
  Network network() {
    return {load(), {}, [this] {
              ++loads_;
              return load();
            }};
  }

  const std::string file_ = tiny::saved(
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)}}, "  return self.conv.forward(x)\n"),
      "let_go");
  int loads_ = 0;
};

TEST_F(LetGo, TheModelIsLoadedAgainWhenItIsAskedFor) {
  const Network net = network();
  net.let_go();
  EXPECT_EQ(loads_, 0);
  EXPECT_TRUE(net.model().module().hasattr("conv"));
  EXPECT_EQ(net.model().path(), file_);
  EXPECT_EQ(loads_, 1);
}

TEST_F(LetGo, AModelThatOthersHoldStays) {
  const Network net = network();
  std::optional<Model> held = net.model();
  net.let_go();
  static_cast<void>(net.model());
  EXPECT_EQ(loads_, 0);
  held.reset();
  net.let_go();
  static_cast<void>(net.model());
  EXPECT_EQ(loads_, 1);
}

TEST_F(LetGo, AModelThatCannotBeLoadedAgainStays) {
  const Network net(load());
  net.let_go();
  EXPECT_TRUE(net.model().module().hasattr("conv"));
}

TEST_F(LetGo, WhatLoadingThrowsComesFromModel) {
  const Network net(load(), {}, []() -> Model {
    throw UserError(ExitCode::kModel, "model 'net.pt': has changed since the program started");
  });
  net.let_go();
  EXPECT_USER_ERROR(net.model(), ExitCode::kModel, "has changed");
}

}  // namespace
}  // namespace gradcam
