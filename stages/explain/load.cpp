#include "stages/explain/load.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "config/engine_table.h"
#include "config/user_error.h"
#include "stages/explain/import/file_format.h"
#include "stages/explain/load_explainer.h"
#include "stages/explain/model/bundle.h"
#include "stages/explain/model/device.h"
#include "stages/explain/model/labels.h"
#include "stages/explain/model/model.h"
#include "stages/explain/model/read_description.h"
#include "stages/frame/shape_text.h"
#if GRADCAM_WITH_OPENVINO
#include "stages/explain/import/network_file.h"
#endif

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = "efficientnet_lite0.pt";
constexpr const char* kDefaultBundle = "efficientnet_lite0.bundle";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// False also for a path that the user may not look at.
bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// Where compiled networks are kept from one start to the next; empty = nowhere.
std::string cache_folder() {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/gradcam-live";
  const auto home = environment("HOME");
  return home.empty() ? "" : home + "/.cache/gradcam-live";
}

/// Size and end of a TorchScript file: it is a zip file, whose end holds a checksum of each member.
std::string identity_of(const std::string& path) {
  constexpr std::streamoff kEnd = 1 << 20;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kEnd));
  const std::string end((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto sum = crc32(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(end.data()),
                         static_cast<uInt>(end.size()));
  return std::to_string(size) + " " + std::to_string(sum);
}

/// What the options say counts more than what the description says.
void obey(const ExplainOptions& options, ModelDescription& description) {
  if (const auto [height, width] = options.input_size; height > 0) {
    description.input_height = height;
    description.input_width = width;
  }
  if (!options.labels.empty()) description.labels = read_labels(options.labels);
}

/// A file of another format than TorchScript, as TorchScript.
LoadedModel load_other_format(const std::string& path, c10::Device device,
                              const ExplainOptions& options) {
#if GRADCAM_WITH_OPENVINO
  require_model_file(path);
  const NetworkFile file(path);
  ModelDescription description =
      find_description(path, file.embedded_description(), "", file.usual());
  obey(options, description);
  ImportedNetwork network = file.as_torchscript(description, device);
  Model model(path, device, std::move(network.module), std::move(network.source),
              network.is_quantised);
  return {Network(std::move(model), file.identity(), cache_folder()), std::move(description), ""};
#else
  throw UserError(ExitCode::kModel,
                  "model '" + path + "': " + std::string(name_of_format(path)) +
                      " is read by OpenVINO, without which this program was built");
#endif
}

LoadedModel load_file(const std::string& path, c10::Device device, const ExplainOptions& options) {
  if (is_other_format(path)) return load_other_format(path, device, options);
  Model model(path, device);
  ModelDescription description =
      find_description(path, model.embedded_description(), model.ultralytics_config());
  obey(options, description);
  std::string note;
  if (const std::string& left = model.left_in_training(); !left.empty()) {
    note += "; was saved in training mode: " + left + " switched to inference";
  }
  if (model.picture_channels() == 1 && description.color != ColorOrder::kGray) {
    description.color = ColorOrder::kGray;
    note += "; takes one channel: it is given gray pictures";
  }
  if (!note.empty()) note = "model '" + path + "': " + note.substr(2);
  return {Network(std::move(model), identity_of(path), cache_folder()), std::move(description),
          note};
}

/// What the user should know of a bundle that is taken; empty = nothing.
std::string note_of(const Bundle& bundle, const ExplainOptions& options) {
  std::error_code unreadable;
  std::string note;
  if (!bundle.has_model && fs::is_regular_file(bundle.model(), unreadable)) {
    note += "; its model.pt is cut short or of another model and is left alone";
  }
  if (options.precision == Precision::kInt8 && !bundle.int8_agrees) {
    note += "; its int8 form did not agree well with fp32 when it was made";
  }
  return note.empty() ? "" : "bundle '" + bundle.folder + "': " + note.substr(2);
}

/// "--engine openvino and --precision int8 or bf16"
std::string cpu_only_options() {
  std::string engines;
  std::string precisions;
  const auto add = [](std::string& all, std::string_view name) {
    all.append(all.empty() ? "" : " or ").append(name);
  };
  for (const EngineEntry& engine : kEngineTable) {
    if (engine.cpu_only) add(engines, engine.name);
  }
  for (auto precision = kPrecisionTable.rbegin(); precision != kPrecisionTable.rend();
       ++precision) {
    if (precision->cpu_only) add(precisions, precision->name);
  }
  return "--engine " + engines + " and --precision " + precisions;
}

/// A bundle is for pictures of one size.
void require_size(const std::string& folder, const ModelDescription& description,
                  const ExplainOptions& options) {
  const std::array<int, 2> own{description.input_height, description.input_width};
  if (options.input_size == std::array<int, 2>{} || options.input_size == own) return;
  const auto text = [](const std::array<int, 2>& size) {
    return shape_text(std::array<std::int64_t, 2>{size[0], size[1]});
  };
  throw UserError(ExitCode::kUsage, "--input-size " + text(options.input_size) + ": bundle '" +
                                        folder + "' is made for " + text(own));
}

/// A bundle is for the CPU; on a GPU its TorchScript file serves.
LoadedModel load_bundle(const std::string& folder, const ExplainOptions& options) {
  const std::string file = folder + "/model.pt";
  const PrecisionEntry& precision = row_of(kPrecisionTable, options.precision);
  const bool needed = precision.only_in_bundle;
  const bool for_cpu = row_of(kEngineTable, options.engine).cpu_only || precision.cpu_only;
  c10::Device device = parse_device(options.device);
  if (!device.is_cpu() && (for_cpu || !has_sound_model(folder))) {
    if (options.device != "auto") {
      const std::string why =
          for_cpu ? cpu_only_options() + " are for the CPU"
                  : "bundle '" + folder + "' is for the CPU, and holds no sound model.pt";
      throw UserError(ExitCode::kUsage,
                      "--device " + options.device + ": " + why + "; allowed: auto, cpu");
    }
    device = c10::kCPU;
  }
  std::string why = device.is_cpu() ? "" : "bundle '" + folder + "': is for the CPU";
  try {
    if (why.empty()) {
      const Bundle bundle = open_bundle(folder);
      ModelDescription description = find_description(file, "");
      require_size(folder, description, options);
      obey(options, description);
      return {Network(bundle, device, cache_folder()), std::move(description),
              note_of(bundle, options)};
    }
  } catch (const UserError& error) {
    if (needed || !has_sound_model(folder)) throw;
    why = error.what();
  }
  LoadedModel loaded = load_file(file, device, options);
  loaded.note =
      why + "; its model.pt is used instead" + (loaded.note.empty() ? "" : "; " + loaded.note);
  return loaded;
}

}  // namespace

std::vector<fs::path> model_folders(const fs::path& program) {
  std::vector<fs::path> folders = {program.parent_path() / "../share/gradcam-live/models"};
  if (const auto data = environment("XDG_DATA_HOME"); !data.empty()) {
    folders.push_back(fs::path(data) / "gradcam-live/models");
  } else if (const auto home = environment("HOME"); !home.empty()) {
    folders.push_back(fs::path(home) / ".local/share/gradcam-live/models");
  }
  folders.emplace_back(GRADCAM_BUILD_MODELS);
  return folders;
}

std::string default_model(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    std::error_code unreadable;  // a folder that cannot be looked into does not hold it
    const fs::path bundle = folder / kDefaultBundle;
    if (fs::is_directory(bundle, unreadable)) return bundle.lexically_normal().string();
    const fs::path model = folder / kDefaultModel;
    if (fs::is_regular_file(model, unreadable)) return model.lexically_normal().string();
  }
  throw UserError(ExitCode::kModel,
                  "no --model given and the default network is not there: scripts/setup and "
                  "scripts/demo make it, or give --model FILE.pt");
}

std::string find_model(const std::string& asked) {
  if (!asked.empty()) return asked;
  return default_model(model_folders(fs::read_symlink("/proc/self/exe")));
}

void require_model(const ExplainOptions& options) {
  const std::string path = find_model(options.model);
  if (!is_folder(path)) require_model_file(path);
}

std::vector<fs::path> files_read(const ExplainOptions& options) {
  const std::string path = find_model(options.model);
  std::vector<fs::path> files = {path, fs::path(path).replace_extension(".json")};
  if (is_other_format(path)) files.push_back(fs::path(path).replace_extension(".bin"));
  std::error_code error;  // the files of a bundle; of anything else there are none
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    files.push_back(entry->path());
  }
  if (!options.labels.empty()) files.emplace_back(options.labels);
  if (!options.reference.empty()) files.emplace_back(options.reference);
  return files;
}

LoadedModel load_model(const ExplainOptions& options) {
  const std::string path = find_model(options.model);
  LoadedModel loaded = is_folder(path) ? load_bundle(path, options)
                                       : load_file(path, parse_device(options.device), options);
  ModelDescription& description = loaded.description;
  if (description.name.empty()) description.name = fs::path(path).stem().string();
  return loaded;
}

std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options) {
  LoadedModel loaded = load_model(options);
  return std::make_unique<Explainer>(loaded.network, std::move(loaded.description), options);
}

}  // namespace gradcam
