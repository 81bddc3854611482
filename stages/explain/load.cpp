#include "stages/explain/load.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

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

std::vector<fs::path> default_places() {
  std::vector<fs::path> places;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) places.push_back(program.parent_path() / "../share/gradcam-live/models");
  if (const auto data = environment("XDG_DATA_HOME"); !data.empty()) {
    places.push_back(fs::path(data) / "gradcam-live/models");
  } else if (const auto home = environment("HOME"); !home.empty()) {
    places.push_back(fs::path(home) / ".local/share/gradcam-live/models");
  }
  places.emplace_back(GRADCAM_BUILD_MODELS);
  return places;
}

}  // namespace

std::string find_model(const std::string& asked) {
  if (!asked.empty()) return asked;
  if (const auto named = environment("GRADCAM_MODEL"); !named.empty()) return named;
  for (const fs::path& place : default_places()) {
    const fs::path file = place / kDefaultModel;
    if (fs::is_regular_file(file)) return file.lexically_normal().string();
  }
  throw UserError(ExitCode::kModel,
                  "no --model given and the default network is not there: scripts/setup and "
                  "scripts/demo make it, or give --model FILE.pt");
}

std::unique_ptr<Explainer> load_explainer(const ExplainOptions& options) {
  const Model model(find_model(options.model), parse_device(options.device));
  ModelDescription description = find_description(model.path(), model.embedded_description());
  if (!options.labels.empty()) description.labels = read_labels(options.labels);
  if (description.name.empty()) description.name = fs::path(model.path()).stem().string();
  return std::make_unique<Explainer>(model, std::move(description), options);
}

}  // namespace gradcam
