#include "stages/output/jsonl_sink.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/user_error.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

Json to_json(const std::vector<ClassScore>& scores) {
  Json list = Json::array();
  for (const ClassScore& score : scores) {
    Json entry = {{"class", score.index}};
    if (!score.label.empty()) entry["label"] = score.label;
    entry["score"] = rounded(static_cast<double>(score.score), 6);
    list.push_back(std::move(entry));
  }
  return list;
}

/// By how much the picture as captured is larger than the one that --max-dim has shrunk.
cv::Point2d source_scale(const Frame& frame) {
  return {static_cast<double>(frame.source_size.width) / frame.image.width(),
          static_cast<double>(frame.source_size.height) / frame.image.height()};
}

/// Figures of a picture that --max-dim has shrunk, as those of the picture as captured. The first
/// pixel's centre is half a pixel from the edge.
CamFigures in_source_pixels(CamFigures figures, const Frame& frame) {
  const cv::Point2d scale = source_scale(frame);
  if (auto& centroid = figures.centroid) {
    centroid = {(centroid->x + 0.5) * scale.x - 0.5, (centroid->y + 0.5) * scale.y - 0.5};
  }
  if (auto& peak = figures.peak) {
    peak = {static_cast<int>((peak->x + 0.5) * scale.x),
            static_cast<int>((peak->y + 0.5) * scale.y)};
  }
  return figures;
}

Json to_json(const CamFigures& figures) {
  Json json;
  if (const auto& peak = figures.peak) json["peak"] = {peak->x, peak->y};
  if (const auto& centroid = figures.centroid) {
    json["centroid"] = {rounded(centroid->x, 2), rounded(centroid->y, 2)};
  }
  json["coverage"] = rounded(figures.coverage, 4);
  json["entropy"] = rounded(figures.entropy, 4);
  return json;
}

Json to_json(const std::vector<DetectedObject>& objects, const Frame& frame) {
  const cv::Point2d scale = source_scale(frame);
  const auto at = [](float edge, double factor) {
    return rounded(static_cast<double>(edge) * factor, 2);
  };
  Json list = Json::array();
  for (const DetectedObject& object : objects) {
    const Box& box = object.box;
    Json entry;
    if (object.id > 0) entry["id"] = object.id;
    entry["xyxy"] = {at(box.x1, scale.x), at(box.y1, scale.y), at(box.x2, scale.x),
                     at(box.y2, scale.y)};
    entry["class"] = object.index;
    if (!object.label.empty()) entry["label"] = object.label;
    entry["score"] = rounded(static_cast<double>(object.score), 6);
    list.push_back(std::move(entry));
  }
  return list;
}

Json to_json(const Faithfulness& faithfulness) {
  return {{"drop", rounded(faithfulness.drop, 4)},
          {"increase", faithfulness.increase},
          {"deletion", rounded(faithfulness.deletion, 4)},
          {"insertion", rounded(faithfulness.insertion, 4)},
          {"randomised", rounded(faithfulness.randomised, 4)}};
}

Json to_json(const StageTimes& times, double total_ms) {
  Json json;
  const auto add = [&](const char* stage, double ms) {
    if (ms > 0) json[stage] = rounded(ms, 3);  // 0: the frame never came there
  };
  add("capture", times.capture);
  add("preprocess", times.preprocess);
  add("explain", times.explain);
  add("overlay", times.overlay);
  add("output", times.output);
  json["total"] = rounded(total_ms, 3);
  return json;
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::string stream_name(const SourceInfo& source, int stream, int streams) {
  const bool url = source.name.find("://") != std::string::npos;
  std::filesystem::path path = source.name;
  if (!path.has_filename()) path = path.parent_path();  // a folder given with a slash at its end
  const std::string name = url || path.filename().empty() ? source.name : path.filename().string();
  return streams <= 1 ? name : std::to_string(stream) + ":" + name;
}

std::string json_line(const std::string& stream, const Rendered& rendered, Clock::time_point now,
                      bool new_map) {
  const Frame& frame = rendered.frame();
  Json json = {
      {"stream", stream}, {"frame", frame.seq}, {"pts_ms", rounded(milliseconds(frame.pts), 6)}};
  if (frame.failed()) json["error"] = frame.error;
  if (const auto& explanation = rendered.explained.explanation) {
    json["top"] = to_json(explanation->top);
    json["targets"] = to_json(explanation->targets);
    json["method"] = explanation->method;
    json["layer"] = explanation->layers;
    json["map_of"] = explanation->frame_seq;
  }
  if (!rendered.objects.empty()) json["boxes"] = to_json(rendered.objects, frame);
  if (rendered.figures) json["cam"] = to_json(in_source_pixels(*rendered.figures, frame));
  if (const auto& explanation = rendered.explained.explanation; explanation && new_map) {
    if (explanation->flicker && rendered.figures) {
      json["cam"]["flicker"] = rounded(*explanation->flicker, 4);
    }
    if (explanation->faithfulness) json["trust"] = to_json(*explanation->faithfulness);
  }
  json["latency_ms"] = to_json(frame.ms, milliseconds(now - frame.captured_at));
  json["dropped_before"] = frame.dropped_before;
  // Labels and messages come from files: bytes that are no UTF-8 must not end the run.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonlSink::Close::operator()(std::FILE* file) const {
  if (file != stdout) std::fclose(file);
}

JsonlSink::JsonlSink(std::string path, bool overwrite, std::string stream)
    : path_(std::move(path)), stream_(std::move(stream)) {
  if (path_ != "-") require_new_file(path_, overwrite);
}

void JsonlSink::open() {
  file_.reset(path_ == "-" ? stdout : std::fopen(path_.c_str(), "w"));
  if (!file_) fail();
}

void JsonlSink::write(const Rendered& frame) {
  if (!file_) open();
  const auto& explanation = frame.explained.explanation;
  const bool new_map = explanation && explanation->frame_seq != map_of_;
  if (new_map) map_of_ = explanation->frame_seq;
  const std::string line = json_line(stream_, frame, Clock::now(), new_map) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() ||
      std::fflush(file_.get()) != 0) {
    fail();
  }
}

void JsonlSink::finish() {
  if (!file_) open();  // no frame at all: an empty file says so
  file_.reset();
}

void JsonlSink::fail() const {
  const std::string why = std::strerror(errno);
  const std::string what = path_ == "-" ? "standard output" : "'" + path_ + "'";
  throw UserError(ExitCode::kOutput, "cannot write " + what + ": " + why);
}

}  // namespace gradcam
