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

TEST(DetectorLayers, MapsOfAnotherOutputDoNotCount) {
  // The maps that masks are mixed of, as in a YOLO that segments.
  Parts parts = pyramid();
  parts.push_back({"masks", tiny::seeded_conv(6, 3, 7)});
  EXPECT_EQ(layers_of(parts, kNeck + "  p = torch.flatten(self.fine.forward(mid), 2)\n"
                                     "  q = torch.flatten(self.coarse.forward(top), 2)\n"
                                     "  return torch.cat([p, q], 2), self.masks.forward(mid)\n"),
            (Layers{"merge", "lateral"}));
}

TEST(DetectorLayers, OneHeadMayServeAllSizes) {
  // Its layers are marked at the last size only: at the other one the neck is the last map.
  Parts parts = pyramid();
  parts.push_back({"narrow", tiny::seeded_conv(6, 4, 7)});
  EXPECT_EQ(layers_of(parts, kNeck + "  mid = self.narrow.forward(mid)\n"
                                     "  p = torch.flatten(self.coarse.forward(mid), 2)\n"
                                     "  q = torch.flatten(self.coarse.forward(top), 2)\n"
                                     "  return torch.cat([p, q], 2)\n"),
            (Layers{"narrow", "lateral"}));
}

/// A neck that goes up and down again, and heads of boxes and scores as in YOLOv8: the neck's
/// larger output has as many channels as there are for the boxes.
Parts wide_neck() {
  const int boxes = 8;
  const int scores = 3;
  return {{"stem", tiny::seeded_conv(3, 4, 1)},
          {"deep", tiny::seeded_conv(4, 5, 2)},
          {"joined", tiny::seeded_conv(9, 6, 3)},
          {"fine", tiny::seeded_conv(6, boxes, 4)},
          {"coarse", tiny::seeded_conv(boxes + 5, 7, 5)},
          {"fine_boxes", tiny::seeded_conv(boxes, boxes, 6)},
          {"fine_scores", tiny::seeded_conv(boxes, scores, 7)},
          {"coarse_boxes", tiny::seeded_conv(7, boxes, 8)},
          {"coarse_scores", tiny::seeded_conv(7, scores, 9)},
          {"fine_activation", tiny::leaf("Sigmoid", {}, "return torch.sigmoid(x)")},
          {"coarse_activation", tiny::leaf("Sigmoid", {}, "return torch.sigmoid(x)")}};
}
const std::string kWideNeck =
    "  a = self.stem.forward(x)\n"
    "  b = self.deep.forward(torch.max_pool2d(torch.relu(a), [2, 2]))\n"
    "  up = torch.upsample_nearest2d(b, [16, 16])\n"
    "  fine = self.fine.forward(self.joined.forward(torch.cat([a, up], 1)))\n"
    "  coarse = self.coarse.forward(torch.cat([torch.max_pool2d(fine, [2, 2]), b], 1))\n";
const std::string kTwoBranches =
    "  p = torch.cat([self.fine_boxes.forward(fine), self.fine_scores.forward(fine)], 1)\n"
    "  q = torch.cat([self.coarse_boxes.forward(coarse), self.coarse_scores.forward(coarse)], 1)\n";
const std::string kActivations =
    "  p = self.fine_activation.forward(p)\n"
    "  q = self.coarse_activation.forward(q)\n";
const std::string kJoined = "  return torch.cat([torch.flatten(p, 2), torch.flatten(q, 2)], 2)\n";

TEST(DetectorLayers, ANeckMayBeAsWideAsABranchOfTheHead) {
  const Layers necks{"fine", "coarse"};
  EXPECT_EQ(layers_of(wide_neck(), kWideNeck + kTwoBranches + kJoined), necks);
  // Both branches together are a map of their own.
  EXPECT_EQ(layers_of(wide_neck(), kWideNeck + kTwoBranches + kActivations + kJoined), necks);
}

TEST(DetectorLayers, ANeckMayBeAsWideAsTheWholeHead) {
  const std::string one_branch =
      "  p = self.fine_boxes.forward(fine)\n"
      "  q = self.coarse_boxes.forward(coarse)\n";
  const Layers necks{"fine", "coarse"};
  EXPECT_EQ(layers_of(wide_neck(), kWideNeck + one_branch + kJoined), necks);
  EXPECT_EQ(layers_of(wide_neck(), kWideNeck + one_branch + kActivations + kJoined), necks);
}

TEST(DetectorLayers, OfOneSizeItIsTheLastMapThatIsNoPrediction) {
  const std::string head = "  p = self.fine_activation.forward(self.fine_boxes.forward(fine))\n";
  EXPECT_EQ(layers_of(wide_neck(), kWideNeck + head + "  return torch.flatten(p, 2)\n"),
            Layers{"fine"});
}

TEST(DetectorLayers, NoneWhereTheOutputComesFromNoMap) {
  EXPECT_EQ(layers_of({{"conv", tiny::seeded_conv(3, 4, 1)}}, "  return torch.mean(x, [2, 3])\n"),
            Layers{});
}

}  // namespace
}  // namespace gradcam
