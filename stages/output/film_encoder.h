#pragma once

#include <string>
#include <vector>

#include "stages/picture/planes.h"

namespace gradcam {

/// One way to encode a film with GStreamer.
struct FilmEncoder {
  std::string element;               ///< of GStreamer
  std::string settings;              ///< key=value …; no B-frames, so that time stamps stay exact
  std::vector<PixelFormat> formats;  ///< of the pictures that it takes, the preferred one first
  std::string parser;                ///< between encoder and container; empty = none
  bool fits_mp4 = true;
};

/// All encoders that are known, the preferred one first. `key_frame_distance` in frames.
std::vector<FilmEncoder> known_film_encoders(int key_frame_distance);

/// The first of them that this machine can start and that goes with the container (".mp4", ".mkv").
/// Throws UserError(kOutput) that names the packages to install.
FilmEncoder choose_film_encoder(const std::string& extension, int key_frame_distance);

}  // namespace gradcam
