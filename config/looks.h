#pragma once

#include <array>
#include <string_view>

#include "config/named.h"

/// What the picture can look like: each enum with the names that options, files and keys use for
/// its values, in the order of the help. Standard library only.
namespace gradcam {

/// How a method's map becomes the heat that is shown: the conventions of existing tools.
enum class Style {
  kGradcam,   ///< pytorch-grad-cam: ReLU, min-max at map size, bilinear to the network input
  kNotebook,  ///< the classic notebook: ReLU, resize to the picture, then min-max, heat*0.4 + image
  kCaptum,    ///< Captum's LayerGradCam: no ReLU, sign kept, not scaled, nearest neighbour
  kRaw,       ///< the method's map as it is, enlarged
};

inline constexpr std::array kStyles = {Named{"gradcam", Style::kGradcam},
                                       Named{"notebook", Style::kNotebook},
                                       Named{"captum", Style::kCaptum}, Named{"raw", Style::kRaw}};

enum class ViewKind {
  kOverlay,
  kHeatmap,
  kSideBySide,
  kOriginal,
  kGuidedBackprop,  ///< the input's gradient by guided backpropagation
  kGuidedGradcam,   ///< that times the heat
};

struct ViewEntry {
  std::string_view name;
  ViewKind value;
  std::string_view title;  ///< as a notice on the screen calls it
};

inline constexpr std::array kViews = {
    ViewEntry{"overlay", ViewKind::kOverlay, "overlay"},
    ViewEntry{"heatmap", ViewKind::kHeatmap, "heat map"},
    ViewEntry{"side-by-side", ViewKind::kSideBySide, "side by side"},
    ViewEntry{"original", ViewKind::kOriginal, "original"},
    ViewEntry{"guided-backprop", ViewKind::kGuidedBackprop, "guided backpropagation"},
    ViewEntry{"guided-gradcam", ViewKind::kGuidedGradcam, "guided Grad-CAM"}};

/// Whether a view shows more than the heat map.
constexpr bool is_guided(ViewKind view) {
  return view == ViewKind::kGuidedBackprop || view == ViewKind::kGuidedGradcam;
}

/// What the largest value of a heat map is measured against.
enum class Normalize {
  kAuto,     ///< running for live sources, else frame
  kFrame,    ///< each map against itself: its peak is always 1
  kRunning,  ///< against the strongest of the last seconds: the picture does not pump
};

inline constexpr std::array kNormalizations = {Named{"auto", Normalize::kAuto},
                                               Named{"frame", Normalize::kFrame},
                                               Named{"running", Normalize::kRunning}};

/// Colours of the heat. stages/overlay/colormap.cpp holds the colours themselves.
enum class Colormap { kJet, kTurbo, kViridis, kInferno, kMagma, kPlasma, kHot, kBone };

inline constexpr std::array kColormaps = {
    Named{"jet", Colormap::kJet},         Named{"turbo", Colormap::kTurbo},
    Named{"viridis", Colormap::kViridis}, Named{"inferno", Colormap::kInferno},
    Named{"magma", Colormap::kMagma},     Named{"plasma", Colormap::kPlasma},
    Named{"hot", Colormap::kHot},         Named{"bone", Colormap::kBone}};

}  // namespace gradcam
