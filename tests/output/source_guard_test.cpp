#include "stages/output/source_guard.h"

#include <gtest/gtest.h>

#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using testing::write_text;

class SourceGuard : public ::testing::Test {
 protected:
  SourceGuard() {
    for (const char* name : {"film.mp4", "film-1.mp4", "00001.png", "000003.tiff"}) {
      write_text(folder_ / name, "");
    }
    sources_.resize(1);
    sources_[0].files = {folder_ / "film.mp4", folder_ / "00001.png", folder_ / "000003.tiff"};
  }
  OutputOptions to(const char* name) const {
    OutputOptions options;
    options.outputs = {(folder_ / name).string()};
    return options;
  }

  const TempFolder folder_;
  std::vector<SourceInfo> sources_;
};

TEST_F(SourceGuard, RefusesToReplaceAFilm) {
  EXPECT_USER_ERROR(require_apart(to("./film.mp4"), sources_), ExitCode::kOutput,
                    "which is being read");
  EXPECT_NO_THROW(require_apart(to("other.mp4"), sources_));
}

TEST_F(SourceGuard, RefusesASeriesAmongThePicturesItIsMadeFrom) {
  EXPECT_USER_ERROR(require_apart(to("%05d.png"), sources_), ExitCode::kOutput, "00001.png");
  EXPECT_NO_THROW(require_apart(to("out_%05d.png"), sources_));
}

TEST_F(SourceGuard, LooksAtTheFilesOfAllStreams) {
  sources_.resize(2);
  sources_[1].files = {folder_ / "film-1.mp4"};
  sources_[0].files.clear();
  EXPECT_USER_ERROR(require_apart(to("film.mp4"), sources_), ExitCode::kOutput, "film-1.mp4");
}

TEST_F(SourceGuard, ProtectsTheOtherFilesThatAreRead) {
  write_text(folder_ / "net.pt", "");
  OutputOptions options;
  options.stats = (folder_ / "net.pt").string();
  EXPECT_NO_THROW(require_apart(options, sources_));
  EXPECT_USER_ERROR(require_apart(options, sources_, {folder_ / "net.pt"}), ExitCode::kOutput,
                    "net.pt");
}

TEST_F(SourceGuard, LooksAtTheOtherOutputsToo) {
  OutputOptions options;
  options.jsonl = (folder_ / "film.mp4").string();
  EXPECT_USER_ERROR(require_apart(options, sources_), ExitCode::kOutput, "film.mp4");
  options = {};
  options.stats = (folder_ / "film.mp4").string();
  EXPECT_USER_ERROR(require_apart(options, sources_), ExitCode::kOutput, "film.mp4");
  options = {};
  options.maps = folder_.path().string();
  EXPECT_USER_ERROR(require_apart(options, sources_), ExitCode::kOutput, "000003.tiff");
  options.maps = (folder_ / "maps").string();
  EXPECT_NO_THROW(require_apart(options, sources_));
}

}  // namespace
}  // namespace gradcam
