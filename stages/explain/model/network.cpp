#include "stages/explain/model/network.h"

#include <mutex>
#include <utility>

#include "config/user_error.h"

namespace gradcam {

struct Network::State {
  std::optional<Bundle> bundle;
  c10::Device device;
  std::string path;
  StartMemory memory;
  std::function<Model()> again;
  std::mutex mutex;
  std::optional<Model> model;
};

Network::Network(Model model, StartMemory memory, std::function<Model()> again)
    : state_(new State{
          {}, model.device(), model.path(), std::move(memory), std::move(again), {}, {}}) {
  state_->model = std::move(model);
}

Network::Network(Bundle bundle, c10::Device device, StartMemory memory)
    : state_(new State{bundle,
                       device,
                       bundle.folder,
                       std::move(memory),
                       [file = bundle.model(), device] { return Model(file, device); },
                       {},
                       {}}) {}

c10::Device Network::device() const { return state_->device; }
const std::string& Network::path() const { return state_->path; }
const StartMemory& Network::memory() const { return state_->memory; }

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
    state_->model = state_->again();
  }
  return *state_->model;
}

void Network::let_go() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->again && state_->model && !state_->model->is_shared()) state_->model.reset();
}

}  // namespace gradcam
