// Adds a stage of one's own to the graph: before the network sees a frame, it is brightened.
//   add_a_stage FILM OUT.mp4
// A stage is a plain function. The graph is told about it where the stages are bound together.

#include <cstdio>
#include <exception>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <stop_token>

#include "pipeline/graph.h"
#include "stages/explain/load_explainer.h"
#include "stages/output/sink.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/overlay.h"
#include "stages/preprocess/preprocess.h"

namespace {

/// The stage: BGR u8 in, BGR u8 of the same size out. Pure, so it may run on several threads.
cv::Mat brighten(const cv::Mat& frame, double gain) {
  cv::Mat bright;
  frame.convertTo(bright, -1, gain);
  return bright;
}

gradcam::Stages stages(gradcam::Explainer& explainer) {
  gradcam::Stages all;
  all.explain_start = [&] { explainer.warm_up(); };
  all.preprocess = [&](const gradcam::Frame& frame) {
    gradcam::Prepared prepared{frame, nullptr, {}};
    prepared.frame.image = std::make_shared<const cv::Mat>(brighten(*frame.image, 1.3));
    auto input = gradcam::to_network_input(*prepared.frame.image, explainer.description());
    prepared.mapping = input.mapping;
    prepared.blob = std::make_shared<const gradcam::Blob>(std::move(input.blob));
    return prepared;
  };
  all.explain = [&](const gradcam::Prepared& prepared) {
    return explainer.explain(*prepared.blob);
  };
  all.overlay = [](const gradcam::Explained& explained) {
    cv::Mat map;
    if (explained.explanation) {
      const auto& blob = *explained.prepared.blob;
      map = gradcam::map_on_frame(explained.explanation->heat, explained.prepared.mapping,
                                  {blob.width, blob.height}, gradcam::Style::kGradcam);
    }
    gradcam::Rendered rendered;
    rendered.explained = explained;
    rendered.picture = std::make_shared<const cv::Mat>(
        gradcam::draw_view(*explained.frame().image, map, {}, explained, {}, {}));
    return rendered;
  };
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: add_a_stage FILM OUT.mp4\n");
    return 2;
  }
  try {
    const auto explainer = gradcam::load_explainer({});
    auto source = gradcam::open_source(argv[1], {});
    gradcam::OutputOptions output;
    output.outputs = {argv[2]};
    const auto sinks = gradcam::open_sinks(output, source->info(), 0, 1);
    std::vector<gradcam::Stream> streams;
    gradcam::Stream& stream = streams.emplace_back();
    stream.source = std::move(source);
    stream.output = [&](const gradcam::Rendered& frame) { sinks[0]->write(frame); };
    stream.finish = [&] { sinks[0]->finish(); };
    const auto summary = gradcam::run_graph(std::move(streams), stages(*explainer), {}, {});
    if (summary.error) std::rethrow_exception(summary.error);
    for (const std::string& problem :
         {summary.streams[0].source_error, summary.streams[0].cut_short}) {
      if (!problem.empty()) std::fprintf(stderr, "add_a_stage: %s\n", problem.c_str());
    }
    std::printf("%lld frames written to %s\n", static_cast<long long>(summary.streams[0].shown),
                argv[2]);
    return static_cast<int>(gradcam::exit_code(summary));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "add_a_stage: %s\n", error.what());
    return 1;
  }
}
