#include "stages/output/source_guard.h"

#include <filesystem>
#include <string>

#include "config/output_table.h"
#include "config/user_error.h"
#include "stages/output/maps_sink.h"
#include "stages/output/output_path.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

bool same(const fs::path& a, const fs::path& b) {
  std::error_code missing;  // what does not exist yet is nobody's source
  return fs::equivalent(a, b, missing);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Whether writing `output` would replace `read`.
bool hits(const fs::path& output, const fs::path& read) {
  if (!is_series(output.filename().string())) return same(output, read);
  return same(folder_of(output), folder_of(read)) &&
         SeriesName(output).matches(read.filename().string());
}

void require_other(const fs::path& output, const std::vector<fs::path>& files) {
  for (const fs::path& read : files) {
    if (!hits(output, read)) continue;
    throw UserError(ExitCode::kOutput, "output '" + output.string() + "' would replace '" +
                                           read.string() +
                                           "', which is being read: choose another name");
  }
}

}  // namespace

void require_apart(const OutputOptions& options, const std::vector<SourceInfo>& sources,
                   const std::vector<fs::path>& others) {
  std::vector<fs::path> files = others;
  for (const SourceInfo& source : sources) {
    files.insert(files.end(), source.files.begin(), source.files.end());
  }
  const int count = static_cast<int>(sources.size());
  const std::vector<AskedOutput> outputs = asked_outputs(options);
  for (int i = 0; i < count; ++i) {
    for (const AskedOutput& output : outputs) {
      if (output.place == OutputPlace::kFile) {
        require_other(path_of_stream(output.text, i, count), files);
      } else if (output.place == OutputPlace::kFolder) {
        const fs::path folder = fs::path(output.text) / (count > 1 ? std::to_string(i) : "");
        require_other(folder / kMapSeries, files);
      }
    }
  }
  for (const AskedOutput& output : outputs) {
    if (output.place == OutputPlace::kRunFile) require_other(output.text, files);
  }
}

}  // namespace gradcam
