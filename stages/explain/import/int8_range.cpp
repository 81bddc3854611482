#include "stages/explain/import/int8_range.h"

#include <openvino/core/model.hpp>
#include <string>

namespace gradcam {

bool may_overflow_without_vnni(const ov::Model& quantised) {
  if (!quantised.has_rt_info("nncf", "quantization")) return true;
  if (!quantised.has_rt_info("nncf", "quantization", "advanced_parameters")) return false;
  const auto text =
      quantised.get_rt_info<std::string>("nncf", "quantization", "advanced_parameters");
  return text.find("'overflow_fix': 'disable'") != std::string::npos;
}

}  // namespace gradcam
