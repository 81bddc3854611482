#include "stages/explain/model/torch_reason.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(TorchReason, IsTheFirstLineOfAPlainMessage) {
  EXPECT_EQ(torch_reason("file not found\nException raised from f at g.cpp:1\n#0 h()"),
            "file not found");
  EXPECT_EQ(torch_reason(""), "");
}

TEST(TorchReason, LeavesTheTracebackOfTheInterpreterOut) {
  EXPECT_EQ(torch_reason("The following operation failed in the TorchScript interpreter.\n"
                         "Traceback of TorchScript (most recent call last):\n"
                         "  File \"net.py\", line 3, in forward\n"
                         "    return a + b\n"
                         "           ~~~~~ <--- HERE\n"
                         "RuntimeError: The size of tensor a (3) must match tensor b (4)\n"),
            "The size of tensor a (3) must match tensor b (4)");
}

TEST(TorchReason, TakesTheInnermostError) {
  EXPECT_EQ(torch_reason("ValueError: outer\nRuntimeError: \n  inner\nmore"), "inner");
}

TEST(TorchReason, LeavesOutWhatItSaysOfItsZipLibrary) {
  EXPECT_EQ(
      torch_reason("PytorchStreamReader failed reading zip archive: not a ZIP archive. This is "
                   "an internal miniz error. If you are seeing this error, there is"),
      "PytorchStreamReader failed reading zip archive: not a ZIP archive.");
}

TEST(TorchReason, HidesWhatATerminalWouldObey) {
  EXPECT_EQ(torch_reason("found '\x1b[2J\x1e' here:\nmore"), "found '?[2J?' here:");
}

TEST(TorchReason, HasAtMost160Characters) {
  EXPECT_EQ(torch_reason(std::string(160, 'x')), std::string(160, 'x'));
  EXPECT_EQ(torch_reason(std::string(161, 'x')), std::string(157, 'x') + "...");
}

}  // namespace
}  // namespace gradcam
