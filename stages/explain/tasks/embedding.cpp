#include <stdexcept>

#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

int count_none(OutputShape shape, const ModelDescription&) {
  row_length(shape, "embedding", "one row");
  return 0;
}

OutputReading read(const OutputView& output, const ModelDescription&,
                   const ReadingOptions& options) {
  if (!options.reference) throw std::runtime_error("there is no reference picture");
  const Scalar scalar = Scalar::cosine(options.reference);
  const ClassScore likeness{0, "likeness", static_cast<float>(scalar.value(output.values))};
  OutputReading reading;
  reading.top = {likeness};
  reading.targets = {{likeness, scalar, {}}};
  return reading;
}

TargetChoice parse(const TargetText& target) {
  refuse_target(target.text, "allowed: auto (the likeness to --reference)");
}

}  // namespace

/// A vector that is compared with that of a reference picture.
extern const Task kEmbedding = {.name = "embedding",
                                .networks = "embeddings",
                                .likeness = true,
                                .classes = &count_none,
                                .read = &read,
                                .parse_target = &parse};

}  // namespace gradcam
