// Where does the network look? Prints the best class of a picture and the peak of its heat map.
//   embed [PICTURE [MODEL.pt]]
#include <algorithm>
#include <cstdio>
#include <exception>
#include <opencv2/imgcodecs.hpp>

#include "stages/explain/load_explainer.h"
#include "stages/preprocess/preprocess.h"

int main(int argc, char** argv) {
  try {
    const cv::Mat picture =
        argc > 1 ? cv::imread(argv[1]) : cv::Mat(240, 320, CV_8UC3, {90, 140, 60});
    if (picture.empty()) throw std::runtime_error(std::string("cannot read ") + argv[1]);
    gradcam::ExplainOptions options;
    if (argc > 2) options.model = argv[2];
    const auto explainer = gradcam::load_explainer(options);
    explainer->warm_up();
    const auto input = gradcam::to_network_input(picture, explainer->description());
    const auto explanation = explainer->explain(input.blob);
    const auto& heat = explanation.heat;
    const auto peak =
        std::max_element(heat.values.begin(), heat.values.end()) - heat.values.begin();
    std::printf("%s %.3f, peak at (%d, %d) of %dx%d\n", explanation.top[0].label.c_str(),
                explanation.top[0].score, static_cast<int>(peak) % heat.width,
                static_cast<int>(peak) / heat.width, heat.width, heat.height);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
  }
  return 0;
}
