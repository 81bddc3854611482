#include "stages/explain/model/network.h"

#include <mutex>
#include <utility>

#include "config/user_error.h"

namespace gradcam {

struct Network::State {
  std::optional<Bundle> bundle;
  c10::Device device;
  std::string path;
  std::string identity;
  std::string cache;
  std::mutex mutex;
  std::optional<Model> model;
};

Network::Network(Model model, std::string identity, std::string cache)
    : state_(new State{
          {}, model.device(), model.path(), std::move(identity), std::move(cache), {}, model}) {}

Network::Network(Bundle bundle, c10::Device device, std::string cache)
    : state_(new State{bundle, device, bundle.folder, bundle.identity, std::move(cache), {}, {}}) {}

c10::Device Network::device() const { return state_->device; }
const std::string& Network::path() const { return state_->path; }
const std::string& Network::identity() const { return state_->identity; }
const std::string& Network::cache() const { return state_->cache; }

const Bundle* Network::bundle() const { return state_->bundle ? &*state_->bundle : nullptr; }

bool Network::has_model() const { return !state_->bundle || state_->bundle->has_model; }

const Model& Network::model() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->model) {
    if (!has_model()) {
      throw UserError(ExitCode::kUsage, "bundle '" + state_->bundle->folder + "' is cut at layer " +
                                            state_->bundle->layer +
                                            " and holds no sound model.pt for other layers");
    }
    state_->model.emplace(state_->bundle->model(), state_->device);
  }
  return *state_->model;
}

}  // namespace gradcam
