#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "stages/explain/explainer.h"
#include "stages/explain/graph/layers.h"
#include "stages/explain/model/network.h"
#include "stages/frame/blob.h"
#include "stages/frame/explanation.h"
#include "stages/frame/heat_map.h"

namespace gradcam {

/// What one layer of a network shows of a picture.
struct LayerMap {
  Layer layer;
  int channels = 0;
  int height = 0;  ///< places of the map
  int width = 0;
  std::vector<HeatMap> maps;  ///< method maps [height, width], one for each target
  std::string obstacle;       ///< why there is no map; empty = there is one
};

/// What all layers of a network show of one picture.
struct LayerMaps {
  std::vector<LayerMap> layers;     ///< all sub-modules, in the order in which they are run
  std::vector<ClassScore> targets;  ///< what the maps explain; none: nothing is there to explain
  std::string method;
};

/// Explains one picture at every layer at once, by LibTorch in fp32: one run of the network
/// forward, and one back for each target. `explainer`: of the same network and options; it says
/// how the output is read. `reference`: as Explainer::set_reference() takes it, of task embedding;
/// else null. A detector that finds nothing explains its best box, however low its score. Throws
/// UserError(kUsage) for a method that needs more than that run, or a gradient that the network
/// does not give.
LayerMaps map_layers(const Network& network, const Explainer& explainer,
                     const ExplainOptions& options, const Blob& picture,
                     const Blob* reference = nullptr);

/// The heat of a layer that has a map, height x width: as an explanation in style gradcam has it.
/// Throws std::runtime_error if it holds a NaN or an infinity.
HeatMap heat_of(const LayerMap& map, int height, int width);

}  // namespace gradcam
