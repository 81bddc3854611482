#include "pipeline/default_stages.h"

#include <map>
#include <memory>

#include "pipeline/render.h"
#include "stages/explain/tasks/stream_memory.h"

namespace gradcam {
namespace {

/// Explains frames of any streams, and remembers of each what its next frame needs.
class DefaultExplain {
 public:
  explicit DefaultExplain(Explainer& explainer) : explainer_(&explainer) {}

  std::vector<Explanation> operator()(const std::vector<Prepared>& frames) {
    Question question{explainer_->target(), ""};
    std::vector<const Blob*> blobs;
    for (const Prepared& prepared : frames) {
      blobs.push_back(prepared.blob.get());
      question.memories.push_back(&memories_[prepared.frame.stream]);
    }
    return explainer_->explain(blobs, question);
  }

 private:
  Explainer* explainer_;
  std::map<int, StreamMemory> memories_;  ///< by stream
};

}  // namespace

Stages default_stages(Explainer& explainer, const OverlayOptions& overlay) {
  HudText hud;
  hud.model = explainer.description().name;
  hud.note = explainer.description().note;
  OverlayOptions drawn = overlay;
  drawn.style = explainer.style();

  Stages stages;
  stages.explain_start = [&explainer] { explainer.warm_up(); };
  // What the notebook's style shows is held against Python byte by byte.
  const bool exact = explainer.style() == Style::kNotebook;
  stages.preprocess = [&explainer, exact](const Frame& frame) {
    return prepare(frame, explainer.description(), exact);
  };
  stages.explain = DefaultExplain(explainer);
  stages.overlay = [hud, drawn](const Explained& explained) {
    return render(explained, hud, drawn);
  };
  return stages;
}

}  // namespace gradcam
