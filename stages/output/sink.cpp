#include "stages/output/sink.h"

#include <filesystem>

#include "config/user_error.h"
#include "stages/output/film_sink.h"
#include "stages/output/image_sink.h"
#include "stages/output/jsonl_sink.h"
#include "stages/output/maps_sink.h"
#include "stages/output/null_sink.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Sink> open_output(const std::string& output, const SourceInfo& source, int stream,
                                  int streams, bool overwrite) {
  if (output == "null") return std::make_unique<NullSink>();
  const fs::path path = path_of_stream(output, stream, streams);
  const std::string extension = lower_extension(path);
  const bool film = extension == ".mp4" || extension == ".mkv";
  if (!film && extension != ".png" && extension != ".jpg" && extension != ".jpeg") {
    throw UserError(ExitCode::kOutput, "output '" + output +
                                           "' is of no known kind: allowed are .mp4, .mkv, .png, "
                                           ".jpg, a series such as out_%05d.png, and null");
  }
  if (film) return open_film_sink(path, source, overwrite);
  return std::make_unique<ImageSink>(path, source.still, overwrite);
}

}  // namespace

void require_writable(const OutputOptions& options, int streams) {
  SourceInfo any;
  any.still = true;  // the only kind that fits every output
  for (int stream = 0; stream < streams; ++stream) open_sinks(options, any, stream, streams);
}

std::vector<std::unique_ptr<Sink>> open_sinks(const OutputOptions& options,
                                              const SourceInfo& source, int stream, int streams) {
  std::vector<std::unique_ptr<Sink>> sinks;
  for (const std::string& output : options.outputs) {
    sinks.push_back(open_output(output, source, stream, streams, options.overwrite));
  }
  if (!options.jsonl.empty()) {
    const std::string path = options.jsonl == "-"
                                 ? options.jsonl
                                 : path_of_stream(options.jsonl, stream, streams).string();
    sinks.push_back(
        std::make_unique<JsonlSink>(path, options.overwrite, stream_name(source, stream, streams)));
  }
  if (!options.maps.empty()) {
    const std::string part = streams <= 1 ? "" : std::to_string(stream);
    sinks.push_back(std::make_unique<MapsSink>(options.maps, part, options.overwrite));
  }
  return sinks;
}

}  // namespace gradcam
