#include <algorithm>

#include "stages/explain/tasks/class_scores.h"
#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

int count_classes(OutputShape shape, const ModelDescription&) {
  if (shape.size() == 2) return 1;
  if (shape.size() != 3) refuse_shape(shape, "segmentation", "[classes, height, width]");
  return static_cast<int>(shape[0]);
}

/// A mask of one channel, [1, h, w] or [h, w]: how sure the network is of the one class that it
/// knows, at each place.
bool is_mask(OutputShape shape) {
  return shape.size() == 2 || (shape.size() == 3 && shape[0] == 1);
}

/// No class anywhere yet.
ClassMap empty_map(OutputShape shape) {
  const std::int64_t height = shape[shape.size() - 2];
  const std::int64_t width = shape.back();
  return {static_cast<int>(height), static_cast<int>(width),
          std::vector(static_cast<std::size_t>(height * width), ClassMap::kNoClass)};
}

/// A mask is read by a sigmoid. Of two labels the first is that of all other places.
void complete_mask(ModelDescription& description, OutputShape shape) {
  if (!is_mask(shape)) return;
  const bool shares = description.activation == ScoreActivation::kNone;
  if (!shares || !description.activation_given) description.activation = ScoreActivation::kSigmoid;
  if (description.labels.size() == 2) description.labels.erase(description.labels.begin());
}

/// The best class of each place, of scores [C, h, w].
ClassMap best_of_places(const OutputView& output) {
  ClassMap map = empty_map(output.shape);
  const std::size_t places = map.classes.size();
  map.classes.assign(places, 0);
  std::vector<float> best(output.values.begin(),
                          output.values.begin() + static_cast<std::ptrdiff_t>(places));
  for (std::size_t c = 1; c < static_cast<std::size_t>(output.shape[0]); ++c) {
    const float* const scores = output.values.data() + c * places;
    for (std::size_t i = 0; i < places; ++i) {
      if (scores[i] <= best[i]) continue;
      best[i] = scores[i];
      map.classes[i] = static_cast<std::uint16_t>(c);
    }
  }
  return map;
}

/// Of a mask: class 0 where its share is above the threshold.
ClassMap mask_of(const OutputView& output, const ModelDescription& description) {
  ClassMap map = empty_map(output.shape);
  const std::vector<float> shares = activated(output.values, description.activation);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (static_cast<double>(shares[i]) > description.threshold) map.classes[i] = 0;
  }
  return map;
}

/// The places whose middle lies in the region.
std::vector<std::int64_t> places_in(const ClassMap& map, const std::array<double, 4>& region) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::ssize(map.classes); ++i) {
    const double x = (static_cast<double>(i % map.width) + 0.5) / map.width;
    const std::int64_t row = i / map.width;
    const double y = (static_cast<double>(row) + 0.5) / map.height;
    if (x >= region[0] && y >= region[1] && x <= region[2] && y <= region[3]) places.push_back(i);
  }
  return places;
}

/// The mean score of a class over those of the places where it is the best, or over all of them if
/// it is nowhere.
Scalar mean_over_mask(const ClassMap& map, int index, const std::vector<std::int64_t>& places) {
  const std::int64_t first = index * std::ssize(map.classes);
  Seed terms;
  Seed all;
  for (const std::int64_t place : places) {
    all.push_back({first + place, 1});
    if (map.classes[static_cast<std::size_t>(place)] == index) terms.push_back(all.back());
  }
  if (terms.empty()) terms = std::move(all);
  for (SeedTerm& term : terms) term.weight = 1 / static_cast<float>(terms.size());
  return Scalar::sum(std::move(terms));
}

/// The share of the places that each class has.
std::vector<float> shares_of(const ClassMap& map, const std::vector<std::int64_t>& places,
                             std::size_t classes) {
  std::vector<float> shares(classes, 0);
  for (const std::int64_t place : places) {
    const std::uint16_t index = map.classes[static_cast<std::size_t>(place)];
    if (index != ClassMap::kNoClass) shares[index] += 1;
  }
  const float all = std::max(static_cast<float>(places.size()), 1.F);
  for (float& share : shares) share /= all;
  return shares;
}

/// A class's score is its share of the region.
OutputReading read(const OutputView& output, const ModelDescription& description,
                   const ReadingOptions& options) {
  OutputReading reading;
  reading.classes = is_mask(output.shape) ? mask_of(output, description) : best_of_places(output);
  const std::vector<std::int64_t> places = places_in(*reading.classes, options.region);
  const int classes = count_classes(output.shape, description);
  const std::vector<float> shares =
      shares_of(*reading.classes, places, static_cast<std::size_t>(classes));
  for (const int index : best_classes(shares, kTopShown)) {
    reading.top.push_back(class_score(index, shares, description.labels));
  }
  for (const int index : chosen_classes(options.target, shares)) {
    reading.targets.push_back({class_score(index, shares, description.labels),
                               mean_over_mask(*reading.classes, index, places),
                               {}});
  }
  return reading;
}

}  // namespace

/// A class for each place of the picture: scores [C, h, w]; of a single class [1, h, w] or [h, w],
/// a mask.
extern const Task kSegmentation = {.name = "segmentation",
                                   .networks = "segmentations",
                                   .usual_threshold = 0.5,
                                   .places = true,
                                   .classes = &count_classes,
                                   .complete = &complete_mask,
                                   .read = &read};

}  // namespace gradcam
