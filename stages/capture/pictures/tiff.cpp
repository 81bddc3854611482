#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <vector>

#include "stages/capture/pictures/formats.h"
#include "stages/capture/pictures/orientation.h"

// OpenCV 4.6 is not asked for the bits of a TIFF: it leaves the memory of 16-bit planes as it was,
// turns white-at-zero pictures to their negative or not by flag and depth, and multiplies colours
// by their alpha.
namespace gradcam {
namespace {

/// The bytes of a file in memory, as libtiff reads them.
class TiffFile {
 public:
  explicit TiffFile(std::string_view bytes) : bytes_(bytes) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
        TIFFOpenOptionsAlloc(), &TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), ignore, nullptr);  // else they are printed
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore, nullptr);
    file_.reset(TIFFClientOpenExt("picture", "rm", this, read, write, seek, close, size, map, unmap,
                                  options.get()));
    if (!file_) throw UnreadablePicture();
  }
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* get() const { return file_.get(); }

  template <class T>
  T tag(std::uint32_t name, T otherwise) const {
    T value{};
    return TIFFGetFieldDefaulted(get(), name, &value) == 1 ? value : otherwise;
  }

 private:
  static int ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }
  static TiffFile& self(thandle_t handle) { return *static_cast<TiffFile*>(handle); }
  static tmsize_t read(thandle_t handle, void* into, tmsize_t wanted) {
    TiffFile& file = self(handle);
    const std::size_t left = file.bytes_.size() - std::min(file.at_, file.bytes_.size());
    const std::size_t count = std::min(left, static_cast<std::size_t>(wanted));
    if (count > 0) std::memcpy(into, file.bytes_.data() + file.at_, count);
    file.at_ += count;
    return static_cast<tmsize_t>(count);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t handle, toff_t to, int whence) {
    TiffFile& file = self(handle);
    if (whence == SEEK_CUR) to += file.at_;
    if (whence == SEEK_END) to += file.bytes_.size();
    return file.at_ = to;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return self(handle).bytes_.size(); }
  static int map(thandle_t, void**, toff_t*) { return 0; }
  static void unmap(thandle_t, void*, toff_t) {}

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::unique_ptr<TIFF, decltype(&TIFFClose)> file_{nullptr, &TIFFClose};
};

/// How the numbers of a file are laid out.
struct Layout {
  cv::Size size;
  int depth = CV_8U;  ///< OpenCV's
  int samples = 1;    ///< numbers of a pixel
  int colours = 1;    ///< of these
  bool planes = false;
  bool white_is_zero = false;
  bool unsigned_32 = false;  ///< read as signed numbers
};

/// nullopt: OpenCV has no such numbers.
std::optional<int> depth_of(int format, int bits) {
  if (format == SAMPLEFORMAT_IEEEFP) {
    if (bits == 16) return CV_16F;
    if (bits == 32) return CV_32F;
    return bits == 64 ? std::optional(CV_64F) : std::nullopt;
  }
  const bool is_signed = format == SAMPLEFORMAT_INT;
  if (!is_signed && format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) return std::nullopt;
  if (bits == 8) return is_signed ? CV_8S : CV_8U;
  if (bits == 16) return is_signed ? CV_16S : CV_16U;
  return bits == 32 ? std::optional(CV_32S) : std::nullopt;
}

/// nullopt: numbers that are no levels of grey, red, green or blue.
std::optional<Layout> layout_of(const TiffFile& file) {
  constexpr int kMostSamples = 16;
  const int format = file.tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const int bits = file.tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  const int photometric = file.tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_SEPARATED);
  const std::optional<int> depth = depth_of(format, bits);
  const bool rgb = photometric == PHOTOMETRIC_RGB;
  const bool grey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  Layout layout;
  layout.samples = file.tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.colours = rgb ? 3 : 1;
  if (!depth || (!rgb && !grey) || layout.samples < layout.colours ||
      layout.samples > kMostSamples) {
    return std::nullopt;
  }
  layout.depth = *depth;
  layout.size = checked_size(file.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0),
                             file.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0));
  layout.planes =
      file.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  layout.white_is_zero = photometric == PHOTOMETRIC_MINISWHITE;
  layout.unsigned_32 = layout.depth == CV_32S && format != SAMPLEFORMAT_INT;
  return layout;
}

/// Palettes, CMYK, YCbCr, fewer than 8 bits …: in the colours that libtiff makes of them, not
/// turned upright.
std::optional<cv::Mat> read_colours(const TiffFile& file, int orientation) {
  constexpr std::size_t kText = 1024;  // what libtiff may write there
  std::array<char, kText> why{};
  if (TIFFRGBAImageOK(file.get(), why.data()) == 0) return std::nullopt;
  const auto width = file.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
  const auto height = file.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
  cv::Mat rgba(checked_size(width, height), CV_8UC4);
  constexpr int kStopAtDamage = 1;
  if (TIFFReadRGBAImageOriented(file.get(), width, height, rgba.ptr<std::uint32_t>(), orientation,
                                kStopAtDamage) == 0) {
    throw UnreadablePicture("damaged, or cut short");
  }
  cv::Mat bgr;
  cv::cvtColor(rgba, bgr, cv::COLOR_RGBA2BGR);
  return bgr;
}

/// Strips or tiles put together. `plane`: which one, of a file in planes.
cv::Mat read_plane(const TiffFile& file, cv::Size size, int type, int plane) {
  TIFF* const tiff = file.get();
  const bool tiled = TIFFIsTiled(tiff) != 0;
  const auto length = [&](std::uint32_t tag, int most) {
    return static_cast<int>(
        std::min(file.tag<std::uint32_t>(tag, 0), static_cast<std::uint32_t>(most)));
  };
  constexpr int kLargestTile = 1 << 16;
  const cv::Size block(
      tiled ? length(TIFFTAG_TILEWIDTH, kLargestTile) : size.width,
      tiled ? length(TIFFTAG_TILELENGTH, kLargestTile) : length(TIFFTAG_ROWSPERSTRIP, size.height));
  if (block.empty()) throw UnreadablePicture();
  cv::Mat result(size, type);
  cv::Mat part(block, type);
  const auto part_bytes = static_cast<tmsize_t>(part.total() * part.elemSize());
  for (int y = 0; y < size.height; y += block.height) {
    for (int x = 0; x < size.width; x += block.width) {
      const cv::Rect place = cv::Rect({x, y}, block) & cv::Rect({0, 0}, size);
      const auto row = static_cast<std::uint32_t>(y);
      const auto sample = static_cast<std::uint16_t>(plane);
      const tmsize_t wanted =
          tiled ? part_bytes : part_bytes / block.height * place.height;  // the last may be short
      const tmsize_t got =
          tiled ? TIFFReadEncodedTile(
                      tiff, TIFFComputeTile(tiff, static_cast<std::uint32_t>(x), row, 0, sample),
                      part.data, part_bytes)
                : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, row, sample), part.data,
                                       part_bytes);
      if (got < wanted) throw UnreadablePicture("damaged, or cut short");
      part(cv::Rect({0, 0}, place.size())).copyTo(result(place));
    }
  }
  return result;
}

/// One picture of one channel for each number of a pixel.
std::vector<cv::Mat> read_channels(const TiffFile& file, const Layout& layout) {
  std::vector<cv::Mat> channels;
  if (!layout.planes) {
    cv::split(read_plane(file, layout.size, CV_MAKETYPE(layout.depth, layout.samples), 0),
              channels);
    return channels;
  }
  for (int i = 0; i < layout.samples; ++i) {
    channels.push_back(read_plane(file, layout.size, CV_MAKETYPE(layout.depth, 1), i));
  }
  return channels;
}

/// u8, u16 and float stay; everything else becomes float.
cv::Mat usual_numbers(const cv::Mat& channel, bool unsigned_32) {
  if (channel.depth() == CV_8U || channel.depth() == CV_16U) return channel;
  cv::Mat numbers;
  channel.convertTo(numbers, CV_64F);
  constexpr double kTwoTo32 = 4294967296.0;
  if (unsigned_32) cv::add(numbers, cv::Scalar::all(kTwoTo32), numbers, numbers < 0);
  numbers.convertTo(numbers, CV_32F);
  return numbers;
}

/// The largest number of this depth, which is white and opaque.
double top_of(int depth) { return depth == CV_8U ? 255 : depth == CV_16U ? 65535 : 1; }

/// Colours that were multiplied by alpha, as they were before.
void divide_by_alpha(std::vector<cv::Mat>& colours, const cv::Mat& alpha) {
  const int depth = alpha.depth();
  for (cv::Mat& colour : colours) {
    cv::Mat straight;
    cv::divide(colour, alpha, straight, top_of(depth), CV_32F);
    straight.setTo(0, alpha == 0);
    straight.convertTo(colour, depth);
  }
}

/// The extra number of a pixel that is its alpha; nullopt: none. Sets whether the colours have been
/// multiplied by it.
std::optional<int> alpha_channel(const TiffFile& file, const Layout& layout, bool& multiplied) {
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(file.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1) return std::nullopt;
  for (int i = 0; i < count && layout.colours + i < layout.samples; ++i) {
    multiplied = kinds[i] == EXTRASAMPLE_ASSOCALPHA;
    if (multiplied || kinds[i] == EXTRASAMPLE_UNASSALPHA) return layout.colours + i;
  }
  return std::nullopt;
}

StoredPicture read_numbers(const TiffFile& file, const Layout& layout) {
  std::vector<cv::Mat> channels = read_channels(file, layout);
  for (cv::Mat& channel : channels) channel = usual_numbers(channel, layout.unsigned_32);
  std::vector<cv::Mat> colours(channels.begin(), channels.begin() + layout.colours);
  const int orientation = file.tag<std::uint16_t>(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  StoredPicture picture;
  picture.white_is_zero = layout.white_is_zero;
  bool multiplied = false;
  if (const auto place = alpha_channel(file, layout, multiplied)) {
    const cv::Mat& alpha = channels[static_cast<std::size_t>(*place)];
    if (multiplied) divide_by_alpha(colours, alpha);
    alpha.convertTo(picture.alpha, CV_8U, 255 / top_of(alpha.depth()));
    picture.alpha = upright(picture.alpha, orientation);
  }
  if (colours.size() == 1) colours = {colours[0], colours[0], colours[0]};
  std::reverse(colours.begin(), colours.end());
  cv::merge(colours, picture.colours);
  picture.colours = upright(picture.colours, orientation);
  return picture;
}

}  // namespace

StoredPicture read_tiff(const std::string& bytes) {
  const TiffFile file(bytes);
  if (const auto layout = layout_of(file)) return read_numbers(file, *layout);
  StoredPicture picture;
  const int orientation = file.tag<std::uint16_t>(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  if (const auto colours = read_colours(file, orientation)) {
    picture.colours = upright(*colours, orientation);
    return picture;
  }
  const int planes = file.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  if (planes == PLANARCONFIG_SEPARATE) {
    throw UnreadablePicture("colours plane by plane, in numbers of no usual size");
  }
  picture.colours = decode(bytes, cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH);
  picture.white_is_zero = file.tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) ==
                          PHOTOMETRIC_MINISWHITE;
  return picture;
}

}  // namespace gradcam
