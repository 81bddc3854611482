#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stages/explain/tasks/scalar.h"
#include "stages/explain/tasks/stream_memory.h"
#include "stages/explain/tasks/targets.h"
#include "stages/frame/explanation.h"

/// What a network's output says, in the words that all tasks share. Plain loops, no torch.
namespace gradcam {

/// The shape of the output of one picture.
using OutputShape = std::span<const std::int64_t>;

/// What the network gave of one picture: [K] of classes, values or an embedding, [C, h, w] of a
/// segmentation, [N, …] of a detector.
struct OutputView {
  std::span<const float> values;
  OutputShape shape;
};

/// A class, value or box that is explained.
struct ExplainedTarget {
  ClassScore class_score;
  Scalar scalar;
  std::optional<Box> box{};                 ///< of a detection, in pixels of the network's input
  std::vector<std::int64_t> box_numbers{};  ///< its four numbers in the output
};

struct OutputReading {
  std::vector<ClassScore> top;           ///< the five best
  std::vector<ExplainedTarget> targets;  ///< best first; none where nothing asked for is there
  std::vector<DetectedObject> objects;   ///< boxes in pixels of the network's input
  std::optional<ClassMap> classes;       ///< of a segmentation
};

/// How an output is read, besides its description.
struct ReadingOptions {
  TargetChoice target;
  bool leads = false;  ///< explain by how much a class leads over the nearest ones
  /// Output on the reference picture, of task embedding.
  std::shared_ptr<const std::vector<float>> reference;
  StreamMemory* memory = nullptr;  ///< of the picture's stream; null = nothing is remembered
  double hysteresis = 0;           ///< lead in score that another class needs, of target `auto`
  /// Left, top, right, bottom in fractions: the part of a segmentation that counts.
  std::array<double, 4> region{0, 0, 1, 1};
};

constexpr int kTopShown = 5;  ///< most entries of OutputReading::top

/// Throws std::runtime_error: `task` wants `wanted`, and the output has this shape.
[[noreturn]] void refuse_shape(OutputShape shape, std::string_view task, std::string_view wanted);

/// K of an output [K], [K, 1, 1] …; refuses any other shape.
int row_length(OutputShape shape, std::string_view task, std::string_view wanted);

}  // namespace gradcam
