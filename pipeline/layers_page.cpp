#include "pipeline/layers_page.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/text.h"
#include "config/user_error.h"
#include "pipeline/layers_html.h"
#include "pipeline/log.h"
#include "pipeline/reference.h"
#include "stages/capture/source.h"
#include "stages/explain/layer_maps.h"
#include "stages/explain/load.h"
#include "stages/frame/shape_text.h"
#include "stages/output/atomic_file.h"
#include "stages/output/output_path.h"
#include "stages/output/source_guard.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/overlay.h"
#include "stages/preprocess/preprocess.h"

namespace gradcam {
namespace {

constexpr int kLongerSide = 224;  // pixels of the pictures on the page

/// Throws UserError(kSource).
cv::Mat first_picture(Source& source, const std::stop_token& stop) {
  constexpr auto kPoll = std::chrono::milliseconds(100);
  const auto refuse = [&source](const std::string& why) {
    throw UserError(ExitCode::kSource, "source '" + source.info().name + "': " + why);
  };
  while (!stop.stop_requested()) {
    Capture next = source.next(kPoll);
    if (const auto* picture = std::get_if<Captured>(&next)) return picture->image.bgr();
    if (std::holds_alternative<Undecodable>(next)) refuse("its first picture cannot be decoded");
    if (std::holds_alternative<EndOfStream>(next)) refuse("holds no picture");
  }
  refuse("stopped before its first picture");
  return {};
}

/// LibTorch in fp32: its gradients are what is looked at, whatever engine a run would take.
ExplainOptions explain_options(const Options& options) {
  ExplainOptions explain = options.explain;
  explain.model = options.subject;
  explain.device = "cpu";
  explain.engine = EngineName::kTorchScript;
  explain.precision = Precision::kFp32;
  explain.batch = 1;
  return explain;
}

/// "32", "31.5"
std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

/// "7x7 places of 32x32 pixels"
std::string places_text(const LayerMap& map, const ModelDescription& description) {
  return std::to_string(map.height) + "x" + std::to_string(map.width) + " places of " +
         number_text(static_cast<double>(description.input_height) / map.height) + "x" +
         number_text(static_cast<double>(description.input_width) / map.width) + " pixels";
}

/// "tiger cat, 41 %"
std::string target_text(const ClassScore& target) {
  const std::string name =
      target.label.empty() ? "class " + std::to_string(target.index) : target.label;
  if (!is_share(target.score)) return name + ", " + number_text(target.score);
  return name + ", " + number_text(100.0 * target.score) + " %";
}

/// Draws heats on one picture, which is small and shows what the network saw of the large one.
class Drawing {
 public:
  Drawing(const cv::Mat& picture, Mapping mapping, const ModelDescription& description,
          const OverlayOptions& overlay)
      : picture_(shrink(Picture(picture), kLongerSide).bgr()),
        mapping_(mapping),
        input_(description.input_width, description.input_height),
        overlay_(overlay) {
    const double across = static_cast<double>(picture_.cols) / mapping.frame_width;
    const double down = static_cast<double>(picture_.rows) / mapping.frame_height;
    const Region& whole = mapping.in_frame;
    mapping_.frame_width = picture_.cols;
    mapping_.frame_height = picture_.rows;
    mapping_.in_frame = {whole.x * across, whole.y * down, whole.width * across,
                         whole.height * down};
    overlay_.view = ViewKind::kOverlay;
    overlay_.style = Style::kGradcam;
    overlay_.hud = false;
  }

  cv::Size size() const { return picture_.size(); }

  /// A JPEG: a PNG of the same picture is five times as large.
  std::vector<unsigned char> of(const HeatMap& heat) const {
    const cv::Mat map = map_on_frame(heat, mapping_, input_, Style::kGradcam);
    std::vector<unsigned char> bytes;
    cv::imencode(".jpg", draw_view(picture_, map, {}, {}, {}, overlay_), bytes,
                 {cv::IMWRITE_JPEG_QUALITY, 90});
    return bytes;
  }

 private:
  cv::Mat picture_;
  Mapping mapping_;
  cv::Size input_;
  OverlayOptions overlay_;
};

LayersPage page_of(const LayerMaps& maps, const Drawing& drawing, const Explainer& explainer) {
  const ModelDescription& description = explainer.description();
  LayersPage page;
  page.title = "Layers of " + description.name;
  page.picture_width = drawing.size().width;
  page.picture_height = drawing.size().height;
  for (const LayerMap& map : maps.layers) {
    if (!map.obstacle.empty()) {
      page.others.emplace_back(map.layer.name, map.obstacle);
      continue;
    }
    LayerCard card;
    card.name = map.layer.name;
    card.type = map.layer.type;
    card.shape = shape_text(map.layer.shape);
    card.places = places_text(map, description);
    const std::vector<std::string>& taken = explainer.layers();
    card.taken = std::ranges::find(taken, card.name) != taken.end();
    try {
      card.picture = drawing.of(heat_of(map, description.input_height, description.input_width));
      page.cards.push_back(std::move(card));
    } catch (const std::runtime_error& error) {
      page.others.emplace_back(map.layer.name, error.what());
    }
  }
  return page;
}

std::string explained_text(const LayerMaps& maps) {
  std::vector<std::string> targets;
  for (const ClassScore& target : maps.targets) targets.push_back(target_text(target));
  return targets.empty() ? "nothing: the network finds nothing in this picture"
                         : listed(targets, "; ");
}

}  // namespace

void write_layers_page(const Options& options, const std::stop_token& stop) {
  const std::string& path = options.output.html;
  const ExplainOptions explain = explain_options(options);
  require_new_file(path, options.output.overwrite);
  require_model(explain);
  const bool asked = !options.input.sources.empty();
  const auto source = open_source(asked ? options.input.sources[0] : "test", options.input,
                                  {true, stop, log::warning});
  require_apart(options.output, {source->info()}, files_read(explain));
  const cv::Mat picture = first_picture(*source, stop);

  const LoadedModel loaded = load_model(explain, stop);
  if (!loaded.note.empty()) log::warning(loaded.note);
  const Explainer explainer(loaded.network, loaded.description, explain, Choosing::kUntimed,
                            {{}, stop});
  if (!explainer.note().empty()) log::warning(explainer.note());
  const ModelDescription& description = explainer.description();
  const std::optional<Blob> reference = read_reference(options, description);
  const NetworkInput input = to_network_input(picture, description);
  explainer.take_threads();
  LayerMaps maps;
  try {
    maps = map_layers(loaded.network, explainer, explain, input.blob,
                      reference ? &*reference : nullptr);
  } catch (const UserError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw UserError(ExitCode::kModel, "model '" + options.subject + "': " + error.what());
  }

  LayersPage page =
      page_of(maps, Drawing(picture, input.mapping, description, options.overlay), explainer);
  page.facts = {{"Network", options.subject},
                {"Its input", std::to_string(description.input_height) + "x" +
                                  std::to_string(description.input_width) + " (height x width)"},
                {"Picture", asked ? source->info().name
                                  : "the test pattern; `layers MODEL --html FILE PICTURE` shows "
                                    "another"},
                {"Explained", explained_text(maps)},
                {"Method", maps.method}};
  page.remark =
      "The layers that give a map, in the order in which the network runs them. A click on a name "
      "copies the option that has it explained.";
  write_file(path, to_html(page));
  log::info("wrote " + path + ": " + std::to_string(page.cards.size()) + " layers");
}

}  // namespace gradcam
