#include "stages/explain/model/bundle.h"

#include <gtest/gtest.h>
#include <torch/headeronly/version.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/user_error.h"
#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kParts[] = {"features.xml", "features.bin", "head.pt"};
constexpr const char* kModel = "model.pt";  // which may be missing

std::string version() {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + ".0";
}

/// A folder as it was made, but for the networks: open_bundle does not run them.
class BundleFolder : public testing::Test {
 protected:
  BundleFolder() {
    description_ = {{"layer", "layer4"},
                    {"stamp", {{"bundle", 3}, {"torch", version()}, {"layer", "layer4"}}}};
    for (const char* const name : kParts) add(name);
    add(kModel);
    write();
  }

  /// A file and its stamp.
  void add(const std::string& name) {
    const std::string content = "content of " + name;
    std::ofstream(path() / name) << content;
    const auto* const bytes = reinterpret_cast<const Bytef*>(content.data());
    description_["stamp"]["files"][name] = {
        {"bytes", content.size()}, {"crc32", crc32(0, bytes, static_cast<uInt>(content.size()))}};
  }

  fs::path path() const { return folder_.path(); }
  void write() const { std::ofstream(path() / "model.json") << description_.dump(); }
  /// What is wrong with it; empty if nothing is.
  std::string refusal() const {
    try {
      open_bundle(path().string());
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel);
      return error.what();
    }
    return "";
  }

  json description_;

 private:
  TempFolder folder_;
};

TEST_F(BundleFolder, WholeOneIsOpened) {
  const Bundle bundle = open_bundle(path().string());
  EXPECT_EQ(bundle.layer, "layer4");
  EXPECT_EQ(bundle.features(), (path() / "features.xml").string());
  EXPECT_FALSE(bundle.identity.empty());
}

TEST_F(BundleFolder, IdentityFollowsTheWeights) {
  const std::string before = open_bundle(path().string()).identity;
  description_["stamp"]["files"]["features.bin"] = {{"bytes", 0}, {"crc32", 0}};
  fs::resize_file(path() / "features.bin", 0);
  write();
  EXPECT_NE(open_bundle(path().string()).identity, before);
}

TEST_F(BundleFolder, EachPartMustBeWhole) {
  for (const std::string name : kParts) {
    const fs::path part = path() / name;
    const auto size = fs::file_size(part);
    fs::resize_file(part, size - 1);
    EXPECT_NE(refusal().find(name + " is missing, cut short or of another model"),
              std::string::npos);
    fs::resize_file(part, size);  // the right length, the wrong last byte
    EXPECT_NE(refusal().find(name), std::string::npos);
    std::ofstream(part, std::ios::trunc) << "content of " + name;
    EXPECT_EQ(refusal(), "");
  }
  fs::remove(path() / "head.pt");
  EXPECT_NE(refusal().find("head.pt"), std::string::npos);
}

TEST_F(BundleFolder, TheWholeNetworkMayBeMissingButNotBeAnother) {
  EXPECT_TRUE(open_bundle(path().string()).has_model);
  fs::resize_file(path() / kModel, 3);
  EXPECT_FALSE(open_bundle(path().string()).has_model);
  description_.erase("stamp");  // then nothing tells
  write();
  EXPECT_TRUE(has_sound_model(path().string()));
  fs::remove(path() / kModel);
  EXPECT_FALSE(has_sound_model(path().string()));
}

TEST_F(BundleFolder, TheCutIsWhereItWasMadeWhateverTheDescriptionSays) {
  description_["layer"] = "layer3";
  write();
  EXPECT_EQ(open_bundle(path().string()).layer, "layer4");
}

TEST_F(BundleFolder, SaysWhatItsInt8FormIs) {
  EXPECT_FALSE(open_bundle(path().string()).has_int8);
  add("features_int8.xml");
  add("features_int8.bin");
  description_["stamp"]["int8"] = {{"needs_vnni", true}, {"agrees", false}};
  write();
  const Bundle bundle = open_bundle(path().string());
  EXPECT_TRUE(bundle.has_int8);
  EXPECT_TRUE(bundle.int8_needs_vnni);
  EXPECT_FALSE(bundle.int8_agrees);
}

TEST_F(BundleFolder, IsKnownByItsStampThoughDamaged) {
  EXPECT_TRUE(is_bundle(path().string()));
  fs::remove(path() / "features.xml");
  EXPECT_TRUE(is_bundle(path().string()));
  std::ofstream(path() / "model.json", std::ios::trunc) << "{\"stamp\": ";
  EXPECT_FALSE(is_bundle(path().string()));
  EXPECT_FALSE(is_bundle((path() / "nothing").string()));
}

TEST_F(BundleFolder, OtherFormatsAndVersionsAreNamed) {
  description_["stamp"]["bundle"] = 2;
  write();
  EXPECT_NE(refusal().find("is of format 2, this program reads 3"), std::string::npos);
  description_["stamp"]["bundle"] = 3;
  description_["stamp"]["torch"] = "2.3.1";
  write();
  EXPECT_NE(refusal().find("was made with torch 2.3, this program runs"), std::string::npos);
}

TEST_F(BundleFolder, AnotherPatchReleaseOfTorchIsTaken) {
  description_["stamp"]["torch"] = version() + "9";
  write();
  EXPECT_EQ(refusal(), "");
}

TEST_F(BundleFolder, StampsThatAreNotUnderstoodAreRefused) {
  for (const json& stamp :
       {json(nullptr), json::array(), json{{"bundle", "1"}}, json{{"bundle", 3}}}) {
    description_["stamp"] = stamp;
    write();
    EXPECT_NE(refusal().find("no new ones are made"), std::string::npos) << stamp;
  }
  std::ofstream(path() / "model.json", std::ios::trunc) << "{\"stamp\": ";
  EXPECT_NE(refusal().find("no model.json with a stamp"), std::string::npos);
  fs::remove(path() / "model.json");
  EXPECT_NE(refusal().find("no model.json with a stamp"), std::string::npos);
}

}  // namespace
}  // namespace gradcam
