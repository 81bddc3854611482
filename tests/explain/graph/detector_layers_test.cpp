#include "stages/explain/graph/detector_layers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/tiny_models.h"

namespace gradcam {
namespace {

constexpr int kSize = 16;

using Layers = std::vector<std::string>;
using Parts = std::vector<std::pair<std::string, torch::jit::Module>>;

Layers layers_of(const Parts& parts, const std::string& forward) {
  const Model model(tiny::saved(tiny::network(parts, forward), "detector"), c10::Device("cpu"));
  return detector_layers(model, tiny::input_of(kSize, kSize));
}

/// Two sizes that predictions are made at; the larger one takes what the smaller one found.
Parts pyramid() {
  return {{"stem", tiny::seeded_conv(3, 4, 1)},    {"down", tiny::seeded_conv(4, 5, 2)},
          {"lateral", tiny::seeded_conv(5, 4, 3)}, {"merge", tiny::seeded_conv(8, 6, 4)},
          {"fine", tiny::seeded_conv(6, 9, 5)},    {"coarse", tiny::seeded_conv(4, 9, 6)}};
}
const std::string kNeck =
    "  a = self.stem.forward(x)\n"
    "  b = self.down.forward(torch.max_pool2d(torch.relu(a), [2, 2]))\n"
    "  top = self.lateral.forward(b)\n"
    "  wide = torch.upsample_nearest2d(top, [16, 16])\n"
    "  mid = self.merge.forward(torch.cat([a, wide], 1))\n";

TEST(DetectorLayers, AreTheNecksOutputs) {
  EXPECT_EQ(layers_of(pyramid(), kNeck + "  p = torch.flatten(self.fine.forward(mid), 2)\n"
                                         "  q = torch.flatten(self.coarse.forward(top), 2)\n"
                                         "  return torch.cat([p, q], 2)\n"),
            (Layers{"merge", "lateral"}));
}

TEST(DetectorLayers, SeveralHeadsReadTheSameMap) {
  // Boxes and scores of their own, as in RetinaNet; sizes that are read from tensors lead nowhere.
  Parts parts = pyramid();
  parts.push_back({"fine_box", tiny::seeded_conv(6, 3, 7)});
  parts.push_back({"coarse_box", tiny::seeded_conv(4, 3, 8)});
  EXPECT_EQ(
      layers_of(parts,
                kNeck + "  p = torch.cat([self.fine.forward(mid), self.fine_box.forward(mid)], 1)\n"
                        "  q = torch.cat([self.coarse.forward(top), "
                        "self.coarse_box.forward(top)], 1)\n"
                        "  n = x.size(0)\n"
                        "  return torch.cat([p.view([n, 12, -1]), q.view([n, 12, -1])], 2)\n"),
      (Layers{"merge", "lateral"}));
}

TEST(DetectorLayers, NoneWhereTheOutputComesFromNoMap) {
  EXPECT_EQ(layers_of({{"conv", tiny::seeded_conv(3, 4, 1)}}, "  return torch.mean(x, [2, 3])\n"),
            Layers{});
}

}  // namespace
}  // namespace gradcam
