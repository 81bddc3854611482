#include "stages/explain/tasks/output_reading.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "stages/frame/shape_text.h"

namespace gradcam {

void refuse_shape(OutputShape shape, std::string_view task, std::string_view wanted) {
  throw std::runtime_error("gives " + shape_text(shape) + " numbers for a picture, task " +
                           std::string(task) + " wants " + std::string(wanted) +
                           "; the description's task says what they mean");
}

int row_length(OutputShape shape, std::string_view task, std::string_view wanted) {
  std::int64_t largest = 1;
  std::int64_t numbers = 1;
  for (const std::int64_t size : shape) {
    largest = std::max(largest, size);
    numbers *= size;
  }
  if (largest != numbers) refuse_shape(shape, task, wanted);
  return static_cast<int>(numbers);
}

}  // namespace gradcam
