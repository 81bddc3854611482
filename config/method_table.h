#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace gradcam {

/// What one map costs, and so what a method is good for.
enum class MethodCost {
  kFrame,     ///< about a forward pass: every frame of a film
  kKeyFrame,  ///< many runs of the tail of the network: key frames (--every, --budget), stills
  kStill,     ///< many runs of the whole network, or all of it backwards: stills
};

struct MethodEntry {
  std::string_view name;  ///< as `--method` takes it
  MethodCost cost;
  std::string_view summary;  ///< one line: what it does, and whose it is
};

/// The values of `--method`, in the order of the help. A new method is an entry here and a function
/// in stages/explain/methods (in the same order). A is the activation, g its gradient. Standard
/// library only.
inline constexpr std::array kMethodTable = {
    MethodEntry{"gradcam", MethodCost::kFrame,
                "channels weighted by their mean gradient (Selvaraju 2017)"},
    MethodEntry{"gradcam++", MethodCost::kFrame,
                "positive gradients weighted by higher orders, as pytorch-grad-cam has it "
                "(Chattopadhyay 2018)"},
    MethodEntry{"gradcam++-paper", MethodCost::kFrame,
                "the same with weights that sum to one in each channel, as in the paper"},
    MethodEntry{"hirescam", MethodCost::kFrame,
                "gradient times activation at each place: sums to the score (Draelos 2020)"},
    MethodEntry{"elementwise", MethodCost::kFrame,
                "the positive part of gradient times activation at each place"},
    MethodEntry{"xgradcam", MethodCost::kFrame,
                "mean gradients weighted by the activation (Fu 2020)"},
    MethodEntry{"layercam", MethodCost::kFrame,
                "positive gradient times activation at each place: for early layers (Jiang 2021)"},
    MethodEntry{"finercam", MethodCost::kFrame,
                "Grad-CAM of what sets a class apart from the three nearest (Zhang 2025)"},
    MethodEntry{"shapleycam", MethodCost::kFrame, "Grad-CAM with a second-order term (Cai 2025)"},
    MethodEntry{"odam", MethodCost::kFrame,
                "of a detector's box, smoothed gradient times activation at each place, of score "
                "and coordinates (Zhao 2023)"},
    MethodEntry{"eigencam", MethodCost::kFrame,
                "first principal component of A: no class, no gradient (Muhammad 2020)"},
    MethodEntry{"eigengradcam", MethodCost::kFrame,
                "first principal component of gradient times activation"},
    MethodEntry{"fem", MethodCost::kFrame,
                "channels weighted by how often they stand out: no class, no gradient (Fuad 2020)"},
    MethodEntry{"kpcacam", MethodCost::kKeyFrame,
                "first component of kernel PCA of A: no class, no gradient (Karmani 2024)"},
    MethodEntry{"ablationcam", MethodCost::kKeyFrame,
                "by how much the score falls without each channel: no gradient (Desai 2020)"},
    MethodEntry{"recipro-cam", MethodCost::kKeyFrame,
                "the score of each place of A alone: no gradient (Byun 2022)"},
    MethodEntry{"scorecam", MethodCost::kStill,
                "the score of the picture masked by each channel: no gradient (Wang 2020)"},
    MethodEntry{"fullgrad", MethodCost::kStill,
                "gradients of the input and of all biases; no target layer (Srinivas 2019)"},
};

/// "frame", "key frame", "still"
constexpr std::string_view name_of(MethodCost cost) {
  switch (cost) {
    case MethodCost::kFrame:
      return "frame";
    case MethodCost::kKeyFrame:
      return "key frame";
    case MethodCost::kStill:
      return "still";
  }
  return "";
}

/// Of a name that is not there, kFrame.
constexpr MethodCost cost_of(std::string_view name) {
  for (const MethodEntry& method : kMethodTable) {
    if (method.name == name) return method.cost;
  }
  return MethodCost::kFrame;
}

inline std::vector<std::string> method_names() {
  std::vector<std::string> names;
  names.reserve(kMethodTable.size());
  for (const MethodEntry& method : kMethodTable) names.emplace_back(method.name);
  return names;
}

}  // namespace gradcam
