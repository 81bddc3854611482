// Adds a stage of one's own to the graph: contrast for films taken at night, in fog or against the
// light. The network sees the clearer picture, and so does whoever watches.
//   add_a_stage FILM OUT.mp4
#include <cstdio>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "pipeline/default_stages.h"
#include "stages/explain/load_explainer.h"
#include "stages/output/sink.h"

/// A stage is a plain function of a frame. BGR u8 in and out; pure, so several threads may call it.
static cv::Mat with_contrast(const cv::Mat& frame) {
  cv::Mat lab;
  cv::cvtColor(frame, lab, cv::COLOR_BGR2Lab);
  cv::Mat lightness;
  cv::extractChannel(lab, lightness, 0);
  cv::createCLAHE(3.0, {8, 8})->apply(lightness, lightness);
  cv::insertChannel(lightness, lab, 0);
  cv::Mat clear;
  cv::cvtColor(lab, clear, cv::COLOR_Lab2BGR);
  return clear;
}

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: add_a_stage FILM OUT.mp4");
  const auto explainer = gradcam::load_explainer({});
  gradcam::Stages stages = gradcam::default_stages(*explainer);
  stages.preprocess = [library = stages.preprocess](gradcam::Frame frame) {
    frame.image = gradcam::Picture(with_contrast(frame.image.bgr()));
    return library(frame);
  };

  std::vector<gradcam::Stream> streams(1);
  streams[0].source = gradcam::open_source(argv[1], {});
  gradcam::OutputOptions output;
  output.outputs = {argv[2]};
  const auto sink = std::move(gradcam::open_sinks(output, streams[0].source->info(), 0, 1).at(0));
  streams[0].output = [&](const gradcam::Rendered& frame) { sink->write(frame); };
  streams[0].finish = [&] { sink->finish(); };

  const auto summary = gradcam::run_graph(std::move(streams), stages, {}, {});
  std::printf("%s\n", gradcam::to_json(summary).c_str());
  if (summary.error) std::rethrow_exception(summary.error);
  return static_cast<int>(gradcam::exit_code(summary));
} catch (const std::exception& error) {
  std::fprintf(stderr, "add_a_stage: %s\n", error.what());
  return 1;
}
