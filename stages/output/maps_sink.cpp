#include "stages/output/maps_sink.h"

#include <unistd.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "config/user_error.h"
#include "stages/output/atomic_file.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& folder, const std::string& why) {
  throw UserError(ExitCode::kOutput, "folder of maps '" + folder.string() + "' " + why);
}

/// The map of a picture that --max-dim has shrunk is enlarged again.
cv::Mat in_source_size(const cv::Mat& map, cv::Size source) {
  if (map.size() == source) return map;
  cv::Mat enlarged;
  cv::resize(map, enlarged, source, 0, 0, cv::INTER_LINEAR);
  return enlarged;
}

}  // namespace

MapsSink::MapsSink(const fs::path& folder, const std::string& part, bool overwrite)
    : folder_(part.empty() ? folder : folder / part) {
  std::error_code error;
  const fs::path plain = folder.has_filename() ? folder : folder.parent_path();  // "heat/"
  if (!fs::exists(plain, error)) require_folder(plain);
  if (!fs::exists(folder_, error)) return;
  if (!fs::is_directory(folder_, error)) refuse(folder_, "is a file");
  if (access(folder_.c_str(), W_OK | X_OK) != 0) refuse(folder_, "is not writable");
  if (overwrite) return;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".tiff") {
      refuse(folder_, "holds maps already: choose another, or -y to overwrite them");
    }
  }
  if (error) refuse(folder_, "cannot be read: " + error.message());
}

void MapsSink::write(const Rendered& frame) {
  if (!frame.map) return;
  if (!made_) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) refuse(folder_, "cannot be made: " + error.message());
    made_ = true;
  }
  const std::string name = SeriesName(kMapSeries).at(frame.frame().seq).string();
  constexpr int kUncompressed = 1;
  std::vector<unsigned char> bytes;
  const cv::Mat map = in_source_size(*frame.map, frame.frame().source_size);
  if (!cv::imencode(".tiff", map, bytes, {cv::IMWRITE_TIFF_COMPRESSION, kUncompressed})) {
    refuse(folder_, "cannot take " + name + ": the .tiff encoder failed");
  }
  write_file(folder_ / name, bytes);
}

}  // namespace gradcam
