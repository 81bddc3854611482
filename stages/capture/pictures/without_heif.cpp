#include "stages/capture/pictures/formats.h"

namespace gradcam {

StoredPicture read_heif(const std::string& /*bytes*/) {
  throw UnreadablePicture("HEIC or AVIF, and this program was built without libheif (libheif-dev)");
}

}  // namespace gradcam
