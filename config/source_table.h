#pragma once

#include <array>
#include <string>
#include <string_view>

#include "config/named.h"

/// The kinds of sources. Standard library only. A new kind is a row here and one with its opener in
/// stages/capture/source.cpp.
namespace gradcam {

enum class SourceKind { kFilm, kPicture, kFolder, kGlob, kCamera, kStream, kFragment, kTest };

struct SourceEntry {
  std::string_view name;  ///< in a short list: "film"
  SourceKind value;
  std::string_view phrase;  ///< in a sentence; empty: that of the kind before says it too
  std::string_view remark;  ///< behind the phrase in the help
  /// nullptr: the text is a path; stages/capture/source.cpp looks at the file to tell its kind.
  /// Only such sources can be looped.
  bool (*recognises)(std::string_view text);
};

constexpr bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

constexpr bool is_camera(std::string_view text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  return number || begins_with(text, "/dev/video");
}

constexpr bool is_stream(std::string_view text) {
  return begins_with(text, "rtsp://") || begins_with(text, "rtsps://") ||
         begins_with(text, "http://") || begins_with(text, "https://");
}

/// In the order of the help. At most one kind recognises a text.
inline constexpr std::array kSourceTable = {
    SourceEntry{"film", SourceKind::kFilm, "a film or picture file", "", nullptr},
    SourceEntry{"picture", SourceKind::kPicture, "", "", nullptr},
    SourceEntry{"folder", SourceKind::kFolder, "a folder", "of pictures", nullptr},
    SourceEntry{"glob", SourceKind::kGlob, "a glob pattern", "", nullptr},
    SourceEntry{"camera", SourceKind::kCamera, "a camera (0, /dev/video0)", "", is_camera},
    SourceEntry{"URL", SourceKind::kStream, "rtsp:// or http(s)://", "", is_stream},
    SourceEntry{"gst:LAUNCH", SourceKind::kFragment, "gst:LAUNCH", "(a GStreamer fragment)",
                [](std::string_view text) { return begins_with(text, "gst:"); }},
    SourceEntry{"test", SourceKind::kTest, "test", "(a pattern)",
                [](std::string_view text) { return text == "test" || begins_with(text, "test:"); }},
};

/// The kind that recognises this text; nullptr: none, it is a path or nothing that can be read.
const SourceEntry* find_source(std::string_view text);

/// "a film or picture file, a folder, …, gst:LAUNCH, or test"; with the remarks in the help.
std::string known_sources(bool with_remarks = false);

/// "a camera, film, picture, …, gst:LAUNCH or test". `camera` stands for that word.
std::string brief_sources(const std::string& camera = "camera");

}  // namespace gradcam
