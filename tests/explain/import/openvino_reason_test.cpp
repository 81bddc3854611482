#include "stages/explain/import/openvino_reason.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(OpenVinoReason, IsBehindWhatOnlyTellsWhere) {
  EXPECT_EQ(openvino_reason("Exception from src/a.cpp:1:\nCheck 'false' failed at src/b.cpp:47:\n"
                            "Loading input model\nInvalid usage of method\n"),
            "OpenVINO: Invalid usage of method");
  EXPECT_EQ(
      openvino_reason("Check 'a == b' failed at src/c.cpp:38:\n"
                      "While validating node 'opset1::Add Add_12 () -> ()' with friendly_name "
                      "'Add_12':\nShapes do not match\n"),
      "OpenVINO: Shapes do not match");
  EXPECT_EQ(openvino_reason("Loading input model\n"), "OpenVINO: Loading input model");
}

}  // namespace
}  // namespace gradcam
