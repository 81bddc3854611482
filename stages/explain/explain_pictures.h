#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/engines/engine.h"
#include "stages/explain/method_inputs.h"
#include "stages/frame/blob.h"
#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

namespace gradcam {

struct Question;

/// What an Explainer has ready for its pictures.
struct ExplainSetup {
  const ModelDescription& description;
  const ExplainOptions& options;
  const std::vector<std::string>& layers;
  std::shared_ptr<const std::vector<float>> reference;  ///< output, of task embedding
  Engine& engine;
  MethodInputs& inputs;
};

/// One call of the engine for all pictures, and the heat of all that is explained in each of them.
/// Throws as Explainer::explain().
std::vector<Explanation> explain_pictures(const std::vector<const Blob*>& blobs,
                                          const Question& question, const ExplainSetup& setup);

}  // namespace gradcam
