#include <gtest/gtest.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stages/capture/animation_source.h"
#include "stages/capture/pictures/png_chunks.h"
#include "stages/capture/source.h"
#include "tests/support/media_files.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

using std::chrono::milliseconds;
using testing::read_all;
using testing::ReadBack;
using testing::write_text;

const cv::Vec4b kRed{0, 0, 255, 255};
const cv::Vec4b kGreen{0, 255, 0, 255};
const cv::Vec4b kBlue{255, 0, 0, 255};
const cv::Vec4b kHalfBlue{255, 0, 0, 128};
const cv::Vec4b kClear{0, 0, 0, 0};

std::string big_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

/// One frame of an animated PNG: a rectangle of one colour.
struct Part {
  cv::Rect place;
  cv::Vec4b colour;
  int dispose = 0;
  int blend = 0;
  int numerator = 1;
  int denominator = 10;
};

const cv::Rect kWhole(0, 0, 4, 2);

/// The data of all IDAT chunks of the part as a picture.
std::string pixels_of(const Part& part) {
  const cv::Mat picture(part.place.size(), CV_8UC4, cv::Scalar(part.colour));
  std::vector<unsigned char> bytes;
  cv::imencode(".png", picture, bytes);
  const std::string file(bytes.begin(), bytes.end());
  std::string data;
  for (const png::Chunk& chunk : png::chunks_of(file)) {
    if (chunk.type == "IDAT") data += chunk.data;
  }
  return data;
}

/// `hidden`: what viewers without animation show, which is no part of it.
std::string apng(const std::vector<Part>& parts, const std::optional<Part>& hidden = {},
                 std::size_t claimed = 0) {
  const std::string kind("\x08\x06\0\0\0", 5);  // 8 bits, colours and alpha
  std::string file(png::kSignature);
  file += png::chunk("IHDR", big_endian(4, 4) + big_endian(2, 4) + kind);
  const std::size_t count = claimed == 0 ? parts.size() : claimed;
  file += png::chunk("acTL", big_endian(static_cast<std::uint32_t>(count), 4) + big_endian(0, 4));
  if (hidden) file += png::chunk("IDAT", pixels_of(*hidden));
  std::uint32_t sequence = 0;
  for (const Part& part : parts) {
    std::string control = big_endian(sequence++, 4);
    for (const int number : {part.place.width, part.place.height, part.place.x, part.place.y}) {
      control += big_endian(static_cast<std::uint32_t>(number), 4);
    }
    control += big_endian(static_cast<std::uint32_t>(part.numerator), 2) +
               big_endian(static_cast<std::uint32_t>(part.denominator), 2) +
               static_cast<char>(part.dispose) + static_cast<char>(part.blend);
    file += png::chunk("fcTL", control);
    const bool first = sequence == 1 && !hidden;
    file += first ? png::chunk("IDAT", pixels_of(part))
                  : png::chunk("fdAT", big_endian(sequence++, 4) + pixels_of(part));
  }
  return file + png::chunk("IEND", {});
}

ReadBack play(const std::filesystem::path& path, const InputOptions& options = {}) {
  return read_all(*open_source(path.string(), options));
}

/// The first row as letters: r g b for the colours above on black, k for black, ? for others.
std::string letters(const cv::Mat& frame) {
  std::string text;
  for (int x = 0; x < frame.cols; ++x) {
    const auto& pixel = frame.at<cv::Vec3b>(0, x);
    text += pixel == cv::Vec3b(0, 0, 255)   ? 'r'
            : pixel == cv::Vec3b(0, 255, 0) ? 'g'
            : pixel == cv::Vec3b(255, 0, 0) ? 'b'
            : pixel == cv::Vec3b(0, 0, 0)   ? 'k'
                                            : '?';
  }
  return text;
}

std::vector<std::string> rows(const ReadBack& read) {
  std::vector<std::string> all;
  for (const Captured& frame : read.frames) all.push_back(letters(frame.image.bgr()));
  return all;
}

std::vector<int> times_ms(const ReadBack& read) {
  std::vector<int> all;
  for (const Captured& frame : read.frames) {
    all.push_back(static_cast<int>(frame.pts / milliseconds(1)));
  }
  return all;
}

using Rows = std::vector<std::string>;
using Times = std::vector<int>;

class Apng : public ::testing::Test {
 protected:
  ReadBack play_parts(const std::vector<Part>& parts) {
    write_text(folder_ / "a.png", apng(parts));
    InputOptions on_black;
    on_black.background = Colour{0, 0, 0};
    return play(folder_ / "a.png", on_black);
  }
  const TempFolder folder_;
};

TEST_F(Apng, FramesAreLaidOnWhatIsThere) {
  EXPECT_EQ(rows(play_parts({{kWhole, kRed}, {{1, 0, 2, 1}, kGreen}, {{2, 0, 2, 2}, kBlue}})),
            (Rows{"rrrr", "rggr", "rgbb"}));
}

TEST_F(Apng, AFrameIsClearedOrWhatWasBeforeItComesBack) {
  EXPECT_EQ(rows(play_parts({{kWhole, kRed}, {{1, 0, 2, 1}, kGreen, 1}, {{3, 0, 1, 1}, kBlue}})),
            (Rows{"rrrr", "rggr", "rkkb"}));
  EXPECT_EQ(rows(play_parts({{kWhole, kRed}, {{1, 0, 2, 1}, kGreen, 2}, {{3, 0, 1, 1}, kBlue}})),
            (Rows{"rrrr", "rggr", "rrrb"}));
}

TEST_F(Apng, AFrameTakesThePlaceOrIsLaidOver) {
  EXPECT_EQ(rows(play_parts({{kWhole, kRed}, {{0, 0, 2, 1}, kClear, 0, 0}})),
            (Rows{"rrrr", "kkrr"}));
  EXPECT_EQ(rows(play_parts({{kWhole, kRed}, {{0, 0, 2, 1}, kClear, 0, 1}})),
            (Rows{"rrrr", "rrrr"}));
  const ReadBack mixed = play_parts({{kWhole, kRed}, {{0, 0, 2, 1}, kHalfBlue, 0, 1}});
  EXPECT_EQ(mixed.frames.at(1).image.bgr().at<cv::Vec3b>(0, 0), cv::Vec3b(128, 0, 127));
}

TEST_F(Apng, HasTheTimesOfItsFile) {
  const ReadBack read = play_parts({{kWhole, kRed, 0, 0, 1, 25},
                                    {kWhole, kGreen, 0, 0, 3, 2},
                                    {kWhole, kBlue, 0, 0, 7, 0},     // of a hundredth
                                    {kWhole, kRed, 0, 0, 0, 100}});  // none: 100 ms
  EXPECT_EQ(times_ms(read), (Times{0, 40, 1540, 1610}));
  EXPECT_EQ(read.frames.at(1).duration, milliseconds(1500));
  EXPECT_EQ(read.frames.at(3).duration, milliseconds(100));
}

TEST_F(Apng, APictureForViewersWithoutAnimationIsLeftOut) {
  write_text(folder_ / "a.png", apng({{kWhole, kRed}, {kWhole, kGreen}}, Part{kWhole, kBlue}));
  EXPECT_EQ(rows(play(folder_ / "a.png")), (Rows{"rrrr", "gggg"}));
}

TEST_F(Apng, OneFrameIsAStill) {
  write_text(folder_ / "a.png", apng({{kWhole, kRed}}));
  EXPECT_TRUE(open_source((folder_ / "a.png").string(), {})->info().still);
}

TEST_F(Apng, OfAFolderEachGivesItsFirstPicture) {
  write_text(folder_ / "1.png", apng({{kWhole, kRed}, {kWhole, kGreen}}));
  write_text(folder_ / "2.png", apng({{kWhole, kBlue}, {kWhole, kGreen}}));
  EXPECT_EQ(rows(play(folder_.path())), (Rows{"rrrr", "bbbb"}));
}

TEST_F(Apng, StartAndDurationAreObeyed) {
  write_text(folder_ / "a.png",
             apng({{kWhole, kRed}, {kWhole, kGreen}, {kWhole, kBlue}, {kWhole, kRed}}));
  InputOptions options;
  options.start_s = 0.05;
  options.duration_s = 0.2;
  const ReadBack read = play(folder_ / "a.png", options);
  EXPECT_EQ(times_ms(read), (Times{100, 200}));
  EXPECT_EQ(rows(read), (Rows{"gggg", "bbbb"}));
  // Of which a written film begins at 0.
  EXPECT_EQ(open_source((folder_ / "a.png").string(), options)->info().begin,
            std::chrono::milliseconds(50));
  options.start_s = 7;
  EXPECT_USER_ERROR(play(folder_ / "a.png", options), ExitCode::kSource, "from 7.0 s on");
}

TEST_F(Apng, ACutFileEndsTooEarly) {
  const std::string whole = apng({{kWhole, kRed}, {kWhole, kGreen}, {kWhole, kBlue}});
  write_text(folder_ / "a.png", whole.substr(0, whole.rfind("fdAT") + 9));
  const ReadBack read = play(folder_ / "a.png");
  EXPECT_EQ(rows(read), (Rows{"rrrr", "gggg"}));
  EXPECT_NE(read.cut_short.find("it ends after 0.2 s"), std::string::npos) << read.cut_short;
  write_text(folder_ / "b.png", apng({{kWhole, kRed}}, {}, 2));
  EXPECT_NE(play(folder_ / "b.png").cut_short, "");
}

TEST_F(Apng, AFrameBesideTheCanvasIsDamage) {
  write_text(folder_ / "a.png", apng({{kWhole, kRed}, {{3, 0, 2, 1}, kGreen}}));
  EXPECT_NE(play(folder_ / "a.png").cut_short, "");
}

struct WebpDelete {
  void operator()(WebPAnimEncoder* encoder) const { WebPAnimEncoderDelete(encoder); }
};

/// Each frame of one colour, without loss; `ends_ms`: when each ends.
std::string webp(const std::vector<cv::Vec4b>& colours, const std::vector<int>& ends_ms) {
  WebPAnimEncoderOptions options;
  WebPAnimEncoderOptionsInit(&options);
  const std::unique_ptr<WebPAnimEncoder, WebpDelete> encoder(
      WebPAnimEncoderNew(kWhole.width, kWhole.height, &options));
  WebPConfig config;
  WebPConfigInit(&config);
  config.lossless = 1;
  config.exact = 1;
  int begin = 0;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    const cv::Mat bgra(kWhole.size(), CV_8UC4, cv::Scalar(colours[i]));
    WebPPicture picture;
    WebPPictureInit(&picture);
    picture.use_argb = 1;
    picture.width = bgra.cols;
    picture.height = bgra.rows;
    WebPPictureImportBGRA(&picture, bgra.data, static_cast<int>(bgra.step));
    WebPAnimEncoderAdd(encoder.get(), &picture, begin, &config);
    WebPPictureFree(&picture);
    begin = ends_ms[i];
  }
  WebPAnimEncoderAdd(encoder.get(), nullptr, begin, nullptr);
  WebPData data;
  WebPDataInit(&data);
  WebPAnimEncoderAssemble(encoder.get(), &data);
  std::string bytes(reinterpret_cast<const char*>(data.bytes), data.size);
  WebPDataClear(&data);
  return bytes;
}

TEST(Webp, AnAnimationIsAFilmWithItsTimes) {
  const TempFolder folder;
  write_text(folder / "a.webp", webp({kRed, kGreen, kBlue}, {40, 1540, 1610}));
  const auto source = open_source((folder / "a.webp").string(), {});
  EXPECT_FALSE(source->info().still);
  EXPECT_EQ(source->info().frames, 3);
  EXPECT_EQ(source->info().duration, milliseconds(1610));
  const ReadBack read = read_all(*source);
  EXPECT_EQ(rows(read), (Rows{"rrrr", "gggg", "bbbb"}));
  EXPECT_EQ(times_ms(read), (Times{0, 40, 1540}));
  EXPECT_EQ(read.cut_short, "");
}

TEST(Webp, TransparentFramesAreLaidOnTheBackground) {
  const TempFolder folder;
  write_text(folder / "a.webp", webp({kRed, kClear}, {100, 200}));
  InputOptions options;
  options.background = Colour{0, 255, 0};
  EXPECT_EQ(rows(play(folder / "a.webp", options)), (Rows{"rrrr", "gggg"}));
}

TEST(Webp, OfTimeNoneIsMade100Ms) {
  const TempFolder folder;
  write_text(folder / "a.webp", webp({kRed, kGreen, kBlue}, {0, 0, 0}));
  const Times times = times_ms(play(folder / "a.webp"));
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(times[i], 100 * static_cast<int>(i));
}

TEST(Webp, ACutFileIsRefused) {
  const TempFolder folder;
  const std::string whole = webp({kRed, kGreen, kBlue}, {40, 80, 120});
  write_text(folder / "a.webp", whole.substr(0, whole.size() - 20));
  EXPECT_USER_ERROR(play(folder / "a.webp"), ExitCode::kSource, "damaged");
}

}  // namespace
}  // namespace gradcam
