#pragma once

// Precompiled for the tests that use LibTorch.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "stages/explain/torch_headers.h"
