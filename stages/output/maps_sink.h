#pragma once

#include <filesystem>
#include <string>

#include "stages/output/sink.h"

namespace gradcam {

/// The names of the maps in their folder.
inline constexpr const char* kMapSeries = "%06d.tiff";

/// The heat map of each frame as FOLDER/000000.tiff …: float32, one channel, source size, 0..1,
/// uncompressed, numbered as the source counts its frames. A failed frame leaves its number out.
class MapsSink : public Sink {
 public:
  /// The folder is made with the first map; its parent must exist. `part`: of one of several
  /// streams, the name of its own folder inside; empty = the maps lie in `folder` itself.
  MapsSink(const std::filesystem::path& folder, const std::string& part, bool overwrite);
  void write(const Rendered& frame) override;
  void finish() override {}

 private:
  std::filesystem::path folder_;
  bool made_ = false;
};

}  // namespace gradcam
