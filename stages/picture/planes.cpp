#include "stages/picture/planes.h"

#include <stdexcept>
#include <string>

namespace gradcam {
namespace {

constexpr std::array<FormatInfo, 11> kFormats = {{
    {"BGR", 1, 0, 0, 8, 0, {3, 0, 0}, false},
    {"BGRx", 1, 0, 0, 8, 0, {4, 0, 0}, false},
    {"GRAY8", 1, 0, 0, 8, 0, {1, 0, 0}, false},
    {"I420", 3, 1, 1, 8, 0, {1, 1, 1}, true},
    {"NV12", 2, 1, 1, 8, 0, {1, 2, 0}, true},
    {"Y42B", 3, 1, 0, 8, 0, {1, 1, 1}, true},
    {"Y444", 3, 0, 0, 8, 0, {1, 1, 1}, true},
    {"I420_10LE", 3, 1, 1, 10, 0, {2, 2, 2}, true},
    {"P010_10LE", 2, 1, 1, 10, 6, {2, 4, 0}, true},
    {"I422_10LE", 3, 1, 0, 10, 0, {2, 2, 2}, true},
    {"Y444_10LE", 3, 0, 0, 10, 0, {2, 2, 2}, true},
}};

template <typename Byte>
PlanesOf<Byte> part(const PlanesOf<Byte>& picture, cv::Rect area) {
  const FormatInfo& info = format_info(picture.format);
  const cv::Rect whole(0, 0, picture.width, picture.height);
  if (area.empty() || (area & whole) != area || on_samples(picture.format, area) != area) {
    throw std::invalid_argument("no part of a picture of " + std::to_string(picture.width) + "x" +
                                std::to_string(picture.height) + " in " + info.name + ": " +
                                std::to_string(area.width) + "x" + std::to_string(area.height) +
                                " at " + std::to_string(area.x) + "," + std::to_string(area.y));
  }
  PlanesOf<Byte> result = picture;
  result.width = area.width;
  result.height = area.height;
  for (int p = 0; p < info.planes; ++p) {
    auto& plane = result.planes[static_cast<std::size_t>(p)];
    const cv::Size size = plane_size(picture.format, area.size(), p);
    const int x = p == 0 ? area.x : area.x >> info.chroma_x;
    const int y = p == 0 ? area.y : area.y >> info.chroma_y;
    plane.data =
        plane.row(y) + static_cast<std::ptrdiff_t>(x) * info.bytes[static_cast<std::size_t>(p)];
    plane.width = size.width;
    plane.height = size.height;
  }
  return result;
}

}  // namespace

const FormatInfo& format_info(PixelFormat format) {
  return kFormats.at(static_cast<std::size_t>(format));
}

cv::Size plane_size(PixelFormat format, cv::Size picture, int plane) {
  if (plane == 0) return picture;
  const FormatInfo& info = format_info(format);
  const auto samples = [](int pixels, int shift) { return (pixels + (1 << shift) - 1) >> shift; };
  return {samples(picture.width, info.chroma_x), samples(picture.height, info.chroma_y)};
}

PictureView view_of(const PictureTarget& target) {
  PictureView view{target.format, target.width, target.height, target.color};
  for (std::size_t p = 0; p < view.planes.size(); ++p) {
    const WritablePlane& plane = target.planes[p];
    view.planes[p] = {plane.data, plane.stride, plane.width, plane.height};
  }
  return view;
}

PictureView view_of(const cv::Mat& bgr) {
  CV_Assert(bgr.type() == CV_8UC3);
  PictureView view{PixelFormat::kBgr, bgr.cols, bgr.rows};
  view.planes[0] = {bgr.data, static_cast<std::ptrdiff_t>(bgr.step[0]), bgr.cols, bgr.rows};
  return view;
}

PictureTarget target_of(cv::Mat& bgr) {
  CV_Assert(bgr.type() == CV_8UC3);
  PictureTarget target{PixelFormat::kBgr, bgr.cols, bgr.rows};
  target.planes[0] = {bgr.data, static_cast<std::ptrdiff_t>(bgr.step[0]), bgr.cols, bgr.rows};
  return target;
}

PictureTarget packed_planes(PixelFormat format, cv::Size size, const ColorDescription& color,
                            std::uint8_t* data) {
  const FormatInfo& info = format_info(format);
  PictureTarget target{format, size.width, size.height, color};
  for (int p = 0; p < info.planes; ++p) {
    const cv::Size plane = plane_size(format, size, p);
    const std::ptrdiff_t stride =
        static_cast<std::ptrdiff_t>(plane.width) * info.bytes[static_cast<std::size_t>(p)];
    target.planes[static_cast<std::size_t>(p)] = {data, stride, plane.width, plane.height};
    data += stride * plane.height;
  }
  return target;
}

std::size_t packed_bytes(PixelFormat format, cv::Size size) {
  const FormatInfo& info = format_info(format);
  std::size_t bytes = 0;
  for (int p = 0; p < info.planes; ++p) {
    const cv::Size plane = plane_size(format, size, p);
    bytes += static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height) *
             static_cast<std::size_t>(info.bytes[static_cast<std::size_t>(p)]);
  }
  return bytes;
}

cv::Rect on_samples(PixelFormat format, cv::Rect area) {
  const FormatInfo& info = format_info(format);
  const int x = area.x >> info.chroma_x << info.chroma_x;
  const int y = area.y >> info.chroma_y << info.chroma_y;
  return {x, y, area.width + area.x - x, area.height + area.y - y};
}

PictureView part_of(const PictureView& picture, cv::Rect area) { return part(picture, area); }

PictureTarget part_of(const PictureTarget& picture, cv::Rect area) { return part(picture, area); }

void check_planes(const PictureView& picture) {
  const FormatInfo& info = format_info(picture.format);
  const auto require = [&](bool holds, const char* what) {
    if (!holds) {
      throw std::invalid_argument("a picture in " + std::string(info.name) + " of " +
                                  std::to_string(picture.width) + "x" +
                                  std::to_string(picture.height) + ": " + what);
    }
  };
  require(picture.width > 0 && picture.height > 0, "it is empty");
  for (int p = 0; p < info.planes; ++p) {
    const auto place = static_cast<std::size_t>(p);
    const Plane& plane = picture.planes[place];
    require(plane.data != nullptr, "a plane is missing");
    require(cv::Size(plane.width, plane.height) == plane_size(picture.format, picture.size(), p),
            "a plane has another size");
    require(plane.stride >= static_cast<std::ptrdiff_t>(plane.width) * info.bytes[place],
            "rows overlap");
  }
}

}  // namespace gradcam
