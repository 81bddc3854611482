#include "stages/explain/graph/output_end.h"

#include <gtest/gtest.h>

#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

OutputEnd end_of(const std::string& end, const OutputChoice& choice = {}) {
  const auto net =
      tiny::network({{"conv", tiny::seeded_conv(3, 4, 1)},
                     {"fc", tiny::linear(tiny::seeded({5, 4}, 2), tiny::seeded({5}, 3))}},
                    "  m = self.conv.forward(x)\n"
                    "  y = self.fc.forward(torch.mean(m, [2, 3]))\n" +
                        end);
  return output_end(Model(tiny::saved(net, "end"), c10::Device("cpu")), choice);
}

TEST(OutputEnd, IsThatOfTheLastOperationThatCounts) {
  using enum OutputEnd;
  const std::pair<const char*, OutputEnd> ends[] = {
      {"  return y\n", kRaw},
      {"  return m\n", kRaw},
      {"  return torch.mean(m, [2, 3])\n", kRaw},
      {"  return y / 2 + 1\n", kRaw},
      {"  return torch.relu(y)\n", kRaw},
      {"  return torch.softmax(y, 1)\n", kSoftmax},
      {"  return torch.softmax(m, 1).flatten(2).mean(2)\n", kSoftmax},
      {"  return torch.sigmoid(m).squeeze(0).unsqueeze(0)\n", kSigmoid},
      {"  return torch.sigmoid_(y)\n", kSigmoid},
      {"  return torch.log_softmax(y, 1)\n", kLogSoftmax},
      // Which picture it is may decide: both ways end alike, or not.
      {"  if bool(torch.mean(x) > 1):\n    z = torch.softmax(y, 1)\n"
       "  else:\n    z = torch.softmax(y * 2, 1)\n  return z\n",
       kSoftmax},
      {"  if bool(torch.mean(x) > 1):\n    z = torch.softmax(y, 1)\n"
       "  else:\n    z = y\n  return z\n",
       kUnknown},
      {"  return 1 - torch.sigmoid(y)\n", kUnknown},
      {"  return torch.softmax(y, 1) * 100\n", kUnknown},
      {"  return torch.clamp(y, 0, 1)\n", kUnknown},
      {"  torch.sigmoid_(y)\n  return y\n", kUnknown}};
  for (const auto& [end, expected] : ends) EXPECT_EQ(end_of(end), expected) << end;
}

TEST(OutputEnd, IsThatOfTheOutputThatIsSelected) {
  const char* const pair = "  return (torch.softmax(y, 1), y)\n";
  EXPECT_EQ(end_of(pair), OutputEnd::kSoftmax);
  EXPECT_EQ(end_of(pair, {.index = 1, .name = ""}), OutputEnd::kRaw);
  const char* const dict = "  return {\"shares\": torch.sigmoid(y), \"scores\": y}\n";
  EXPECT_EQ(end_of(dict, {.index = {}, .name = "shares"}), OutputEnd::kSigmoid);
  EXPECT_EQ(end_of(dict, {.index = {}, .name = "scores"}), OutputEnd::kRaw);
  EXPECT_EQ(end_of(dict), OutputEnd::kUnknown);
}

}  // namespace
}  // namespace gradcam
