#include "stages/capture/source.h"

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "config/redact.h"
#include "config/source_table.h"
#include "config/user_error.h"
#include "stages/capture/animation_source.h"
#include "stages/capture/edited_source.h"
#include "stages/capture/film_source.h"
#include "stages/capture/images_source.h"
#include "stages/capture/pattern_source.h"
#include "stages/capture/pictures/picture.h"
#include "stages/capture/pictures/rendering.h"
#include "stages/capture/readers.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw UserError(ExitCode::kSource, "source " + quoted(text) + " " + why);
}

/// Null if the file is none, or cannot be read: whoever reads a picture of it says why.
std::unique_ptr<Animation> animation_in(const fs::path& path) {
  try {
    return open_animation(path);
  } catch (const UnreadablePicture&) {
    return nullptr;
  }
}

/// Of a path, by what is there.
SourceKind kind_of_path(const std::string& text) {
  const fs::path path = text;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return SourceKind::kFolder;
  if (!fs::exists(status)) {
    if (status.type() != fs::file_type::not_found) {
      refuse(text, "cannot be read: " + error.message());
    }
    if (text.find_first_of("*?[") != std::string::npos) return SourceKind::kGlob;
    refuse(text, "does not exist: give " + known_sources());
  }
  if (!fs::is_regular_file(status)) refuse(text, "is neither a file nor a folder");
  return is_picture(path) ? SourceKind::kPicture : SourceKind::kFilm;
}

struct Request {
  std::string text;
  InputOptions options;
  Opening opening;
};

struct Opener {
  SourceKind value;
  std::unique_ptr<Source> (*open)(const Request& request);
};

Rendering rendering(const Request& r) { return Rendering(r.options.background, r.opening.tell); }

std::unique_ptr<Source> pictures(const Request& r, std::vector<fs::path> paths) {
  return std::make_unique<ImagesSource>(r.text, std::move(paths), rendering(r));
}

/// Null if the file is no moving picture.
std::unique_ptr<Source> moving_picture(const Request& r) {
  auto animation = animation_in(r.text);
  if (!animation) return nullptr;
  return std::make_unique<AnimationSource>(r.text, std::move(animation), rendering(r), r.options);
}

std::unique_ptr<Source> picture(const Request& r) {
  auto moving = moving_picture(r);
  return moving ? std::move(moving) : pictures(r, {fs::path(r.text)});
}

std::unique_ptr<Source> film(const Request& r) {
  auto moving = moving_picture(r);  // by its bytes, whatever its name says
  return moving ? std::move(moving)
                : std::make_unique<FilmSource>(r.text, r.options, r.opening.stop);
}

constexpr std::array kOpeners = {
    Opener{SourceKind::kFilm, film},
    Opener{SourceKind::kPicture, picture},
    Opener{SourceKind::kFolder,
           [](const Request& r) { return pictures(r, pictures_in_folder(r.text)); }},
    Opener{SourceKind::kGlob,
           [](const Request& r) { return pictures(r, pictures_matching(r.text)); }},
    Opener{SourceKind::kCamera, [](const Request& r) { return open_camera(r.text, r.opening); }},
    Opener{SourceKind::kStream, [](const Request& r) { return open_stream(r.text, r.opening); }},
    Opener{SourceKind::kFragment,
           [](const Request& r) { return open_fragment(r.text, r.opening); }},
    Opener{SourceKind::kTest,
           [](const Request& r) -> std::unique_ptr<Source> {
             return std::make_unique<PatternSource>(parse_pattern(r.text), r.text);
           }},
};
static_assert(same_values(kOpeners, kSourceTable), "one opener for each kind of source");

/// What has no time of its own to start at, but may be ended after a while.
std::unique_ptr<Source> cut(std::unique_ptr<Source> source, const std::string& text,
                            const InputOptions& options) {
  if (options.start_s > 0) {
    throw UserError(ExitCode::kUsage,
                    "--start: source " + quoted(text) + " has no beginning to skip; films have");
  }
  return options.duration_s > 0 ? bounded(std::move(source), options.duration_s)
                                : std::move(source);
}

/// One that obeys options.start_s and options.duration_s.
std::unique_ptr<Source> open_part(SourceKind kind, const Request& request) {
  auto source = row_of(kOpeners, kind).open(request);
  const bool has_time =
      kind == SourceKind::kFilm || (kind == SourceKind::kPicture && !source->info().still);
  return has_time ? std::move(source) : cut(std::move(source), request.text, request.options);
}

}  // namespace

std::unique_ptr<Source> open_source(const std::string& text, const InputOptions& options,
                                    const Opening& opening) {
  if (text.empty()) refuse(text, "is empty: give " + known_sources());
  const SourceEntry* const known = find_source(text);
  if (known == nullptr && (text == "-" || text.find("://") != std::string::npos)) {
    refuse(text, "is of a kind that cannot be read: give " + known_sources());
  }
  const auto open = [known, request = Request{text, options, opening}] {
    return open_part(known == nullptr ? kind_of_path(request.text) : known->value, request);
  };
  auto source = known == nullptr && options.loop ? looped(open) : open();
  return options.max_fps > 0 ? thinned(std::move(source), options.max_fps) : std::move(source);
}

}  // namespace gradcam
