#include "stages/explain/load.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

#include "config/engine_table.h"
#include "config/text.h"
#include "config/user_error.h"
#include "stages/explain/engines/engine_kinds.h"
#include "stages/explain/engines/processor.h"
#include "stages/explain/files/file_format.h"
#include "stages/explain/files/unreadable_file.h"
#include "stages/explain/found_format.h"
#include "stages/explain/load_explainer.h"
#include "stages/explain/model/bundle.h"
#include "stages/explain/model/device.h"
#include "stages/explain/model/labels.h"
#include "stages/explain/model/model.h"
#include "stages/explain/model/plain_runs.h"
#include "stages/explain/model/read_description.h"
#include "stages/explain/model/start_memory.h"
#include "stages/explain/model/text_file.h"
#include "stages/explain/model/ultralytics.h"
#include "stages/frame/shape_text.h"
#include "stages/frame/stopped.h"
#if GRADCAM_WITH_OPENVINO
#include "stages/explain/import/check_import.h"
#include "stages/explain/import/int8_range.h"
#include "stages/explain/import/network_file.h"
#endif

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = "efficientnet_lite0.pt";

#if GRADCAM_WITH_OPENVINO
constexpr const char* kOverflow =
    "holds int8, and this processor lacks VNNI: sums may overflow, and scores and maps be off; "
    "scripts/compile_model.py --int8 makes one that fits where it is run";
#endif

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

/// What is found out about the network, for this machine and these libraries.
StartMemory memory_of(const std::string& identity) {
  std::string key = identity;
  for (const EngineKind& kind : engine_kinds()) key.append("|").append(kind.version());
  return {cache_folder(), key.append("|").append(processor())};
}

/// find_format(), unless an earlier start found that no format fits.
std::string find_format_once(const StartMemory& memory, const Model& model,
                             const std::vector<std::string>& names, ModelDescription& description) {
  if (!description.assumed) return "";
  const std::string question = "outputs of no known format? " + key_of(description);
  if (auto outputs = memory.recall_lines(question); !outputs.empty()) {
    description.outputs = std::move(outputs);
    return "";
  }
  std::string found = find_format(model, names, description);
  if (found.empty() && !description.outputs.empty()) {
    memory.remember_lines(question, description.outputs);
  }
  return found;
}

/// What the options say counts more than what the description says.
void obey(const ExplainOptions& options, ModelDescription& description) {
  if (const auto [height, width] = options.input_size; height > 0) {
    description.input_height = height;
    description.input_width = width;
  }
  if (!options.labels.empty()) description.labels = read_labels(options.labels);
}

/// Where Ultralytics notes what an OpenVINO IR is.
fs::path metadata_beside(const std::string& path) {
  return fs::path(path).parent_path() / "metadata.yaml";
}

/// What the file notes of itself, inside and beside it.
std::map<std::string, std::string> metadata_of(const std::string& path,
                                               std::map<std::string, std::string> inside) {
  const fs::path beside = metadata_beside(path);
  std::error_code error;  // one that may not be looked at is none
  if (fs::path(path).extension() == ".xml" && fs::is_regular_file(beside, error)) {
    inside.merge(ultralytics_metadata(read_file(beside.string(), ExitCode::kModel, "metadata")));
  }
  return inside;
}

/// An output that is chosen by its name in the file is one of a tuple by its place.
void choose_by_place(OutputChoice& choice, const std::vector<std::string>& names,
                     const std::string& path) {
  for (OutputChoice& part : choice.parts) choose_by_place(part, names, path);
  if (choice.name.empty()) return;
  const auto found = std::find(names.begin(), names.end(), choice.name);
  if (found == names.end()) {
    throw UserError(ExitCode::kModel, "model '" + path + "': has no output '" + choice.name +
                                          "' (output.select); allowed: " + listed(names));
  }
  choice.index = static_cast<int>(found - names.begin());
  choice.name.clear();
}

/// Throws UserError(kModel) for a file that is loaded once more and is not the same any more.
void require_same(const std::string& path, const StartMemory& memory, const std::string& identity) {
  if (memory_of(identity).key() == memory.key()) return;
  throw UserError(ExitCode::kModel, "model '" + path + "': has changed since the program started");
}

#if GRADCAM_WITH_OPENVINO
/// check_import(), unless an earlier start found nothing wrong.
void check_import_once(const StartMemory& memory, const ImportedNetwork& network,
                       const ModelDescription& description, c10::Device device,
                       const std::string& path, const std::stop_token& stop) {
  const std::string question = "import agrees? " + device.str() + " " + key_of(description);
  if (memory.recall(question)) return;
  check_import(network, description, device, path, stop);
  memory.remember(question, "yes");
}
#endif

/// A file of another format than TorchScript, as TorchScript.
LoadedModel load_other_format(const std::string& path, c10::Device device,
                              const ExplainOptions& options, const std::stop_token& stop) {
  throw_if_stopped(stop);
#if GRADCAM_WITH_OPENVINO
  const NetworkFile file(path);
  const StartMemory memory = memory_of(file.identity());
  throw_if_stopped(stop);
  ModelDescription description = find_description(path, file.embedded_description(),
                                                  metadata_of(path, file.metadata()), file.usual());
  obey(options, description);
  ImportedNetwork network = file.as_torchscript(description, device);
  throw_if_stopped(stop);
  check_import_once(memory, network, description, device, path, stop);
  throw_if_stopped(stop);
  Model model(path, device, std::move(network.module), std::move(network.source),
              network.is_quantised);
  const auto again = [path, device, description, memory] {
    const NetworkFile same(path);
    require_same(path, memory, same.identity());
    ImportedNetwork anew = same.as_torchscript(description, device);
    return Model(path, device, std::move(anew.module), std::move(anew.source), anew.is_quantised);
  };
  choose_by_place(description.output, network.output_names, path);
  std::string note = file.note();
  if (const std::string found = find_format_once(memory, model, network.output_names, description);
      !found.empty()) {
    note += (note.empty() ? "" : "; ") + found;
  }
  if (model.is_quantised() && !processor_has_vnni() && may_overflow_without_vnni(*model.source())) {
    note += (note.empty() ? "" : "; ") + std::string(kOverflow);
  }
  if (!note.empty()) note = "model '" + path + "': " + note;
  return {Network(std::move(model), memory, again), std::move(description), note};
#else
  throw UserError(ExitCode::kModel,
                  "model '" + path + "': " + std::string(name_of_format(path)) +
                      " is read by OpenVINO, without which this program was built");
#endif
}

LoadedModel load_file(const std::string& path, c10::Device device, const ExplainOptions& options,
                      const std::stop_token& stop) {
  if (!is_folder(path)) require_model_file(path);
  require_readable_format(path);
  if (is_other_format(path)) return load_other_format(path, device, options, stop);
  Model model(path, device);
  const StartMemory memory = memory_of(identity_of(path));
  throw_if_stopped(stop);
  ModelDescription description = find_description(path, model.embedded_description(),
                                                  ultralytics_metadata(model.ultralytics_config()));
  obey(options, description);
  std::string note;
  if (const std::string& left = model.left_in_training(); !left.empty()) {
    note += "; was saved in training mode: " + left + " switched to inference";
  }
  if (model.picture_channels() == 1 && description.color != ColorOrder::kGray) {
    description.color = ColorOrder::kGray;
    note += "; takes one channel: it is given gray pictures";
  }
  if (const std::string found = find_format_once(memory, model, {}, description); !found.empty()) {
    note += "; " + found;
  }
  if (!note.empty()) note = "model '" + path + "': " + note.substr(2);
  const auto again = [path, device, memory] {
    require_same(path, memory, identity_of(path));
    return Model(path, device);
  };
  return {Network(std::move(model), memory, again), std::move(description), note};
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
LoadedModel load_bundle(const std::string& folder, const ExplainOptions& options,
                        const std::stop_token& stop) {
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
      return {Network(bundle, device, memory_of(bundle.identity)), std::move(description),
              note_of(bundle, options)};
    }
  } catch (const UserError& error) {
    if (needed || !has_sound_model(folder)) throw;
    why = error.what();
  }
  LoadedModel loaded = load_file(file, device, options, stop);
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
    const fs::path model = folder / kDefaultModel;
    if (fs::is_regular_file(model, unreadable)) return model.lexically_normal().string();
  }
  throw UserError(ExitCode::kModel,
                  "no --model given and the default network is not there: scripts/setup and "
                  "scripts/demo make it, or give --model FILE.pt");
}

std::string find_model(const std::string& asked) {
  if (!asked.empty()) return is_bundle(asked) ? asked : network_at(asked);
  return default_model(model_folders(fs::read_symlink("/proc/self/exe")));
}

void require_model(const ExplainOptions& options) {
  const std::string path = find_model(options.model);
  if (!is_folder(path)) require_model_file(path);
}

std::vector<fs::path> files_read(const ExplainOptions& options) {
  const std::string path = find_model(options.model);
  std::vector<fs::path> files = {path, fs::path(path).replace_extension(".json")};
  for (fs::path& file : weights_beside(path)) files.push_back(std::move(file));
  if (fs::path(path).extension() == ".xml") files.push_back(metadata_beside(path));
  std::error_code error;  // the files of a bundle; of anything else there are none
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    files.push_back(entry->path());
  }
  if (!options.labels.empty()) files.emplace_back(options.labels);
  if (!options.reference.empty()) files.emplace_back(options.reference);
  return files;
}

LoadedModel load_model(const ExplainOptions& options, const std::stop_token& stop) {
  const PlainRuns looked_at_once;
  const std::string path = find_model(options.model);
  LoadedModel loaded = is_bundle(path)
                           ? load_bundle(path, options, stop)
                           : load_file(path, parse_device(options.device), options, stop);
  ModelDescription& description = loaded.description;
  if (description.name.empty()) description.name = fs::path(path).stem().string();
  return loaded;
}

std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options) {
  LoadedModel loaded = load_model(options);
  return std::make_unique<Explainer>(loaded.network, std::move(loaded.description), options);
}

}  // namespace gradcam
