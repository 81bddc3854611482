#include "stages/capture/pictures/formats.h"

namespace gradcam {

StoredPicture read_jxl(const std::string& /*bytes*/) {
  throw UnreadablePicture("JPEG XL, and this program was built without libjxl (libjxl-dev)");
}

std::unique_ptr<Animation> animate_jxl(std::string /*bytes*/) { return nullptr; }

}  // namespace gradcam
