#include "stages/explain/load.h"

#include <cstdlib>

#include "config/user_error.h"
#include "stages/explain/model.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = "efficientnet_lite0.pt";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
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
    const fs::path file = folder / kDefaultModel;
    std::error_code unreadable;  // a folder that cannot be looked into does not hold it
    if (fs::is_regular_file(file, unreadable)) return file.lexically_normal().string();
  }
  throw UserError(ExitCode::kModel,
                  "no --model given and the default network is not there: scripts/setup and "
                  "scripts/demo make it, or give --model FILE.pt");
}

std::string find_model(const std::string& asked) {
  if (!asked.empty()) return asked;
  return default_model(model_folders(fs::read_symlink("/proc/self/exe")));
}

LoadedModel load_model(const ExplainOptions& options) {
  Model model(find_model(options.model), parse_device(options.device));
  ModelDescription description = find_description(model.path(), model.embedded_description());
  if (!options.labels.empty()) description.labels = read_labels(options.labels);
  if (description.name.empty()) description.name = fs::path(model.path()).stem().string();
  return {std::move(model), std::move(description)};
}

std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options) {
  LoadedModel loaded = load_model(options);
  return std::make_unique<Explainer>(loaded.model, std::move(loaded.description), options);
}

}  // namespace gradcam
