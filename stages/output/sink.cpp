#include "stages/output/sink.h"

#include <array>
#include <filesystem>

#include "config/output_table.h"
#include "config/user_error.h"
#include "stages/output/film_sink.h"
#include "stages/output/image_sink.h"
#include "stages/output/jsonl_sink.h"
#include "stages/output/maps_sink.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

/// One --output of one stream.
struct Request {
  const std::string& text;
  const SourceInfo& source;
  int stream;
  int streams;
  bool overwrite;

  std::filesystem::path path() const { return path_of_stream(text, stream, streams); }
};

std::unique_ptr<Sink> open_film(const Request& request) {
  return open_film_sink(request.path(), request.source, request.overwrite);
}

std::unique_ptr<Sink> open_pictures(const Request& request) {
  return std::make_unique<ImageSink>(request.path(), request.source.still, request.overwrite);
}

/// Takes frames and forgets them: for measurements, and runs that only write JSON or maps.
class NullSink : public Sink {
 public:
  void write(const Rendered& /*frame*/) override {}
  void finish() override {}
};

std::unique_ptr<Sink> open_nothing(const Request& /*request*/) {
  return std::make_unique<NullSink>();
}

struct Opener {
  OutputKind value;
  std::unique_ptr<Sink> (*open)(const Request& request);
};

constexpr std::array kOpeners = {
    Opener{OutputKind::kFilm, open_film}, Opener{OutputKind::kPicture, open_pictures},
    Opener{OutputKind::kSeries, open_pictures}, Opener{OutputKind::kNull, open_nothing}};
static_assert(same_values(kOpeners, kOutputTable), "one opener for each kind of output");

std::unique_ptr<Sink> open_output(const Request& request) {
  const OutputEntry* const kind = find_output(request.text);
  if (kind == nullptr) {
    throw UserError(ExitCode::kOutput, "output '" + request.text +
                                           "' is of no known kind: allowed are " + known_outputs());
  }
  return row_of(kOpeners, kind->value).open(request);
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
    sinks.push_back(open_output({output, source, stream, streams, options.overwrite}));
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
