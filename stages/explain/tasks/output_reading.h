#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stages/explain/tasks/scalar.h"
#include "stages/explain/tasks/stream_memory.h"
#include "stages/explain/tasks/targets.h"
#include "stages/frame/description.h"
#include "stages/frame/explanation.h"

/// What a network's output means, task by task, and what of it is to be explained. Plain loops, no
/// torch; pure but for the memory of a stream; any thread.
namespace gradcam {

/// What the network gave of one picture: [K] of classes, values or an embedding, [C, h, w] of a
/// segmentation, [N, …] of a detector.
struct OutputView {
  std::span<const float> values;
  std::span<const std::int64_t> shape;
};

/// One thing that is explained.
struct Aim {
  ClassScore what;
  Scalar scalar;
  std::optional<Box> box;  ///< of a detection, in pixels of the network's input
};

struct Verdict {
  std::vector<ClassScore> top;          ///< the five best
  std::vector<Aim> aims;                ///< best first; none where there is nothing of that kind
  std::vector<DetectedObject> objects;  ///< boxes in pixels of the network's input
  std::optional<ClassMap> classes;      ///< of a segmentation
};

/// How an output is read, besides its description.
struct Reading {
  TargetChoice target;
  bool leads = false;  ///< explain by how much a class leads over the nearest ones
  /// Output on the reference picture, of task embedding.
  std::shared_ptr<const std::vector<float>> reference;
  StreamMemory* memory = nullptr;  ///< of the picture's stream; null = nothing is remembered
  double hysteresis = 0;           ///< lead in score that another class needs, of target `auto`
  /// Left, top, right, bottom in fractions: the part of a segmentation that counts.
  std::array<double, 4> region{0, 0, 1, 1};
};

/// Throws std::runtime_error if the output holds a NaN or an infinity, or is not of the task.
Verdict judge(const OutputView& output, const ModelDescription& description,
              const Reading& reading);

/// All numbers after the description's activation: probabilities, values.
std::vector<float> activated(std::span<const float> output, ScoreActivation activation);

/// How many classes (labels, values) an output of this shape tells apart; 0 = not to be told from
/// the shape. Throws UserError(kModel) naming `model` if the shape is none of the task.
int classes_of(const ModelDescription& description, std::span<const std::int64_t> shape,
               const std::string& model);

}  // namespace gradcam
