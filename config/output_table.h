#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/named.h"

/// The kinds of outputs. Standard library only. A new kind is a row here and one with its opener in
/// stages/output/sink.cpp.
namespace gradcam {

struct OutputOptions;

enum class OutputKind { kFilm, kPicture, kSeries, kNull };

/// Where an output's text says that results go.
enum class OutputPlace {
  kNowhere,         ///< nothing is written; any number of such outputs may be given
  kStandardOutput,  ///< shared by all streams
  kFile,            ///< a file, or a numbered series of files; each of several streams has its own
  kFolder,          ///< a folder, in which each of several streams has one of its own
  kRunFile,         ///< one file for the whole run
};

struct OutputEntry {
  std::string_view name;  ///< "film"
  OutputKind value;
  OutputPlace place;
  std::string_view forms;   ///< what its texts look like, separated by blanks: ".mp4 .mkv"
  std::string_view phrase;  ///< the same in a sentence; empty: the forms are ends of file names
  bool (*recognises)(std::string_view text);
};

/// Whether a file is named so, in small or capital letters: by one of `extensions` (".mp4").
bool has_extension(std::string_view file, const std::vector<std::string_view>& extensions);

inline bool is_picture_file(std::string_view text) {
  return has_extension(text, {".png", ".jpg", ".jpeg"});
}

/// Where a file's name takes a number, as printf's %d, %5d or %05d; size 0: nowhere. Any other % is
/// a letter of the name.
struct NumberField {
  std::size_t at = 0;
  std::size_t size = 0;
};
constexpr NumberField number_field(std::string_view name, std::size_t from = 0) {
  constexpr std::size_t kMostDigits = 2;  // behind the 0 that says what to fill with
  for (std::size_t at = name.find('%', from); at != name.npos; at = name.find('%', at + 1)) {
    std::size_t end = at + 1;
    if (end < name.size() && name[end] == '0') ++end;
    const std::size_t most = end + kMostDigits;
    while (end < name.size() && end < most && name[end] >= '0' && name[end] <= '9') ++end;
    if (end < name.size() && name[end] == 'd') return {at, end + 1 - at};
  }
  return {};
}

/// Only the file's name counts, not its folder's.
constexpr bool is_series(std::string_view text) {
  return number_field(text.substr(text.rfind('/') + 1)).size > 0;
}

/// In the order of the help. At most one kind recognises a text.
inline constexpr std::array kOutputTable = {
    OutputEntry{"film", OutputKind::kFilm, OutputPlace::kFile, ".mp4 .mkv", "",
                [](std::string_view text) {
                  return has_extension(text, {".mp4", ".mkv"});
                }},
    OutputEntry{"picture", OutputKind::kPicture, OutputPlace::kFile, ".png .jpg", "",
                [](std::string_view text) { return is_picture_file(text) && !is_series(text); }},
    OutputEntry{"series", OutputKind::kSeries, OutputPlace::kFile, "out_%05d.png",
                "a series such as out_%05d.png",
                [](std::string_view text) { return is_picture_file(text) && is_series(text); }},
    OutputEntry{"null", OutputKind::kNull, OutputPlace::kNowhere, "null", "null",
                [](std::string_view text) { return text == "null"; }},
};

/// The kind of this text; nullptr: none.
const OutputEntry* find_output(std::string_view text);

/// "film (.mp4 .mkv), …, series (out_%05d.png) or null"
std::string output_kinds();
/// "a file (.mp4 .mkv .png .jpg), a series such as out_%05d.png, or null"
std::string allowed_outputs();
/// ".mp4, .mkv, .png, .jpg, a series such as out_%05d.png, and null"
std::string known_outputs();
/// ".mp4, .mkv, .png, .jpg, out_%05d.png, null"
std::string output_forms();

struct AskedOutput {
  std::string text;
  OutputPlace place;
};

/// All that these options write, in the order of the options. A text of no known kind counts as the
/// name of a file.
std::vector<AskedOutput> asked_outputs(const OutputOptions& options);

/// Whether results go to standard output, which then holds nothing else.
bool uses_standard_output(const OutputOptions& options);

}  // namespace gradcam
