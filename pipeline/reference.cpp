#include "pipeline/reference.h"

#include "config/user_error.h"
#include "pipeline/log.h"
#include "stages/capture/pictures/picture.h"
#include "stages/capture/pictures/rendering.h"
#include "stages/explain/tasks/task.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {

std::optional<Blob> read_reference(const Options& options, const ModelDescription& description) {
  const std::string& path = options.explain.reference;
  const bool needed = task_of(description).likeness;
  if (!needed && path.empty()) return std::nullopt;
  if (!needed) {
    throw UserError(ExitCode::kUsage,
                    "--reference " + path + ": this model is no embedding: leave it out");
  }
  if (path.empty()) {
    throw UserError(ExitCode::kUsage,
                    "this model gives an embedding: --reference PICTURE says what to compare with");
  }
  try {
    Rendering rendering(options.input.background, log::warning);
    const cv::Mat picture = rendering.render(read_picture(path), "--reference '" + path + "'");
    return to_network_input(picture, description).blob;
  } catch (const UnreadablePicture& problem) {
    throw UserError(ExitCode::kUsage,
                    "--reference " + path + ": no picture that can be read: " + problem.what());
  }
}

}  // namespace gradcam
