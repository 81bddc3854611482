// Explains one picture with the stages alone, without the graph.
//   explain_image PICTURE [MODEL.pt]    writes explained.png and prints the five best classes

#include <cstdio>
#include <exception>
#include <memory>
#include <opencv2/imgcodecs.hpp>

#include "stages/explain/load_explainer.h"
#include "stages/overlay/heat_on_frame.h"
#include "stages/overlay/overlay.h"
#include "stages/preprocess/preprocess.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: explain_image PICTURE [MODEL.pt]\n");
    return 2;
  }
  try {
    const cv::Mat picture = cv::imread(argv[1], cv::IMREAD_COLOR);
    if (picture.empty()) throw std::runtime_error(std::string("cannot read ") + argv[1]);

    gradcam::ExplainOptions options;  // default network, its own layer, best class
    if (argc > 2) options.model = argv[2];
    const auto explainer = gradcam::load_explainer(options);
    explainer->warm_up();

    const auto input = gradcam::to_network_input(picture, explainer->description());
    const gradcam::Explanation explanation = explainer->explain(input.blob);
    for (const auto& score : explanation.top) {
      std::printf("%5d  %-32s %6.2f %%\n", score.index, score.label.c_str(), 100 * score.score);
    }

    const cv::Mat map = gradcam::map_on_frame(explanation.heat, input.mapping,
                                              {input.blob.width, input.blob.height}, options.style);
    gradcam::Explained explained;
    explained.explanation = std::make_shared<const gradcam::Explanation>(explanation);
    gradcam::HudText hud;
    hud.model = explainer->description().name;
    if (!cv::imwrite("explained.png", gradcam::draw_view(picture, map, {}, explained, hud, {}))) {
      throw std::runtime_error("cannot write explained.png");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "explain_image: %s\n", error.what());
    return 1;
  }
  return 0;
}
