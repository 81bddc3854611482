#include "stages/explain/network.h"

#include <filesystem>
#include <mutex>
#include <utility>

#include "config/user_error.h"

namespace gradcam {

struct Network::State {
  std::optional<Bundle> bundle;
  c10::Device device;
  std::mutex mutex;
  std::optional<Model> model;
};

Network::Network(Model model) : state_(new State{{}, model.device(), {}, std::move(model)}) {}

Network::Network(Bundle bundle, c10::Device device)
    : state_(new State{std::move(bundle), device, {}, {}}) {}

c10::Device Network::device() const { return state_->device; }

const Bundle* Network::bundle() const { return state_->bundle ? &*state_->bundle : nullptr; }

const Model& Network::model() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->model) {
    const std::string path = state_->bundle->model();
    if (!std::filesystem::is_regular_file(path)) {
      throw UserError(ExitCode::kUsage, "bundle '" + state_->bundle->folder + "' is cut at layer " +
                                            state_->bundle->layer +
                                            " and holds no model.pt for other layers");
    }
    state_->model.emplace(path, state_->device);
  }
  return *state_->model;
}

}  // namespace gradcam
