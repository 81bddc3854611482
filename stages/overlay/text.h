#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <string_view>

/// Text and the plates under it. Heights are of whole lines: capitals take about 6/10 of one.
namespace gradcam {

/// Line height that reads well on a frame of this size.
int line_height_for(cv::Size frame);

/// Letters with accents lose them, typographic signs become plain, what is left becomes '?'.
std::string to_ascii(std::string_view utf8);

/// Pixels that ASCII text takes sideways.
int text_width(const std::string& text, int line_height);

/// Which part of a text stays when there is no room for all of it.
enum class Keep { kBeginning, kEnd };

/// The text itself, or as much of it as fits, with "..." for the rest; empty if nothing fits.
std::string fitted(const std::string& text, int line_height, int max_width,
                   Keep keep = Keep::kBeginning);

/// Draws ASCII text, antialiased, in a line whose top left corner is `at`; what would lie outside
/// the picture is cut off. `picture`: BGR u8, or BGRA u8 premultiplied (transparent black is an
/// empty one); written to.
void draw_text(cv::Mat& picture, const std::string& text, cv::Point at, int line_height,
               const cv::Scalar& color);

/// Lays a colour over an area with rounded corners. `opacity` 0..1. `picture`: as of draw_text().
void draw_plate(cv::Mat& picture, cv::Rect area, const cv::Scalar& color, double opacity,
                int radius);

}  // namespace gradcam
