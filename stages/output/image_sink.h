#pragma once

#include <filesystem>
#include <optional>

#include "stages/output/output_path.h"
#include "stages/output/sink.h"

namespace gradcam {

/// One picture of a still source, or a numbered series with one picture for each frame, numbered
/// as the source counts them. Every file appears complete under its name.
class ImageSink : public Sink {
 public:
  /// `still`: the source has one picture only; any other needs a series (UserError kOutput).
  ImageSink(std::filesystem::path path, bool still, bool overwrite);
  void write(const Rendered& frame) override;
  void finish() override {}

 private:
  std::filesystem::path path_;
  std::optional<SeriesName> series_;
};

}  // namespace gradcam
