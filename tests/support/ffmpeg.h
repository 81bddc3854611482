#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

/// Films made by ffmpeg, and what ffmpeg and ffprobe say of them: the right values for a source.
namespace gradcam::testing {

inline void run_ffmpeg(const std::string& arguments) {
  const std::string command = "ffmpeg -v error -nostdin -y " + arguments;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

inline std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, decltype(&pclose)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (std::size_t count = 0; (count = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), count);
  }
  return text;
}

/// Of the film's frames, in seconds.
inline std::vector<double> probed_times(const std::filesystem::path& film) {
  std::istringstream lines(
      output_of("ffprobe -v quiet -select_streams V:0 -show_entries "
                "frame=best_effort_timestamp_time -of csv=p=0 '" +
                film.string() + "'"));
  std::vector<double> times;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != ',') times.push_back(std::strtod(line.c_str(), nullptr));
  }
  return times;
}

/// The frames that ffmpeg shows of a film whose frames have this size, BGR u8.
inline std::vector<cv::Mat> shown_by_ffmpeg(const std::filesystem::path& film, cv::Size size) {
  std::string bytes = output_of("ffmpeg -v quiet -nostdin -i '" + film.string() +
                                "' -map 0:V:0 -vsync passthrough -f rawvideo -pix_fmt bgr24 -");
  std::vector<cv::Mat> frames;
  const auto length = static_cast<std::size_t>(size.area()) * 3;
  for (std::size_t at = 0; at + length <= bytes.size(); at += length) {
    frames.push_back(cv::Mat(size, CV_8UC3, bytes.data() + at).clone());
  }
  return frames;
}

}  // namespace gradcam::testing
