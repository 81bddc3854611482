#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "stages/explain/tasks/task.h"
#include "stages/frame/description.h"
#include "tests/support/tiny_models.h"

namespace gradcam::tiny {

constexpr int kDetectorSize = 48;  ///< height and width of its picture
constexpr std::int64_t kDetectorBoxes = 24 * 24 + 12 * 12;
constexpr std::int64_t kDetectorNumbers = 7;  ///< of each box

inline torch::jit::Module conv(int in, int out, int kernel, int stride, std::uint64_t seed) {
  const std::string step = std::to_string(stride);
  const std::string padding = std::to_string(kernel / 2);
  return leaf("Conv2d",
              {{"weight", seeded({out, in, kernel, kernel}, seed) * 0.3},
               {"bias", seeded({out}, seed + 1) * 0.1}},
              "return torch.conv2d(x, self.weight, self.bias, [" + step + ", " + step + "], [" +
                  padding + ", " + padding + "])");
}

/// From offsets to pixels.
inline torch::jit::Module decoding() {
  return leaf("Decode",
              {{"grid", seeded({1, kDetectorBoxes, 2}, 91).abs() * 10},
               {"stride", seeded({1, kDetectorBoxes, 1}, 92).abs() + 1}},
              "xy = (x[..., 0:2] + self.grid) * self.stride\n"
              "  wh = torch.exp(x[..., 2:4] * 0.1) * self.stride\n"
              "  return torch.cat([xy, wh, x[..., 4:]], 2)");
}

/// A detector of two levels, 24x24 and 12x12; the neck of the second comes of the first. Its output
/// [1, 720, 7] holds x, y, w, h, objectness and two scores of each box.
inline torch::jit::Module detector() {
  std::vector<std::pair<std::string, torch::jit::Module>> parts = {
      {"stem", conv(3, 6, 3, 2, 1)},    {"fine", conv(6, 6, 3, 1, 3)},
      {"down", conv(6, 6, 3, 2, 5)},    {"beside", conv(6, 6, 3, 2, 7)},
      {"coarse", conv(12, 8, 3, 1, 9)}, {"decode", decoding()}};
  for (const auto& [level, channels] : {std::pair("fine", 6), std::pair("coarse", 8)}) {
    const std::string name(level);
    const auto seed = static_cast<std::uint64_t>(channels * 10);
    parts.emplace_back(name + "_box", conv(channels, 6, 3, 1, seed));
    parts.emplace_back(name + "_numbers", conv(6, 5, 1, 1, seed + 2));
    parts.emplace_back(name + "_class", conv(channels, 6, 3, 1, seed + 4));
    parts.emplace_back(name + "_scores", conv(6, 2, 3, 1, seed + 6));
  }
  const auto head = [](const std::string& level) {
    return "  b = self." + level + "_numbers.forward(torch.silu(self." + level + "_box.forward(" +
           level + ")))\n  c = self." + level + "_scores.forward(torch.silu(self." + level +
           "_class.forward(" + level + ")))\n  " + level +
           "_out = torch.cat([b[:, 0:4], torch.sigmoid(b[:, 4:5]), torch.sigmoid(c)], "
           "1).view(1, 7, -1)\n";
  };
  return network(
      parts,
      "  h = torch.silu(self.stem.forward(x))\n"
      "  fine = torch.silu(self.fine.forward(h))\n"
      "  both = torch.cat([self.down.forward(fine), self.beside.forward(h)], 1)\n"
      "  coarse = torch.silu(self.coarse.forward(torch.silu(both)))\n" +
          head("fine") + head("coarse") +
          "  return self.decode.forward(torch.cat([fine_out, coarse_out], 2).permute(0, 2, 1))\n");
}

inline ModelDescription detector_description() {
  ModelDescription description = input_of(kDetectorSize, kDetectorSize);
  description.task = &find_task("detection");
  description.boxes.format = BoxFormat::kYolox;
  description.threshold = 0.3;
  return description;
}

}  // namespace gradcam::tiny
