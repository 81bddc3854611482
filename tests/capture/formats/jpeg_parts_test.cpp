#include "stages/capture/formats/jpeg_parts.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

namespace gradcam {
namespace {

/// A picture of one grey, which tells pictures apart.
std::string jpeg(int grey) {
  std::vector<unsigned char> bytes;
  cv::Mat picture(24, 32, CV_8UC3, cv::Scalar::all(grey));
  cv::randn(picture(cv::Rect(0, 0, 16, 24)), grey, 20);  // so that the scan is not all alike
  cv::imencode(".jpg", picture, bytes);
  return {bytes.begin(), bytes.end()};
}

std::string length_of(const std::string& picture, int wrong_by = 0) {
  return "Content-Length: " + std::to_string(static_cast<int>(picture.size()) + wrong_by) + "\r\n";
}

/// What comes out of `stream`, which arrives in pieces of `piece` bytes.
std::vector<JpegParts::Picture> pictures_of(const std::string& content_type,
                                            const std::string& stream, std::size_t piece) {
  JpegParts parts(content_type);
  std::vector<JpegParts::Picture> pictures;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    parts.add(stream.data() + at, std::min(piece, stream.size() - at));
    while (auto picture = parts.next()) pictures.push_back(std::move(*picture));
  }
  return pictures;
}

const std::string kType = "multipart/x-mixed-replace; boundary=";

struct Form {
  const char* name;
  std::string content_type;
  std::string (*part)(const std::string& picture);
  std::string before;
};

std::ostream& operator<<(std::ostream& out, const Form& form) { return out << form.name; }

class Forms : public ::testing::TestWithParam<Form> {};

TEST_P(Forms, GiveEachPictureOnceAndWhole) {
  const std::vector<std::string> sent = {jpeg(20), jpeg(120), jpeg(220)};
  std::string stream = GetParam().before;
  for (const std::string& picture : sent) stream += GetParam().part(picture);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    const auto got = pictures_of(GetParam().content_type, stream, piece);
    ASSERT_EQ(got.size(), sent.size()) << piece;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_TRUE(got[i].whole);
      EXPECT_EQ(got[i].bytes, sent[i]) << i << " in pieces of " << piece;
    }
  }
}

const auto kPlain = [](const std::string& p) {
  return "--frame\r\nContent-Type: image/jpeg\r\n" + length_of(p) + "\r\n" + p + "\r\n";
};

INSTANTIATE_TEST_SUITE_P(
    Cameras, Forms,
    ::testing::Values(
        Form{"plain", kType + "frame", kPlain, ""},  //
        Form{"quoted", kType + "\"frame\"", kPlain, ""},
        Form{"hyphens_told", kType + "--frame", kPlain, ""},
        Form{"another_parameter_behind", kType + "frame; charset=x", kPlain, ""},
        Form{"another_boundary_told", kType + "other", kPlain, ""},
        Form{"nothing_told", "", kPlain, ""},
        Form{"preamble", kType + "frame", kPlain, "Camera 7\r\n--\r\nwelcome\r\n"},
        Form{"hyphens_of_its_own", kType + "--frame",
             [](const std::string& p) {
               return "----frame\r\nContent-Type: image/jpeg\r\n\r\n" + p + "\r\n";
             },
             ""},
        Form{"no_length", kType + "frame",
             [](const std::string& p) {
               return "--frame\r\nContent-Type: image/jpeg\r\n\r\n" + p + "\r\n";
             },
             ""},
        Form{
            "lines_without_cr", kType + "frame",
            [](const std::string& p) { return "--frame\ncontent-type: image/jpeg\n\n" + p + "\n"; },
            ""},
        Form{"no_line_end_behind", kType + "frame",
             [](const std::string& p) { return "--frame\r\n" + length_of(p) + "\r\n" + p; }, ""},
        Form{"more_headers", kType + "frame",
             [](const std::string& p) {
               return "--frame\r\nX-Timestamp: 12.25\r\nContent-length:" +
                      std::to_string(p.size()) + "\r\nX-Note: --x\r\n\r\n" + p + "\r\n";
             },
             ""},
        Form{"boundary_behind_only", kType + "frame",
             [](const std::string& p) {
               return "Content-Type: image/jpeg\r\n" + length_of(p) + "\r\n" + p +
                      "\r\n--frame\r\n";
             },
             ""},
        Form{"length_too_large", kType + "frame",
             [](const std::string& p) {
               return "--frame\r\n" + length_of(p, 50) + "\r\n" + p + "\r\n";
             },
             ""},
        Form{"length_too_small", kType + "frame",
             [](const std::string& p) {
               return "--frame\r\n" + length_of(p, -50) + "\r\n" + p + "\r\n";
             },
             ""},
        Form{"no_parts", "video/x-motion-jpeg", [](const std::string& p) { return p; }, ""},
        Form{"a_second_picture_in_each_part", kType + "frame",
             [](const std::string& p) {
               const std::string right = jpeg(77);
               return "--frame\r\n" + length_of(p + right) + "\r\n" + p + right + "\r\n";
             },
             ""},
        Form{"a_second_picture_without_a_length", kType + "frame",
             [](const std::string& p) { return "--frame\r\n\r\n" + p + jpeg(77) + "\r\n"; }, ""}),
    [](const auto& form) { return std::string(form.param.name); });

TEST(JpegParts, GivesAPictureWithItsLastByte) {
  const std::string picture = jpeg(120);
  for (const std::string& head :
       {"--frame\r\n\r\n" + std::string(), "--frame\r\n" + length_of(picture) + "\r\n"}) {
    JpegParts parts(kType + "frame");
    const std::string stream = head + picture;
    parts.add(stream.data(), stream.size() - 1);
    EXPECT_FALSE(parts.next());
    parts.add(stream.data() + stream.size() - 1, 1);
    EXPECT_TRUE(parts.next());
  }
}

TEST(JpegParts, KnowsThatTheStreamEndsWithinAPicture) {
  const std::string picture = jpeg(120);
  JpegParts parts(kType + "frame");
  const std::string part = kPlain(picture);
  parts.add(part.data(), part.size());
  EXPECT_TRUE(parts.next());
  EXPECT_FALSE(parts.next());
  EXPECT_FALSE(parts.in_picture());
  parts.add(part.data(), part.size() / 2);
  EXPECT_FALSE(parts.next());
  EXPECT_TRUE(parts.in_picture());
}

TEST(JpegParts, TellsCutPicturesAndGoesOnBehindThem) {
  const std::string good = jpeg(20);
  for (const std::size_t kept : {good.size() / 2, good.size() - 2, std::size_t{30}}) {
    const std::string cut = good.substr(0, kept);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100000}}) {
      const auto got = pictures_of(kType + "frame", kPlain(cut) + kPlain(good), piece);
      ASSERT_EQ(got.size(), 2U) << kept;
      EXPECT_FALSE(got[0].whole);
      EXPECT_TRUE(got[1].whole);
      EXPECT_EQ(got[1].bytes, good);
    }
  }
}

TEST(JpegParts, NextPictureEndsACutOneWhereThereAreNoParts) {
  const std::string good = jpeg(20);
  const auto got = pictures_of("video/x-motion-jpeg", good.substr(0, good.size() - 40) + good, 50);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_FALSE(got[0].whole);
  EXPECT_EQ(got[1].bytes, good);
}

TEST(JpegParts, SmallPicturesInsideOfSegmentsBelongToTheLargeOne) {
  const std::string small = jpeg(20);
  std::string large = jpeg(220);
  const std::size_t length = small.size() + 2;
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(length >> 8);
  segment += static_cast<char>(length & 0xFF);
  large.insert(2, segment + small);
  const auto got = pictures_of(kType + "frame", kPlain(large) + kPlain(large), 100);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].bytes, large);
}

TEST(JpegParts, WhatIsNoPictureIsForgotten) {
  JpegParts parts(kType + "frame");
  const std::string text(100000, 'x');
  for (int i = 0; i < 100; ++i) {
    parts.add(text.data(), text.size());
    EXPECT_FALSE(parts.next());
  }
  const std::string picture = jpeg(20);
  parts.add(picture.data(), picture.size());
  EXPECT_TRUE(parts.next());
}

TEST(PictureStream, IsToldByItsType) {
  for (const char* type : {"multipart/x-mixed-replace; boundary=x", "Multipart/Mixed;boundary=x",
                           "video/x-motion-jpeg"}) {
    EXPECT_TRUE(is_picture_stream(type)) << type;
  }
  for (const char* type : {"", "image/jpeg", "video/mp4", "text/html"}) {
    EXPECT_FALSE(is_picture_stream(type)) << type;
  }
}

}  // namespace
}  // namespace gradcam
