#include "stages/capture/film_source.h"
#include "stages/capture/opencv_source.h"

namespace gradcam {

std::unique_ptr<Source> open_film_source(const std::filesystem::path& path,
                                         const InputOptions& options,
                                         const std::stop_token& /*stop*/) {
  return std::make_unique<OpencvSource>(path, options);
}

}  // namespace gradcam
