// The library in a program of one's own, with a loop of one's own: opens a film, picture or camera,
// explains each frame, writes it with its heat map, and prints where the network looks.
//   embed SOURCE OUTPUT [MODEL.pt]        embed street.mp4 explained.mp4
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "pipeline/default_stages.h"
#include "stages/capture/source.h"
#include "stages/explain/load_explainer.h"
#include "stages/output/sink.h"

int main(int argc, char** argv) try {
  if (argc < 3) throw std::runtime_error("usage: embed SOURCE OUTPUT [MODEL.pt]");
  const auto source = gradcam::open_source(argv[1], {});
  gradcam::OutputOptions output;
  output.outputs = {argv[2]};
  const auto sink = std::move(gradcam::open_sinks(output, source->info(), 0, 1).at(0));

  gradcam::ExplainOptions options;  // default network, its own layer, best class
  if (argc > 3) options.model = argv[3];
  const auto explainer = gradcam::load_explainer(options);
  const gradcam::Stages stages = gradcam::default_stages(*explainer);
  stages.explain_start();

  for (gradcam::Frame frame;;) {
    gradcam::Capture next = source->next(std::chrono::milliseconds(100));
    if (std::holds_alternative<gradcam::EndOfStream>(next)) break;
    auto* const captured = std::get_if<gradcam::Captured>(&next);
    if (captured == nullptr) continue;  // nothing yet
    frame.pts = captured->pts;
    frame.image = captured->image;
    frame.source_size = captured->image.size();

    const gradcam::Prepared prepared = stages.preprocess(frame);
    const gradcam::Explanation explanation = stages.explain({prepared}).at(0);
    const gradcam::Rendered rendered =
        stages.overlay({prepared, std::make_shared<const gradcam::Explanation>(explanation)});
    sink->write(rendered);

    std::printf("frame %lld: %s %.3f, ", static_cast<long long>(frame.seq),
                explanation.top.at(0).label.c_str(), explanation.top[0].score);
    if (const auto& figures = rendered.figures; figures && figures->peak) {
      std::printf("peak at (%d, %d) of %dx%d\n", figures->peak->x, figures->peak->y,
                  frame.image.width(), frame.image.height());
    } else {
      std::printf("no heat\n");
    }
    ++frame.seq;
  }
  sink->finish();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "embed: %s\n", error.what());
  return 1;
}
