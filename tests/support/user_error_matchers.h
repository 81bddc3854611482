#pragma once

#include <gtest/gtest.h>

#include <string>

#include "config/user_error.h"

/// Expects `statement` to throw a UserError of this code whose message holds `part` and is one
/// line.
#define EXPECT_USER_ERROR(statement, expected_code, part)               \
  try {                                                                 \
    statement;                                                          \
    ADD_FAILURE() << "no UserError";                                    \
  } catch (const gradcam::UserError& error) {                           \
    EXPECT_EQ(error.code(), expected_code) << error.what();             \
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)  \
        << "message: " << error.what();                                 \
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos); \
  }
