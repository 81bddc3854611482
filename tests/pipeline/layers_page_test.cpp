#include "pipeline/layers_page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <regex>
#include <string>
#include <vector>

#include "config/user_error.h"
#include "pipeline/layers_html.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_models.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> all_of(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

std::vector<unsigned char> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<unsigned char>(bits >> count & 255U));
  }
  return bytes;
}

Options about(const std::string& model, const std::string& page) {
  Options options;
  options.command = Command::kLayers;
  options.subject = model;
  options.output.html = page;
  options.explain.threads = 1;
  options.run.log_level = "error";
  return options;
}

std::string tiny_model() {
  const auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"relu", tiny::relu(true)},
                     {"fc", tiny::linear(tiny::seeded({2, 4}, 3), tiny::seeded({2}, 4))}},
                    "  h = self.relu.forward(self.conv.forward(x))\n"
                    "  return self.fc.forward(torch.mean(h, [2, 3]))\n");
  return tiny::saved(
      net, "page",
      {{"gradcam.json", R"({"input_size": [30, 40], "labels": ["<cat>", "dog"], "name": "Net"})"}});
}

TEST(LayersPage, HoldsEachLayerWithItsPictureAndFetchesNothing) {
  const TempFolder folder;
  const std::string path = (folder / "layers.html").string();
  write_layers_page(about(tiny_model(), path));
  const std::string html = read(path);
  EXPECT_EQ(all_of(html, "data-copy=\"([^\"]*)\""),
            (std::vector<std::string>{"--layer conv", "--layer relu"}));
  EXPECT_EQ(all_of(html, "<li class=\"taken\" data-words=\"(\\w+)"),
            std::vector<std::string>{"relu"});
  EXPECT_NE(html.find("<p class=\"soft\">30x40 places of 1x1 pixels</p>"), std::string::npos);
  EXPECT_NE(html.find("<dt>fc</dt><dd>its output is not spatial</dd>"), std::string::npos);
  EXPECT_EQ(html.find("<cat>"), std::string::npos);
  EXPECT_EQ(html.find("http://"), std::string::npos);
  EXPECT_EQ(html.find("https://"), std::string::npos);
  const auto pictures = all_of(html, "src=\"([^\"]*)\"");
  ASSERT_EQ(pictures.size(), 2U);
  std::vector<cv::Mat> seen;
  for (const std::string& picture : pictures) {
    const std::string begin = "data:image/jpeg;base64,";
    ASSERT_TRUE(picture.starts_with(begin));
    seen.push_back(cv::imdecode(from_base64(picture.substr(begin.size())), cv::IMREAD_COLOR));
    EXPECT_EQ(seen.back().size(), cv::Size(224, 168));  // of the test pattern, 640x480
  }
  EXPECT_GT(cv::norm(seen[0], seen[1], cv::NORM_INF), 0);
}

TEST(LayersPage, ReplacesAFileOnlyWhereItIsAskedTo) {
  const TempFolder folder;
  Options options = about(tiny_model(), folder.file("layers.html", "mine"));
  EXPECT_USER_ERROR(write_layers_page(options), ExitCode::kOutput, "layers.html");
  EXPECT_EQ(read(options.output.html), "mine");
  options.output.overwrite = true;
  write_layers_page(options);
  EXPECT_NE(read(options.output.html).find("</html>"), std::string::npos);
}

TEST(LayersPage, NeverReplacesWhatItReads) {
  Options options = about(tiny_model(), "");
  options.output.html = options.subject;
  options.output.overwrite = true;
  EXPECT_USER_ERROR(write_layers_page(options), ExitCode::kOutput, "which is being read");
}

TEST(LayersPage, NamesASourceThatHoldsNoPicture) {
  const TempFolder folder;
  Options options = about(tiny_model(), (folder / "layers.html").string());
  options.input.sources = {folder.file("no.png", "no picture")};
  EXPECT_USER_ERROR(write_layers_page(options), ExitCode::kSource, "no.png");
}

TEST(LayersHtml, EscapesNamesForThePageAndQuotesThemForTheShell) {
  LayersPage page;
  page.title = "a & b";
  LayerCard card;
  card.name = "it's <x> \"y\"";
  page.cards = {card};
  const std::string html = to_html(page);
  EXPECT_NE(html.find("<title>a &amp; b</title>"), std::string::npos);
  EXPECT_NE(html.find(">it&#39;s &lt;x&gt; &quot;y&quot;</button>"), std::string::npos);
  EXPECT_NE(
      html.find("data-copy=\"--layer &#39;it&#39;\\&#39;&#39;s &lt;x&gt; &quot;y&quot;&#39;\""),
      std::string::npos);
}

}  // namespace
}  // namespace gradcam
