#include "stages/capture/pictures/formats.h"

#include <gtest/gtest.h>
#include <tiffio.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "stages/capture/pictures/orientation.h"
#include "stages/capture/pictures/png_chunks.h"
#include "tests/support/media_files.h"

namespace gradcam {
namespace {

using testing::read_text;

/// 1 2
/// 3 4
/// 5 6 in three channels.
cv::Mat numbered() {
  cv::Mat picture(3, 2, CV_8UC3);
  for (int i = 0; i < 6; ++i) {
    picture.at<cv::Vec3b>(i / 2, i % 2) = cv::Vec3b::all(static_cast<std::uint8_t>(i + 1));
  }
  return picture;
}

std::string digits(const cv::Mat& picture) {
  std::string text;
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      text += static_cast<char>('0' + *picture.ptr<std::uint8_t>(y, x));
    }
    text += y + 1 < picture.rows ? "/" : "";
  }
  return text;
}

/// Where the stored first row and column belong, by TIFF 6.0's tag 274.
constexpr const char* kUpright[] = {"12/34/56", "21/43/65", "65/43/21", "56/34/12",
                                    "135/246",  "531/642",  "642/531",  "246/135"};

TEST(Orientation, TurnsAndMirrorsAsTheTagSays) {
  for (int tag = 1; tag <= 8; ++tag) {
    EXPECT_EQ(digits(upright(numbered(), tag)), kUpright[tag - 1]) << tag;
  }
}

std::string exif_of(int orientation, bool little) {
  const std::string value(1, static_cast<char>(orientation));
  using namespace std::string_literals;
  return little ? "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s
                : "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s;
}

TEST(Orientation, IsReadFromExifOfBothByteOrders) {
  for (int tag = 1; tag <= 8; ++tag) {
    for (const bool little : {true, false}) {
      EXPECT_EQ(exif_orientation(exif_of(tag, little)), tag);
      EXPECT_EQ(exif_orientation(std::string("Exif\0\0", 6) + exif_of(tag, little)), tag);
    }
  }
  EXPECT_EQ(exif_orientation(exif_of(9, true)), 1);
  EXPECT_EQ(exif_orientation(exif_of(6, true).substr(0, 15)), 1);
  EXPECT_EQ(exif_orientation(""), 1);
}

std::string png(const cv::Mat& picture) {
  std::vector<unsigned char> bytes;
  cv::imencode(".png", picture, bytes);
  return {bytes.begin(), bytes.end()};
}

/// The file with a chunk more, in front of its pixels.
std::string with_chunk(std::string file, const std::string& type, const std::string& data) {
  return file.insert(file.find("IDAT") - 4, png::chunk(type, data));
}

TEST(Png, TransparentPicturesAreTurnedUprightToo) {
  cv::Mat bgra;
  cv::cvtColor(numbered(), bgra, cv::COLOR_BGR2BGRA);
  cv::insertChannel(numbered().reshape(1, 6).col(0).clone().reshape(1, 3), bgra, 3);
  for (int tag = 1; tag <= 8; ++tag) {
    const StoredPicture picture = read_png(with_chunk(png(bgra), "eXIf", exif_of(tag, true)));
    EXPECT_EQ(digits(picture.colours), kUpright[tag - 1]) << tag;
    EXPECT_EQ(digits(picture.alpha), kUpright[tag - 1]) << tag;
  }
}

TEST(Png, KeepsColoursUnderTransparentPlaces) {
  const cv::Mat stored(2, 2, CV_8UC4, cv::Scalar(10, 20, 30, 0));
  const StoredPicture picture = read_png(png(stored));
  EXPECT_EQ(picture.colours.at<cv::Vec3b>(1, 1), cv::Vec3b(10, 20, 30));
  EXPECT_EQ(picture.alpha.at<std::uint8_t>(1, 1), 0);
}

TEST(Png, SixteenBitsAndTheirAlpha) {
  const cv::Mat stored(2, 2, CV_16UC4, cv::Scalar(1000, 2000, 3000, 0x8080));
  const StoredPicture picture = read_png(png(stored));
  EXPECT_EQ(picture.colours.at<cv::Vec3w>(0, 0), cv::Vec3w(1000, 2000, 3000));
  EXPECT_EQ(picture.alpha.at<std::uint8_t>(0, 0), 128);
  EXPECT_EQ(read_png(png(cv::Mat(2, 2, CV_16UC1, cv::Scalar(4095)))).colours.at<cv::Vec3w>(0, 0),
            cv::Vec3w(4095, 4095, 4095));
}

TEST(Png, OneGreyOrColourMayBeTransparent) {
  const cv::Mat grey = (cv::Mat_<std::uint8_t>(1, 3) << 7, 8, 9);
  const StoredPicture of_grey = read_png(with_chunk(png(grey), "tRNS", std::string("\0\x08", 2)));
  EXPECT_EQ(cv::countNonZero(of_grey.alpha), 2);
  EXPECT_EQ(of_grey.alpha.at<std::uint8_t>(0, 1), 0);
  EXPECT_EQ(of_grey.colours.at<cv::Vec3b>(0, 1), cv::Vec3b(8, 8, 8));

  cv::Mat colours(1, 2, CV_8UC3, cv::Scalar(3, 2, 1));
  colours.at<cv::Vec3b>(0, 1) = {3, 2, 9};
  const std::string key("\0\x01\0\x02\0\x03", 6);
  const StoredPicture of_colour = read_png(with_chunk(png(colours), "tRNS", key));
  EXPECT_EQ(of_colour.alpha.at<std::uint8_t>(0, 0), 0);
  EXPECT_EQ(of_colour.alpha.at<std::uint8_t>(0, 1), 255);
}

struct TiffTags {
  int bits = 16;
  int format = SAMPLEFORMAT_UINT;
  int photometric = PHOTOMETRIC_RGB;
  int planar = PLANARCONFIG_CONTIG;
  int orientation = ORIENTATION_TOPLEFT;
  int compression = COMPRESSION_NONE;
  std::vector<std::uint16_t> extra;
};

/// `rows`: each row of each plane as its numbers are stored.
template <class T>
std::string tiff(const TempFolder& folder, int width, const TiffTags& tags, int samples,
                 std::vector<std::vector<T>> rows) {
  const std::string path = folder / "a.tif";
  TIFF* const file = TIFFOpen(path.c_str(), "w");
  const bool planes = tags.planar == PLANARCONFIG_SEPARATE;
  const int height = static_cast<int>(rows.size()) / (planes ? samples : 1);
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, tags.bits);
  TIFFSetField(file, TIFFTAG_SAMPLEFORMAT, tags.format);
  TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, samples);
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, tags.photometric);
  TIFFSetField(file, TIFFTAG_PLANARCONFIG, tags.planar);
  TIFFSetField(file, TIFFTAG_ORIENTATION, tags.orientation);
  TIFFSetField(file, TIFFTAG_COMPRESSION, tags.compression);
  TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, 2);
  if (!tags.extra.empty()) {
    TIFFSetField(file, TIFFTAG_EXTRASAMPLES, tags.extra.size(), tags.extra.data());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto number = static_cast<int>(i);
    TIFFWriteScanline(file, rows[i].data(), static_cast<std::uint32_t>(number % height),
                      static_cast<std::uint16_t>(number / height));
  }
  TIFFClose(file);
  return read_text(path);
}

using Words = std::vector<std::vector<std::uint16_t>>;
using Bytes = std::vector<std::vector<std::uint8_t>>;

TEST(Tiff, ColoursPlaneByPlaneKeepTheirBits) {
  const TempFolder folder;
  TiffTags tags;
  tags.planar = PLANARCONFIG_SEPARATE;
  const Words planes = {{100, 200}, {300, 400}, {500, 600},    // red
                        {1, 2},     {3, 4},     {5, 6},        // green
                        {60000, 7}, {8, 9},     {10, 40000}};  // blue
  const StoredPicture picture = read_tiff(tiff(folder, 2, tags, 3, planes));
  ASSERT_EQ(picture.colours.type(), CV_16UC3);
  ASSERT_EQ(picture.colours.size(), cv::Size(2, 3));
  EXPECT_EQ(picture.colours.at<cv::Vec3w>(0, 0), cv::Vec3w(60000, 1, 100));
  EXPECT_EQ(picture.colours.at<cv::Vec3w>(1, 1), cv::Vec3w(9, 4, 400));
  EXPECT_EQ(picture.colours.at<cv::Vec3w>(2, 1), cv::Vec3w(40000, 6, 600));
}

TEST(Tiff, WhiteAtZeroIsSaid) {
  const TempFolder folder;
  for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISWHITE}) {
    TiffTags tags;
    tags.photometric = photometric;
    const StoredPicture picture = read_tiff(tiff(folder, 2, tags, 1, Words{{10, 4095}}));
    EXPECT_EQ(picture.colours.at<cv::Vec3w>(0, 1), cv::Vec3w(4095, 4095, 4095));
    EXPECT_EQ(picture.white_is_zero, photometric == PHOTOMETRIC_MINISWHITE);
  }
}

TEST(Tiff, ColoursAreNotMultipliedByAlpha) {
  const TempFolder folder;
  TiffTags tags;
  tags.bits = 8;
  tags.extra = {EXTRASAMPLE_UNASSALPHA};
  const StoredPicture straight = read_tiff(tiff(folder, 1, tags, 4, Bytes{{200, 100, 50, 51}}));
  EXPECT_EQ(straight.colours.at<cv::Vec3b>(0, 0), cv::Vec3b(50, 100, 200));
  EXPECT_EQ(straight.alpha.at<std::uint8_t>(0, 0), 51);
  tags.extra = {EXTRASAMPLE_ASSOCALPHA};
  const StoredPicture multiplied = read_tiff(tiff(folder, 1, tags, 4, Bytes{{40, 20, 10, 51}}));
  EXPECT_EQ(multiplied.colours.at<cv::Vec3b>(0, 0), cv::Vec3b(50, 100, 200));
  tags.extra = {EXTRASAMPLE_UNSPECIFIED};
  EXPECT_TRUE(read_tiff(tiff(folder, 1, tags, 4, Bytes{{40, 20, 10, 51}})).alpha.empty());
}

TEST(Tiff, FloatAndSignedNumbersBecomeFloat) {
  const TempFolder folder;
  TiffTags tags;
  tags.photometric = PHOTOMETRIC_MINISBLACK;
  tags.bits = 32;
  tags.format = SAMPLEFORMAT_IEEEFP;
  const auto floats = std::vector<std::vector<float>>{{-0.5F, 3.25F}};
  EXPECT_EQ(read_tiff(tiff(folder, 2, tags, 1, floats)).colours.at<cv::Vec3f>(0, 1)[0], 3.25F);
  tags.bits = 64;
  const auto doubles = std::vector<std::vector<double>>{{-0.5, 3.25}};
  EXPECT_EQ(read_tiff(tiff(folder, 2, tags, 1, doubles)).colours.at<cv::Vec3f>(0, 0)[2], -0.5F);
  tags.bits = 16;
  tags.format = SAMPLEFORMAT_INT;
  const auto shorts = std::vector<std::vector<std::int16_t>>{{-1024, 3071}};
  EXPECT_EQ(read_tiff(tiff(folder, 2, tags, 1, shorts)).colours.at<cv::Vec3f>(0, 0)[1], -1024);
  tags.bits = 32;
  tags.format = SAMPLEFORMAT_UINT;
  const auto large = std::vector<std::vector<std::uint32_t>>{{5, 0xFFFFFF00}};
  EXPECT_EQ(read_tiff(tiff(folder, 2, tags, 1, large)).colours.at<cv::Vec3f>(0, 1)[1],
            4294967040.F);
}

TEST(Tiff, IsTurnedUprightInNumbersAndInColours) {
  const TempFolder folder;
  for (int tag = 1; tag <= 8; ++tag) {
    TiffTags tags;
    tags.bits = 8;
    tags.orientation = tag;
    tags.photometric = PHOTOMETRIC_MINISBLACK;
    const Bytes rows = {{1, 2}, {3, 4}, {5, 6}};
    EXPECT_EQ(digits(read_tiff(tiff(folder, 2, tags, 1, rows)).colours), kUpright[tag - 1]) << tag;
    tags.photometric = PHOTOMETRIC_SEPARATED;  // inks: black leaves 255 - black
    const Bytes inks = {
        {0, 0, 0, 254, 0, 0, 0, 253}, {0, 0, 0, 252, 0, 0, 0, 251}, {0, 0, 0, 250, 0, 0, 0, 249}};
    EXPECT_EQ(digits(read_tiff(tiff(folder, 2, tags, 4, inks)).colours), kUpright[tag - 1]) << tag;
  }
}

TEST(Tiff, ADamagedOrCutFileIsRefused) {
  const TempFolder folder;
  TiffTags tags;
  tags.photometric = PHOTOMETRIC_MINISBLACK;
  tags.compression = COMPRESSION_ADOBE_DEFLATE;
  Words noise(64, std::vector<std::uint16_t>(64));
  cv::RNG random(3);
  for (auto& row : noise) {
    for (auto& number : row) number = static_cast<std::uint16_t>(random.uniform(0, 65536));
  }
  std::string file = tiff(folder, 64, tags, 1, noise);
  EXPECT_NO_THROW(read_tiff(file));
  EXPECT_THROW(read_tiff(file.substr(0, file.size() / 2)), UnreadablePicture);
  file.replace(file.size() / 3, 40, std::string(40, '\xFF'));
  EXPECT_THROW(read_tiff(file), UnreadablePicture);
}

}  // namespace
}  // namespace gradcam
