// Preprocess and overlay in the picture's own planes, with each set of instructions that this
// machine has, beside the functions that do the same in BGR ("bgr/…").
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "pipeline/frame_memory.h"
#include "stages/overlay/cam_figures.h"
#include "stages/overlay/colormap.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/heat_on_planes.h"
#include "stages/overlay/hud.h"
#include "stages/overlay/overlay.h"
#include "stages/overlay/plane_view.h"
#include "stages/picture/convert.h"
#include "stages/picture/picture_pool.h"
#include "stages/picture/plane_resizer.h"
#include "stages/picture/tile.h"
#include "stages/preprocess/preprocess.h"
#include "stages/preprocess/resize.h"

namespace gradcam {
namespace {

const ColorDescription kColor{YuvMatrix::kBt709, ColorRange::kLimited};

HeatMap spot() {
  HeatMap heat{224, 224, std::pmr::vector<float>(50176)};
  for (int i = 0; i < 224 * 224; ++i) {
    const double distance = std::hypot(i % 224 - 150, i / 224 - 100);
    heat.values[static_cast<std::size_t>(i)] = static_cast<float>(std::exp(-distance / 50));
  }
  return heat;
}

/// Waves and some noise, within RGB.
PictureBuffer picture(PixelFormat format, cv::Size size) {
  PicturePool pool;
  PictureBuffer buffer = pool.take(format, size, kColor);
  cv::RNG random(1);
  const FormatInfo& info = format_info(format);
  for (std::size_t p = 0; p < static_cast<std::size_t>(info.planes); ++p) {
    const WritablePlane& plane = buffer.planes().planes[p];
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width * info.bytes[p]; ++x) {
        const double wave = std::sin(x * 0.01) * std::cos(y * 0.013);
        plane.row(y)[x] = static_cast<std::uint8_t>(126 + 30 * wave + random.uniform(-4, 5));
      }
    }
  }
  return buffer;
}

/// All that one size needs.
struct Scene {
  explicit Scene(cv::Size frame)
      : size(frame),
        input(picture(PixelFormat::kI420, frame)),
        output(picture(PixelFormat::kI420, frame)),
        nv12(picture(PixelFormat::kNv12, frame)),
        nv12_output(picture(PixelFormat::kNv12, frame)),
        view(view_of(input.planes())),
        mapping{frame.width,
                frame.height,
                {0, 0, static_cast<double>(frame.width), static_cast<double>(frame.height)},
                {0, 0, 224, 224}},
        bgr(to_bgr(view)),
        resizer({frame, {{0, 0}, frame}, {224, 224}, {0, 0, 224, 224}}),
        overlay(mapping, {224, 224}, {224, 224}),
        colors(heat_colors(color_table(Colormap::kJet), kColor)) {
    Explanation explanation;
    explanation.top = {{281, "tabby", 0.78f},
                       {282, "tiger cat", 0.1f},
                       {285, "Egyptian cat", 0.05f},
                       {287, "lynx", 0.02f},
                       {478, "carton", 0.01f}};
    explanation.targets = {explanation.top[0]};
    explanation.method = "gradcam";
    explanation.layers = {"blocks.6.0"};
    explained.explanation = std::make_shared<const Explanation>(explanation);
    hud_pixels.create(size.height * 3 / 10 / 2 * 2, size.width * 22 / 100 / 2 * 2, CV_8UC4);
    cv::randu(hud_pixels, 0, 128);
    tile.draw(hud_pixels, Alpha::kPremultiplied, PixelFormat::kI420, kColor);
  }

  cv::Size size;
  PictureBuffer input, output, nv12, nv12_output;
  PictureView view;
  Mapping mapping;
  HeatMap heat = spot();
  cv::Mat bgr;
  cv::Mat blob = cv::Mat(224, 224, CV_8UC3);
  PlaneResizer resizer;
  HeatOnPlanes overlay;
  HeatColors colors;
  Explained explained;
  HudText hud{"efficientnet_lite0", "", 24.8, 38.2};
  cv::Mat hud_pixels;
  Tile tile;
};

using Work = std::function<void(Scene&, const kernels::Table&)>;

void run(benchmark::State& state, cv::Size size, const kernels::Table& table, const Work& work) {
  static Scene* scene = nullptr;  // of one size at a time
  if (scene == nullptr || scene->size != size) {
    delete scene;
    scene = new Scene(size);
  }
  for (auto _ : state) work(*scene, table);
}

struct Row {
  const char* name;
  Work work;
};

void preprocess(Scene& s, const kernels::Table& table) {
  s.resizer(s.view, PixelOrder::kRgb, s.blob, table);
}
void overlay(Scene& s, const kernels::Table& table) {
  s.overlay.draw(s.view, s.heat, s.colors, 128, s.output.planes(), table);
}
void lay_tile(Scene& s, const kernels::Table& table) {
  s.tile.lay(s.output.planes(), {16, 16}, table);
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"preprocess_i420", preprocess},
      {"preprocess_nv12",
       [](Scene& s, const kernels::Table& table) {
         s.resizer(view_of(s.nv12.planes()), PixelOrder::kRgb, s.blob, table);
       }},
      {"overlay_i420", overlay},
      {"overlay_nv12",
       [](Scene& s, const kernels::Table& table) {
         s.overlay.draw(view_of(s.nv12.planes()), s.heat, s.colors, 128, s.nv12_output.planes(),
                        table);
       }},
      {"overlay_heatmap_view",
       [](Scene& s, const kernels::Table& table) {
         s.overlay.draw(s.view, s.heat, s.colors, 256, s.output.planes(), table);
       }},
      {"draw_tile",
       [](Scene& s, const kernels::Table& table) {
         s.tile.draw(s.hud_pixels, Alpha::kPremultiplied, PixelFormat::kI420, kColor, table);
       }},
      {"lay_tile", lay_tile},
      {"preprocess_overlay_tile",
       [](Scene& s, const kernels::Table& table) {
         preprocess(s, table);
         overlay(s, table);
         lay_tile(s, table);
       }},
      {"to_bgr", [](Scene& s, const kernels::Table& table) { to_bgr(s.view, table); }},
      {"to_bgr_half_size",
       [](Scene& s, const kernels::Table& table) {
         cv::Mat half(s.size / 2, CV_8UC3);
         draw_bgr(s.view, half, table);
       }},
      {"bgr_to_i420",
       [](Scene& s, const kernels::Table& table) {
         convert(view_of(s.bgr), s.output.planes(), table);
       }},
  };
  return kRows;
}

/// What the stages preprocess and overlay do to a frame; each frame has other scores.
void stages_with_new_hud(Scene& s, const kernels::Table&) {
  static int number = 0;
  Explanation explanation = *s.explained.explanation;
  const auto score = static_cast<float>(++number % 1000) / 1000;
  for (ClassScore& found : explanation.top) found.score = found.score / 2 + score / 2;
  explanation.targets = {explanation.top[0]};
  Explained explained;
  explained.explanation = std::make_shared<const Explanation>(std::move(explanation));
  ModelDescription description;
  description.input_width = description.input_height = 224;
  const Picture frame(s.view, nullptr);
  const NetworkInput input = to_network_input(frame, description);
  benchmark::DoNotOptimize(figures_of(s.heat, input.mapping, {224, 224}));
  draw_plane_view(frame, &s.heat, input.mapping, {224, 224}, {}, explained, s.hud, {}, false);
}

/// What does not depend on the set, and the functions in BGR.
const std::vector<Row>& other_rows() {
  static const std::vector<Row> kRows = {
      {"stages_with_new_hud", stages_with_new_hud},
      {"copy_i420", [](Scene& s, const kernels::Table&) { convert(s.view, s.output.planes()); }},
      {"bgr/resize_antialiased",
       [](Scene& s, const kernels::Table&) {
         resize_antialiased(s.bgr, {224, 224});
       }},
      {"bgr/map_on_frame",
       [](Scene& s, const kernels::Table&) {
         map_on_frame(s.heat, s.mapping, {224, 224}, Style::kGradcam);
       }},
      {"bgr/draw_view_without_hud",
       [](Scene& s, const kernels::Table&) {
         OverlayOptions options;
         options.hud = false;
         const cv::Mat map = map_on_frame(s.heat, s.mapping, {224, 224}, Style::kGradcam);
         draw_view(s.bgr, map, {}, s.explained, s.hud, options);
       }},
      {"bgr/draw_hud",
       [](Scene& s, const kernels::Table&) {
         cv::Mat picture = s.bgr;
         draw_hud(picture, s.explained, s.hud);
       }},
  };
  return kRows;
}

void add(const std::string& name, cv::Size size, const kernels::Table& table, const Work& work) {
  benchmark::RegisterBenchmark(
      (name + "/" + std::to_string(size.width) + "x" + std::to_string(size.height)).c_str(),
      [size, &table, &work](benchmark::State& state) { run(state, size, table, work); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace gradcam

int main(int argc, char** argv) {
  using namespace gradcam;
  cv::setNumThreads(1);
  recycle_frame_memory();  // as the program does
  for (const cv::Size size : {cv::Size(640, 360), cv::Size(1920, 1080), cv::Size(3840, 2160)}) {
    for (const kernels::Set set : kernels::kSets) {
      const kernels::Table* const table = kernels::table_of(set);
      if (table == nullptr) continue;
      for (const Row& row : rows()) {
        add(std::string(table->name) + "/" + row.name, size, *table, row.work);
      }
    }
    for (const Row& row : other_rows()) add(row.name, size, kernels::best(), row.work);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
