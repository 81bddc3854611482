#include "stages/explain/import/file_format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

TEST(FileFormat, IsToldByTheEnding) {
  EXPECT_EQ(front_end_of("net.ONNX"), "onnx");
  EXPECT_EQ(front_end_of("net.pdmodel"), "paddle");
  EXPECT_EQ(name_of_format("net.xml"), "OpenVINO IR");
  EXPECT_FALSE(is_other_format("net.pt"));
  EXPECT_FALSE(is_other_format("net.bundle"));
}

TEST(FileFormat, AFolderWithASavedModelIsOfTensorFlow) {
  const TempFolder folder;
  const std::string path = folder.path().string();
  EXPECT_FALSE(is_other_format(path));
  folder.file("saved_model.pb", "");
  EXPECT_EQ(front_end_of(path), "tf");
  EXPECT_NO_THROW(require_readable_format(path));
  EXPECT_USER_ERROR(require_readable_format((folder / "saved_model.pb").string()), ExitCode::kModel,
                    "give the folder that it lies in");
}

TEST(FileFormat, WhatNothingReadsIsRefusedWithAWayOut) {
  const struct {
    const char* file;
    const char* advice;
  } kCases[] = {{"a.pt2", "torch.onnx.export(torch.export.load('a.pt2'), (), 'net.onnx')"},
                {"a.h5", "load_model('a.h5')"},
                {"a.keras", "TensorFlow Lite"},
                {"a.safetensors", "scripts/export_model.py"},
                {"a.engine", "ONNX"},
                {"a.mlpackage", "Core ML"}};
  for (const auto& [file, advice] : kCases) {
    EXPECT_TRUE(is_other_format(file)) << file;
    EXPECT_USER_ERROR(require_readable_format(file), ExitCode::kModel, advice);
  }
}

/// TensorFlow's part of OpenVINO would fill the terminal.
TEST(FileFormat, NoiseIsNoGraphOfTensorFlow) {
  const TempFolder folder;
  const std::string nodes =
      "\x0a\x03"
      "abc";  // field 1, three bytes
  EXPECT_NO_THROW(require_readable_format(folder.file("net.pb", nodes)));
  for (const std::string& bytes : {std::string(5000, '\x5a'), std::string(), nodes.substr(0, 4)}) {
    EXPECT_USER_ERROR(require_readable_format(folder.file("noise.pb", bytes)), ExitCode::kModel,
                      "not a file of TensorFlow that can be read");
  }
}

}  // namespace
}  // namespace gradcam
