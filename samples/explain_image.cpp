// Explains one picture: writes explained.png and prints the five best classes.
//   explain_image PICTURE [MODEL.pt]
#include <cstdio>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>

#include "pipeline/default_stages.h"
#include "stages/explain/load_explainer.h"

int main(int argc, char** argv) try {
  if (argc < 2) throw std::runtime_error("usage: explain_image PICTURE [MODEL.pt]");
  gradcam::Frame frame;
  const cv::Mat pixels = cv::imread(argv[1]);
  if (pixels.empty()) throw std::runtime_error(std::string("cannot read ") + argv[1]);
  frame.image = gradcam::Picture(pixels);

  gradcam::ExplainOptions options;  // default network, its own layer, best class
  if (argc > 2) options.model = argv[2];
  const auto explainer = gradcam::load_explainer(options);

  // The stages one after the other; in the graph each works on another frame at the same time.
  const gradcam::Stages stages = gradcam::default_stages(*explainer);
  stages.explain_start();
  const gradcam::Prepared prepared = stages.preprocess(frame);
  const gradcam::Explanation explanation = stages.explain({prepared}).at(0);
  const gradcam::Rendered rendered =
      stages.overlay({prepared, std::make_shared<const gradcam::Explanation>(explanation)});

  for (const auto& score : explanation.top) {
    std::printf("%5d  %-32s %6.2f %%\n", score.index, score.label.c_str(), 100 * score.score);
  }
  if (!cv::imwrite("explained.png", rendered.picture.bgr())) {
    throw std::runtime_error("cannot write explained.png");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "explain_image: %s\n", error.what());
  return 1;
}
