#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gradcam {

struct CameraMode {
  std::string format;  ///< four characters of V4L2: "MJPG", "YUYV"
  int width = 0;
  int height = 0;
  double frames_per_second = 0;  ///< the highest; 0 = not told
};

struct Camera {
  std::string device;  ///< "/dev/video0"
  std::string name;    ///< as its driver calls it
  std::vector<CameraMode> modes;
};

/// The video devices of this machine that capture, in the order of their numbers.
std::vector<Camera> list_cameras();

/// The mode to ask for: the largest up to 1280x720. Above 640x480 only as MJPG, which USB can carry
/// at full rate; up to there raw pictures are better. Of equal sizes the faster one. Nullopt: none
/// fits, and the camera may choose.
std::optional<CameraMode> choose_mode(const std::vector<CameraMode>& modes);

/// "2" is "/dev/video2"; devices stay what they are.
std::string camera_device(const std::string& text);

/// Throws UserError(kSource) that lists the cameras there are, if `device` is none of them.
Camera find_camera(const std::string& device, const std::vector<Camera>& cameras);

}  // namespace gradcam
