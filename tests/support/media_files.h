#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "stages/capture/source.h"
#include "stages/frame/frame.h"
#include "stages/output/sink.h"
#include "tests/support/temp_folder.h"

/// Files to read and write in tests of sources and sinks.
namespace gradcam::testing {

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Rendered rendered(std::int64_t seq, std::chrono::nanoseconds pts, const cv::Mat& picture) {
  Rendered result;
  Frame& frame = result.explained.prepared.frame;
  frame.seq = seq;
  frame.pts = pts;
  frame.captured_at = Clock::now();
  frame.image = Picture(picture);
  frame.source_size = picture.size();
  result.picture = frame.image;
  return result;
}

/// A picture that tells its number: grey, a little brighter with each frame.
inline cv::Mat grey(std::int64_t seq, cv::Size size) {
  return cv::Mat(size, CV_8UC3, cv::Scalar::all(static_cast<double>(20 + seq % 200)));
}

inline std::vector<std::chrono::nanoseconds> even_pts(int count, std::chrono::nanoseconds step) {
  std::vector<std::chrono::nanoseconds> pts;
  pts.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) pts.push_back(i * step);
  return pts;
}

inline void write_frames(Sink& sink, const std::vector<std::chrono::nanoseconds>& pts,
                         cv::Size size) {
  for (std::size_t i = 0; i < pts.size(); ++i) {
    const auto seq = static_cast<std::int64_t>(i);
    sink.write(rendered(seq, pts[i], grey(seq, size)));
  }
  sink.finish();
}

struct ReadBack {
  std::vector<Captured> frames;
  int undecodable = 0;
  std::string cut_short;
};

/// All of a source; gives up (with what it has) after ten answers "not yet" in a row.
inline ReadBack read_all(Source& source) {
  ReadBack result;
  for (int waited = 0; waited < 10;) {
    Capture capture = source.next(std::chrono::seconds(1));
    if (auto* frame = std::get_if<Captured>(&capture)) {
      result.frames.push_back(std::move(*frame));
      waited = 0;
    } else if (std::holds_alternative<Undecodable>(capture)) {
      ++result.undecodable;
    } else if (auto* end = std::get_if<EndOfStream>(&capture)) {
      result.cut_short = end->cut_short;
      return result;
    } else {
      ++waited;
    }
  }
  result.cut_short = "no end within 10 s";
  return result;
}

inline std::filesystem::path truncated(const std::filesystem::path& path, double share) {
  const auto size = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size * share));
  return path;
}

/// Marks an mp4 film as to be shown turned right by 90 degrees (the matrix of its track headers).
inline void mark_rotated(const std::filesystem::path& path) {
  std::string bytes = read_text(path);
  const std::string matrix("\0\0\0\0\0\1\0\0\0\0\0\0\xFF\xFF\0\0\0\0\0\0", 20);
  for (std::size_t at = bytes.find("tkhd"); at != std::string::npos;
       at = bytes.find("tkhd", at + 1)) {
    const std::size_t begin = at + 4 + (bytes[at + 4] == 1 ? 52 : 40);
    bytes.replace(begin, matrix.size(), matrix);
  }
  write_text(path, bytes);
}

/// Bright above, dark below.
inline cv::Mat bright_above(cv::Size size) {
  cv::Mat picture(size, CV_8UC3, cv::Scalar::all(30));
  picture.rowRange(0, size.height / 2).setTo(cv::Scalar::all(220));
  return picture;
}

}  // namespace gradcam::testing
