#include <libheif/heif.h>

#include <memory>
#include <opencv2/imgproc.hpp>

#include "stages/capture/pictures/formats.h"

namespace gradcam {
namespace {

/// Throws what the library says: which codec it lacks, or what is damaged.
void require(const heif_error& error) {
  if (error.code == heif_error_Ok) return;
  throw UnreadablePicture(std::string("libheif says: ") + error.message);
}

template <class T>
using Owned = std::unique_ptr<T, void (*)(const T*)>;

}  // namespace

StoredPicture read_heif(const std::string& bytes) {
  const std::unique_ptr<heif_context, decltype(&heif_context_free)> context(heif_context_alloc(),
                                                                            &heif_context_free);
  require(heif_context_read_from_memory_without_copy(context.get(), bytes.data(), bytes.size(),
                                                     nullptr));
  heif_image_handle* primary = nullptr;
  require(heif_context_get_primary_image_handle(context.get(), &primary));
  const Owned<heif_image_handle> handle(primary, &heif_image_handle_release);
  const bool transparent = heif_image_handle_has_alpha_channel(handle.get()) != 0;
  heif_image* decoded = nullptr;
  require(heif_decode_image(
      handle.get(), &decoded, heif_colorspace_RGB,
      transparent ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, nullptr));
  const Owned<heif_image> image(decoded, &heif_image_release);
  int stride = 0;
  std::uint8_t* const pixels = heif_image_get_plane(decoded, heif_channel_interleaved, &stride);
  if (pixels == nullptr) throw UnreadablePicture();
  const cv::Mat stored(heif_image_get_height(decoded, heif_channel_interleaved),
                       heif_image_get_width(decoded, heif_channel_interleaved),
                       transparent ? CV_8UC4 : CV_8UC3, pixels, static_cast<std::size_t>(stride));
  StoredPicture picture;
  if (transparent) cv::extractChannel(stored, picture.alpha, 3);
  cv::cvtColor(stored, picture.colours, transparent ? cv::COLOR_RGBA2BGR : cv::COLOR_RGB2BGR);
  return picture;
}

}  // namespace gradcam
