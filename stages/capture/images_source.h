#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stages/capture/pictures/picture.h"
#include "stages/capture/pictures/rendering.h"
#include "stages/capture/source.h"

namespace gradcam {

/// The pictures of a folder (not of its sub-folders), in natural order. UserError if none.
std::vector<std::filesystem::path> pictures_in_folder(const std::filesystem::path& folder);

/// The pictures whose names match a shell pattern (* ? [..]), in natural order. UserError if none.
std::vector<std::filesystem::path> pictures_matching(const std::string& pattern);

/// Order in which runs of digits count as numbers: a2 before a10.
bool natural_less(const std::string& a, const std::string& b);

/// Pictures as a stream: orientation tags obeyed, of an animation the first picture. Several play
/// at 25 per second; one that cannot be read is left out, and the end of the stream names it in
/// `cut_short`.
class ImagesSource : public Source {
 public:
  /// Throws UserError(kSource) if none of `paths` can be read.
  ImagesSource(std::string name, std::vector<std::filesystem::path> paths,
               Rendering rendering = Rendering());
  const SourceInfo& info() const override { return info_; }
  Capture next(std::chrono::milliseconds timeout) override;

 private:
  /// The next readable picture; empty at the end.
  cv::Mat read_next();

  SourceInfo info_;
  std::vector<std::filesystem::path> paths_;
  std::size_t position_ = 0;
  Rendering rendering_;
  std::vector<std::string> unreadable_;
  std::string why_unreadable_;  ///< of the last of these
  cv::Mat ahead_;               ///< read in advance by the constructor
  std::int64_t delivered_ = 0;
};

}  // namespace gradcam
