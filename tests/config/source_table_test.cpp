#include "config/source_table.h"

#include <gtest/gtest.h>

namespace gradcam {
namespace {

TEST(SourceTable, EachTextIsOfOneKind) {
  const struct {
    const char* text;
    const char* kind;
  } cases[] = {{"0", "camera"},
               {"12", "camera"},
               {"/dev/video0", "camera"},
               {"rtsp://h/a", "URL"},
               {"rtsps://h/a", "URL"},
               {"http://h", "URL"},
               {"https://h", "URL"},
               {"gst:a ! b", "gst:LAUNCH"},
               {"test", "test"},
               {"test:64x48@5", "test"},
               {"tests", ""},
               {"0.mp4", ""},
               {"ftp://h/a", ""},
               {"-", ""},
               {"", ""}};
  for (const auto& c : cases) {
    const SourceEntry* const found = find_source(c.text);
    EXPECT_EQ(found == nullptr ? "" : found->name, c.kind) << c.text;
    int kinds = 0;
    for (const SourceEntry& kind : kSourceTable) {
      kinds += kind.recognises != nullptr && kind.recognises(c.text) ? 1 : 0;
    }
    EXPECT_LE(kinds, 1) << c.text;
  }
}

TEST(SourceTable, SaysWhatCanBeRead) {
  EXPECT_EQ(known_sources(),
            "a film or picture file, a folder, a glob pattern, a camera (0, /dev/video0), rtsp:// "
            "or http(s)://, gst:LAUNCH, or test");
  EXPECT_EQ(known_sources(true),
            "a film or picture file, a folder of pictures, a glob pattern, a camera (0, "
            "/dev/video0), rtsp:// or http(s)://, gst:LAUNCH (a GStreamer fragment), or test (a "
            "pattern)");
  EXPECT_EQ(brief_sources(), "a camera, film, picture, folder, glob, URL, gst:LAUNCH or test");
}

}  // namespace
}  // namespace gradcam
