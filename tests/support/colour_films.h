#pragma once

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/ffmpeg.h"
#include "tests/support/media_files.h"

/// Films of every range, matrix, sampling and depth, and the levels that ffmpeg shows of them.
namespace gradcam::testing {

/// Flat patches side by side, so that no filter of chroma shows in their middles.
inline constexpr int kPatch = 16;
inline const std::vector<cv::Vec3b> kPatches = {{20, 20, 230},  {30, 200, 40},   {220, 60, 30},
                                                {90, 90, 90},   {250, 250, 250}, {5, 5, 5},
                                                {40, 180, 250}, {170, 120, 60}};
inline const cv::Size kPatchesSize(kPatch * 8, kPatch);

struct ColourFilm {
  std::string name;    ///< of its file
  std::string filter;  ///< of ffmpeg, that makes its pictures of RGB
  std::string codec;   ///< and how it is marked
};

inline std::string depth_name(const std::string& sampling, int bits) {
  const std::string eight = sampling == "grey" ? "gray" : "yuv" + sampling + "p";
  return bits == 8 ? eight : eight + "10le";
}

/// {limited, full} x {601, 709, 2020, none} x {4:2:0, 4:2:2, 4:4:4, grey} x {8, 10 bit}
inline std::vector<ColourFilm> colour_films(const std::string& container, bool vp9) {
  const std::string codec = vp9 ? " -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 0 -crf 8"
                                : " -c:v libx264 -preset ultrafast -crf 2 -g 1";
  std::vector<ColourFilm> films;
  for (const std::string range : {"limited", "full"}) {
    for (const std::string matrix : {"bt601", "bt709", "bt2020", "none"}) {
      for (const std::string sampling : {"420", "422", "444", "grey"}) {
        if (sampling == "grey" && (vp9 || matrix != "none")) continue;
        for (const int bits : {8, 10}) {
          const std::string made = matrix == "none" ? "bt601" : matrix;
          const std::string told = matrix == "bt601"    ? " -colorspace smpte170m"
                                   : matrix == "bt709"  ? " -colorspace bt709"
                                   : matrix == "bt2020" ? " -colorspace bt2020nc"
                                                        : "";
          std::ostringstream name;
          name << range << '_' << matrix << '_' << sampling << '_' << bits << '.' << container;
          std::ostringstream filter;
          filter << "scale=out_range=" << range << ":out_color_matrix=" << made
                 << ":flags=accurate_rnd,format=" << depth_name(sampling, bits);
          films.push_back({name.str(), filter.str(),
                           codec + told + (range == "full" ? " -color_range pc" : "")});
        }
      }
    }
  }
  return films;
}

inline void write_patches(const std::filesystem::path& path, int frames) {
  std::string rgb;
  for (int i = 0; i < frames * kPatchesSize.height; ++i) {
    for (const cv::Vec3b& bgr : kPatches) {
      for (int x = 0; x < kPatch; ++x) {
        for (const int channel : {2, 1, 0}) rgb += static_cast<char>(bgr[channel]);
      }
    }
  }
  write_text(path, rgb);
}

/// One process for all films, and one for what ffmpeg shows of them.
inline std::vector<cv::Mat> make_films(const TempFolder& folder,
                                       const std::vector<ColourFilm>& films) {
  write_patches(folder / "patches.rgb", 10);
  const auto in_folder = [&](const std::string& name) { return (folder / name).string(); };
  std::string making = "-f rawvideo -pix_fmt rgb24 -s 128x16 -r 25 -i " + in_folder("patches.rgb");
  std::string showing;
  std::string shown;
  for (std::size_t i = 0; i < films.size(); ++i) {
    making += " -map 0 -threads 1 -vf " + films[i].filter + films[i].codec + " " +
              in_folder(films[i].name);
    showing += " -threads 1 -i " + in_folder(films[i].name);
    shown += " -map " + std::to_string(i) + " -frames:v 1 -f rawvideo -pix_fmt bgr24 " +
             in_folder(films[i].name + ".bgr");
  }
  run_ffmpeg(making);
  run_ffmpeg(showing + shown);
  std::vector<cv::Mat> pictures;
  for (const ColourFilm& film : films) {
    std::string bytes = read_text(in_folder(film.name + ".bgr"));
    EXPECT_EQ(bytes.size(), static_cast<std::size_t>(kPatchesSize.area()) * 3) << film.name;
    bytes.resize(static_cast<std::size_t>(kPatchesSize.area()) * 3);
    pictures.push_back(cv::Mat(kPatchesSize, CV_8UC3, bytes.data()).clone());
  }
  return pictures;
}

inline void expect_same_levels(const cv::Mat& picture, const cv::Mat& wanted,
                               const std::string& name, int tolerance = 2) {
  ASSERT_EQ(picture.size(), kPatchesSize) << name;
  for (int i = 0; i < 8; ++i) {
    const cv::Point middle(kPatch * i + kPatch / 2, kPatchesSize.height / 2);
    const auto& got = picture.at<cv::Vec3b>(middle);
    const auto& want = wanted.at<cv::Vec3b>(middle);
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(got[c], want[c], tolerance) << name << ", patch " << i;
  }
}

}  // namespace gradcam::testing
