#include "pipeline/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace gradcam::log {
namespace {

spdlog::logger& logger() {
  static const auto kLogger = [] {
    auto made = spdlog::stderr_color_mt("gradcam-live");
    made->set_pattern("%^%l%$: %v");
    return made;
  }();
  return *kLogger;
}

}  // namespace

void set_level(const std::string& level) { logger().set_level(spdlog::level::from_str(level)); }
void info(const std::string& line) { logger().info("{}", line); }
void warning(const std::string& line) { logger().warn("{}", line); }
void error(const std::string& line) { logger().error("{}", line); }

}  // namespace gradcam::log
