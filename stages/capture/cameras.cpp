#include "stages/capture/cameras.h"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <tuple>

#include "config/user_error.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr int kMostWidth = 1280;
constexpr int kMostHeight = 720;
constexpr int kMostRawWidth = 640;
constexpr int kMostRawHeight = 480;
constexpr std::uint32_t kMostEntries = 256;  ///< of one list of a driver

class Device {
 public:
  explicit Device(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_NONBLOCK)) {}
  ~Device() {
    if (fd_ >= 0) ::close(fd_);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  template <class T>
  bool ask(unsigned long request, T& answer) const {
    return fd_ >= 0 && ::ioctl(fd_, request, &answer) == 0;
  }

 private:
  int fd_;
};

double best_rate(const Device& device, std::uint32_t format, std::uint32_t width,
                 std::uint32_t height) {
  double best = 0;
  v4l2_frmivalenum interval{};
  interval.pixel_format = format;
  interval.width = width;
  interval.height = height;
  for (; interval.index < kMostEntries && device.ask(VIDIOC_ENUM_FRAMEINTERVALS, interval);
       ++interval.index) {
    const v4l2_fract& period =
        interval.type == V4L2_FRMIVAL_TYPE_DISCRETE ? interval.discrete : interval.stepwise.min;
    if (period.numerator > 0) {
      best = std::max(best, static_cast<double>(period.denominator) / period.numerator);
    }
    if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) break;
  }
  return best;
}

void add_sizes(const Device& device, std::uint32_t format, std::vector<CameraMode>& modes) {
  std::string name;
  for (int shift = 0; shift < 32; shift += 8) name += static_cast<char>(format >> shift & 0x7F);
  v4l2_frmsizeenum size{};
  size.pixel_format = format;
  for (; size.index < kMostEntries && device.ask(VIDIOC_ENUM_FRAMESIZES, size); ++size.index) {
    if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {  // any size: the two that are asked for
      for (const auto& [w, h] :
           {std::pair(kMostRawWidth, kMostRawHeight), std::pair(kMostWidth, kMostHeight)}) {
        modes.push_back({name, w, h, 0});
      }
      return;
    }
    const auto [width, height] = std::pair(size.discrete.width, size.discrete.height);
    modes.push_back({name, static_cast<int>(width), static_cast<int>(height),
                     best_rate(device, format, width, height)});
  }
}

std::optional<Camera> look_at(const fs::path& path) {
  const Device device(path.string());
  v4l2_capability capability{};
  if (!device.ask(VIDIOC_QUERYCAP, capability)) return std::nullopt;
  const std::uint32_t can = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0
                                ? capability.device_caps
                                : capability.capabilities;
  if ((can & V4L2_CAP_VIDEO_CAPTURE) == 0) return std::nullopt;
  Camera camera{path.string(), reinterpret_cast<const char*>(capability.card), {}};
  v4l2_fmtdesc format{};
  format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  for (; format.index < kMostEntries && device.ask(VIDIOC_ENUM_FMT, format); ++format.index) {
    add_sizes(device, format.pixelformat, camera.modes);
  }
  return camera;
}

int number_of(const fs::path& device) {
  const std::string name = device.filename().string().substr(std::string("video").size());
  const bool number =
      !name.empty() && name.size() < 6 &&
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? std::stoi(name) : -1;
}

}  // namespace

std::vector<Camera> list_cameras() {
  std::vector<std::pair<int, fs::path>> devices;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/dev", error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("video", 0) != 0) continue;
    if (const int number = number_of(entry.path()); number >= 0) {
      devices.emplace_back(number, entry.path());
    }
  }
  std::sort(devices.begin(), devices.end());
  std::vector<Camera> cameras;
  for (const auto& [number, path] : devices) {
    if (auto camera = look_at(path)) cameras.push_back(*std::move(camera));
  }
  return cameras;
}

std::optional<CameraMode> choose_mode(const std::vector<CameraMode>& modes) {
  const auto fits = [](const CameraMode& mode) {
    const bool compressed = mode.format == "MJPG";
    return mode.width <= (compressed ? kMostWidth : kMostRawWidth) &&
           mode.height <= (compressed ? kMostHeight : kMostRawHeight);
  };
  const auto worth = [](const CameraMode& mode) {
    const bool small = mode.width <= kMostRawWidth && mode.height <= kMostRawHeight;
    const bool preferred = (mode.format == "MJPG") != small;
    return std::tuple(mode.width * mode.height, mode.frames_per_second, preferred);
  };
  std::optional<CameraMode> best;
  for (const CameraMode& mode : modes) {
    if (fits(mode) && (!best || worth(mode) > worth(*best))) best = mode;
  }
  return best;
}

std::string camera_device(const std::string& text) {
  return text.rfind("/dev/", 0) == 0 ? text : "/dev/video" + text;
}

Camera find_camera(const std::string& device, const std::vector<Camera>& cameras) {
  std::string there;
  for (const Camera& camera : cameras) {
    if (camera.device == device) return camera;
    there += (there.empty() ? "" : ", ") + camera.device + " (" + camera.name + ")";
  }
  throw UserError(ExitCode::kSource,
                  "source '" + device + "': no such camera; there " +
                      (there.empty() ? "is none on this machine: give a film, a stream or test"
                                     : "are " + there));
}

}  // namespace gradcam
