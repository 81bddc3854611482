#include "stages/output/film_sink.h"
#include "stages/output/opencv_film_sink.h"

namespace gradcam {

std::unique_ptr<Sink> open_film_sink(const std::filesystem::path& path, const SourceInfo& source,
                                     bool overwrite) {
  return std::make_unique<OpencvFilmSink>(path, source, overwrite);
}

}  // namespace gradcam
