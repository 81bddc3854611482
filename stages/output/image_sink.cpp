#include "stages/output/image_sink.h"

#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "config/output_table.h"
#include "config/user_error.h"
#include "stages/output/atomic_file.h"

namespace gradcam {

namespace {

/// OpenCV throws for some pictures and says no for others (JPEG has at most 65500 pixels a side).
bool encoded(const std::string& extension, const cv::Mat& picture,
             std::vector<unsigned char>& bytes) {
  const std::vector<int> quality = {cv::IMWRITE_JPEG_QUALITY, 95};
  try {
    return cv::imencode(extension, picture, bytes, quality);
  } catch (const cv::Exception&) {
    return false;
  }
}

}  // namespace

ImageSink::ImageSink(std::filesystem::path path, bool still, bool overwrite)
    : path_(std::move(path)) {
  if (is_series(path_.string())) {
    series_.emplace(path_);
    series_->require_new(overwrite);
    return;
  }
  if (!still) {
    throw UserError(ExitCode::kOutput, "output '" + path_.string() +
                                           "' is one picture, but the source has many: give a "
                                           "series such as '" +
                                           path_.stem().string() + "_%05d" +
                                           path_.extension().string() + "', a film, or --limit 1");
  }
  require_new_file(path_, overwrite);
}

void ImageSink::write(const Rendered& frame) {
  const std::filesystem::path path = series_ ? series_->at(frame.frame().seq) : path_;
  std::vector<unsigned char> bytes;
  if (!encoded(path_.extension().string(), frame.picture.bgr(), bytes)) {
    throw UserError(ExitCode::kOutput, "cannot write '" + path.string() + "': the " +
                                           path_.extension().string() + " encoder cannot take " +
                                           std::to_string(frame.picture.width()) + "x" +
                                           std::to_string(frame.picture.height()) + " pixels");
  }
  write_file(path, bytes);
}

}  // namespace gradcam
