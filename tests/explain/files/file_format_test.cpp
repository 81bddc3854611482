#include "stages/explain/files/file_format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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
  for (const char* path : {"net.pt", "net.PTH", "net.ptl", "net.torchscript", "net.Tflite"}) {
    EXPECT_TRUE(is_network_file(path)) << path;
  }
  EXPECT_FALSE(is_network_file("film.ts"));
}

/// A zip file of empty members, as far as its directory goes.
std::string zip_of(const std::vector<std::string>& names) {
  const auto two = [](std::size_t value) {
    return std::string{static_cast<char>(value % 256), static_cast<char>(value / 256)};
  };
  std::string bytes;
  for (const std::string& name : names) {
    bytes += "PK\x01\x02" + std::string(24, '\0') + two(name.size()) + std::string(16, '\0') + name;
  }
  return bytes + "PK\x05\x06" + std::string(18, '\0');
}

TEST(FileFormat, TorchScriptIsToldByWhatItHolds) {
  const TempFolder folder;
  const std::string network = zip_of({"net/data.pkl", "net/code/a.py", "net/constants.pkl"});
  for (const char* name : {"net.pt", "net.pth", "net", "net.model"}) {
    EXPECT_NO_THROW(require_readable_format(folder.file(name, network)));
  }
  const struct {
    const char* name;
    std::string bytes;
    const char* words;
  } kCases[] = {
      {"weights.pt", zip_of({"a/data.pkl", "a/data/0", "a/version"}), "holds weights or a pickled"},
      {"weights.pth", zip_of({"a/data.pkl"}), "/weights.pth --arch NAME"},
      {"old.pth", "\x80\x02\x8a\x0al\xfc", "holds weights or a pickled"},
      {"export.pt", zip_of({"a/models/model.json", "a/data/sample_inputs/model.pt"}),
       "torch.export"},
      {"export_old.pt", zip_of({"serialized_exported_program.json", "version"}),
       "/export_old.pt')"},
      {"cut.pt", network.substr(0, network.size() - 30), "no zip archive, or cut short"},
      {"text.pt", "not a network", "no zip archive, or cut short"},
      {"net.txt", "not a network", "of no known kind: allowed are .pt, .pth, .ptl"},
      {"picture.zip", zip_of({"a.png"}), "of no known kind"},
      {"empty.pt", "", "the file is empty"},
      {"empty.onnx", "", "the file is empty"}};
  for (const auto& [name, bytes, words] : kCases) {
    EXPECT_USER_ERROR(require_readable_format(folder.file(name, bytes)), ExitCode::kModel, words);
  }
}

TEST(FileFormat, OfWeightsTheirNetworkIsNamed) {
  const TempFolder folder;
  folder.file("net.xml", "x");
  folder.file("net.onnx", "x");
  for (const auto& [weights, network] :
       {std::pair{"net.bin", "/net.xml'"}, std::pair{"net.onnx.data", "/net.onnx'"}}) {
    EXPECT_USER_ERROR(require_readable_format(folder.file(weights, "x")), ExitCode::kModel,
                      network);
  }
  EXPECT_USER_ERROR(require_readable_format(folder.file("other.bin", "x")), ExitCode::kModel,
                    "of no known kind");
}

TEST(FileFormat, OfOpenVinoTwoVersionsAreRead) {
  const TempFolder folder;
  const auto with = [&](const std::string& version) {
    return folder.file("net.xml", "<?xml version=\"1.0\"?>\n<net name=\"a\" " + version + ">\n");
  };
  EXPECT_NO_THROW(require_readable_format(with("version=\"10\"")));
  EXPECT_NO_THROW(require_readable_format(with("version=\"11\"")));
  EXPECT_USER_ERROR(require_readable_format(with("version=\"99\"")), ExitCode::kModel,
                    "is OpenVINO IR of version 99; those of 10 and 11 are read");
  EXPECT_USER_ERROR(require_readable_format(with("")), ExitCode::kModel, "it has no version");
}

TEST(FileFormat, AFolderStandsForTheOneNetworkInIt) {
  const TempFolder folder;
  const std::string path = folder.path().string();
  EXPECT_EQ(network_at(path + "/net.pt"), path + "/net.pt");
  EXPECT_USER_ERROR(network_at(path), ExitCode::kModel,
                    "a folder: give the network file in it (.pt");
  folder.file("weights.safetensors", "");
  EXPECT_EQ(network_at(path), path + "/weights.safetensors");  // whose refusal tells what to do
  folder.file("net.bin", "");
  folder.file("metadata.yaml", "");
  folder.file("net.xml", "");
  EXPECT_EQ(network_at(path), path + "/net.xml");
  EXPECT_EQ(network_in(path), path + "/net.xml");
  folder.file("a.PT", "");
  EXPECT_EQ(network_in(path), "");
  EXPECT_USER_ERROR(network_at(path), ExitCode::kModel,
                    "give the network file in it (a.PT, net.xml)");
  folder.file("saved_model.pb", "");
  EXPECT_EQ(network_at(path), path);
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
  for (const std::string& bytes : {std::string(5000, '\x5a'), nodes.substr(0, 4)}) {
    EXPECT_USER_ERROR(require_readable_format(folder.file("noise.pb", bytes)), ExitCode::kModel,
                      "not a file of TensorFlow that can be read");
  }
}

}  // namespace
}  // namespace gradcam
