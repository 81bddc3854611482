#include "stages/explain/model/bundle.h"

#include <torch/headeronly/version.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 3;  ///< the last that was made; tests/explain/old_bundle_test.cpp tells how

[[noreturn]] void bad(const std::string& folder, const std::string& why) {
  throw UserError(ExitCode::kModel, "bundle '" + folder + "': " + why);
}

std::optional<std::uint32_t> crc32_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<char, 1 << 16> part{};
  uLong sum = crc32(0, nullptr, 0);
  while (in) {
    in.read(part.data(), part.size());
    sum = crc32(sum, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(in.gcount()));
  }
  if (!in.eof()) return std::nullopt;
  return static_cast<std::uint32_t>(sum);
}

/// Whether the file is what its stamp says.
bool is_whole(const fs::path& path, const json& known) {
  std::error_code missing;
  const auto bytes = fs::file_size(path, missing);
  return !missing && bytes == known.at("bytes").get<std::uintmax_t>() &&
         crc32_of(path) == known.at("crc32").get<std::uint32_t>();
}

/// null if there is none that can be read.
json description_in(const fs::path& folder) {
  std::ifstream in(folder / "model.json");
  json document = json::parse(in, nullptr, /*allow_exceptions=*/false);
  return document.is_object() ? document : json();
}

/// has_sound_model() of a folder whose description has been read.
bool is_model_sound(const fs::path& folder, const json& document) {
  const fs::path path = folder / "model.pt";
  std::error_code unreadable;
  if (!fs::is_regular_file(path, unreadable)) return false;
  try {
    return is_whole(path, document.at("stamp").at("files").at("model.pt"));
  } catch (const json::exception&) {
    return true;
  }
}

/// "2.15" of "2.15.0".
std::string without_patch(const std::string& version) {
  return version.substr(0, version.find('.', version.find('.') + 1));
}

}  // namespace

bool is_bundle(const std::string& folder) { return description_in(folder).contains("stamp"); }

bool has_sound_model(const std::string& folder) {
  return is_model_sound(folder, description_in(folder));
}

Bundle open_bundle(const std::string& folder) {
  const std::string instead = "; no new ones are made: give the network's own file";
  const json document = description_in(folder);
  if (!document.contains("stamp")) {
    bad(folder, "holds no model.json with a stamp: it is none, or damaged" + instead);
  }
  try {
    const json& stamp = document.at("stamp");
    const int format = stamp.at("bundle").get<int>();
    if (format != kFormat) {
      bad(folder, "is of format " + std::to_string(format) + ", this program reads " +
                      std::to_string(kFormat) + instead);
    }
    const auto torch = without_patch(stamp.at("torch").get<std::string>());
    const auto ours =
        std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR);
    if (torch != ours) {
      bad(folder, "was made with torch " + torch + ", this program runs " + ours + instead);
    }
    Bundle bundle;
    bundle.folder = folder;
    // The description beside the stamp is for the user to change, the cut is not.
    bundle.layer = stamp.at("layer").get<std::string>();
    std::vector<std::string> names{"features.xml", "features.bin", "head.pt"};
    bundle.has_int8 = stamp.at("files").contains("features_int8.xml");
    if (bundle.has_int8) {
      names.insert(names.end(), {"features_int8.xml", "features_int8.bin"});
      bundle.int8_needs_vnni = stamp.at("int8").value("needs_vnni", false);
      bundle.int8_agrees = stamp.at("int8").value("agrees", true);
    }
    for (const std::string& name : names) {
      const json& known = stamp.at("files").at(name);
      if (!is_whole(fs::path(folder) / name, known)) {
        std::string why = name;
        bad(folder, why.append(" is missing, cut short or of another model").append(instead));
      }
      bundle.identity += std::to_string(known.at("crc32").get<std::uint32_t>());
      bundle.identity += ' ';
    }
    // Of one without it, only other layers cannot be explained.
    bundle.has_model = is_model_sound(folder, document);
    return bundle;
  } catch (const json::exception&) {
    bad(folder, "the stamp in its model.json is not understood" + instead);
  }
}

}  // namespace gradcam
