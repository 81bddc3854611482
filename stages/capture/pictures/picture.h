#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <stdexcept>
#include <string>

/// Files of still and moving pictures, as they are stored; rendering.h makes frames of them.
namespace gradcam {

struct StoredPicture {
  cv::Mat colours;             ///< BGR HxWx3, upright; u8, u16 or float as the file has them
  cv::Mat alpha;               ///< u8 HxW, 255 = opaque; empty: the file knows no transparency
  bool white_is_zero = false;  ///< colours are still to be turned into their negative
};

/// A file that cannot be read; what() says why: "damaged, or not a picture".
class UnreadablePicture : public std::runtime_error {
 public:
  explicit UnreadablePicture(const std::string& why = "damaged, or not a picture")
      : std::runtime_error(why) {}
};

/// Pictures of one file that are shown one after another: animated WebP, PNG and JPEG XL.
class Animation {
 public:
  struct Frame {
    StoredPicture picture;  ///< the whole canvas, whatever part of it the file stores
    std::chrono::nanoseconds duration{0};
  };
  virtual ~Animation() = default;
  /// nullopt at the end. Throws UnreadablePicture where the file is damaged.
  virtual std::optional<Frame> next() = 0;
  virtual std::optional<std::int64_t> frames() const { return std::nullopt; }
  virtual std::optional<std::chrono::nanoseconds> duration() const { return std::nullopt; }
};

/// True for names with an extension of a picture format that is read (.jpg .png .tif …).
bool has_picture_extension(const std::filesystem::path& path);
/// The formats of pictures in folders, for messages: ".jpg .png …".
std::string picture_extensions();

/// By extension, else by content, so that a picture without a usual name is found too. A film of
/// JPEG pictures begins as one picture does and is none, nor is a moving AVIF.
bool is_picture(const std::filesystem::path& path);

/// The picture of a file; of an animation its first one. Throws UnreadablePicture.
StoredPicture read_picture(const std::filesystem::path& path);

/// Null if the file is no picture, or a still one. Throws UnreadablePicture.
std::unique_ptr<Animation> open_animation(const std::filesystem::path& path);

}  // namespace gradcam
