#include "pipeline/summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pipeline/error_text.h"

namespace gradcam {
namespace {

const char* name_of(StreamEnd end) {
  switch (end) {
    case StreamEnd::kEnd:
      return "end";
    case StreamEnd::kLimit:
      return "limit";
    case StreamEnd::kStopped:
      return "stopped";
    case StreamEnd::kFailed:
      return "failed";
  }
  return "";
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

using Json = nlohmann::ordered_json;

Json json_of(const DurationSummary& durations) {
  return {{"mean", rounded(durations.mean_ms)},
          {"p50", rounded(durations.p50_ms)},
          {"p95", rounded(durations.p95_ms)},
          {"p99", rounded(durations.p99_ms)}};
}

Json json_of(const StreamSummary& stream) {
  Json json{{"name", stream.name},
            {"end", name_of(stream.end)},
            {"captured", stream.captured},
            {"shown", stream.shown},
            {"explained", stream.explained},
            {"carried", stream.carried},
            {"maps", stream.maps},
            {"failed", stream.failed},
            {"dropped",
             {{"newer", stream.dropped_newer},
              {"stop", stream.dropped_stop},
              {"output", stream.dropped_output}}},
            {"frames_per_second", rounded(stream.frames_per_second)},
            {"first_frame_s", rounded(stream.first_frame_s)},
            {"longest_explain_ms", rounded(stream.longest_explain_ms)}};
  const LatencySummary& latency = stream.latency;
  json["latency_ms"] = {
      {"capture", json_of(latency.capture)}, {"preprocess", json_of(latency.preprocess)},
      {"explain", json_of(latency.explain)}, {"overlay", json_of(latency.overlay)},
      {"output", json_of(latency.output)},   {"total", json_of(latency.total)}};
  if (stream.flicker) json["flicker"] = rounded(*stream.flicker);
  if (stream.verified > 0) {
    json["trust"] = {{"maps", stream.verified},
                     {"drop", rounded(stream.faithfulness.drop)},
                     {"increase", rounded(stream.increase)},
                     {"deletion", rounded(stream.faithfulness.deletion)},
                     {"insertion", rounded(stream.faithfulness.insertion)},
                     {"randomised", rounded(stream.faithfulness.randomised)}};
  }
  if (stream.damaged > 0) json["damaged"] = stream.damaged;
  if (!stream.first_failure.empty()) json["first_failure"] = stream.first_failure;
  if (!stream.source_error.empty()) json["source_error"] = stream.source_error;
  if (!stream.cut_short.empty()) json["cut_short"] = stream.cut_short;
  if (!stream.output_error.empty()) json["output_error"] = stream.output_error;
  return json;
}

}  // namespace

ExitCode exit_code(const RunSummary& summary) {
  if (summary.error) return code_of(summary.error);
  const auto& streams = summary.streams;
  const auto failed_at_once = [](const StreamSummary& stream) {
    return stream.end == StreamEnd::kFailed && stream.shown + stream.failed == 0;
  };
  if (!streams.empty() && std::all_of(streams.begin(), streams.end(), failed_at_once)) {
    return streams.front().source_code;
  }
  const auto incomplete = [](const StreamSummary& stream) {
    return stream.failed > 0 || stream.damaged > 0 || stream.end == StreamEnd::kFailed ||
           !stream.cut_short.empty();
  };
  return std::any_of(streams.begin(), streams.end(), incomplete) ? ExitCode::kPartial
                                                                 : ExitCode::kDone;
}

std::string to_json(const RunSummary& summary) {
  Json json{{"wall_s", rounded(summary.wall_s)},
            {"stopped", summary.stopped},
            {"batches", summary.batches}};
  if (summary.error) json["error"] = message_of(summary.error);
  json["streams"] = Json::array();
  for (const StreamSummary& stream : summary.streams) json["streams"].push_back(json_of(stream));
  // File names need not be UTF-8; JSON must be.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gradcam
