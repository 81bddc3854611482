#include "stages/explain/tasks/output_reading.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "config/user_error.h"
#include "stages/frame/shape_text.h"

namespace gradcam {
namespace {

constexpr int kTopShown = 5;
constexpr std::size_t kMostBoxes = 10;  ///< that are explained, each by a gradient of its own
constexpr float kNmsIou = 0.45F;        ///< of YOLOX's and Ultralytics' demos
const std::string kLike = "likeness";

std::string label_of(int index, const std::vector<std::string>& labels) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::string();
}

/// The class that `auto` explains: the best, or the one of the frame before as long as that does
/// not fall behind by more than the hysteresis.
int held_class(int best, const std::vector<float>& scores, const Reading& reading) {
  if (reading.memory == nullptr) return best;
  std::optional<int>& held = reading.memory->held;
  const auto score_of = [&](int index) {
    return static_cast<double>(scores[static_cast<std::size_t>(index)]);
  };
  const bool stays = held && static_cast<std::size_t>(*held) < scores.size() &&
                     score_of(best) - score_of(*held) <= reading.hysteresis;
  if (!stays) held = best;
  return *held;
}

/// Of classification, multilabel and regression with several values: one number for each class.
Verdict judge_classes(const OutputView& output, const ModelDescription& description,
                      const Reading& reading) {
  const std::vector<float> scores = activated(output.values, description.activation);
  Verdict verdict;
  const std::vector<int> best = best_classes(scores, kTopShown);
  for (const int index : best) {
    verdict.top.push_back(class_score(index, scores, description.labels));
  }
  std::vector<int> chosen = chosen_classes(reading.target, scores);
  if (reading.target.automatic && reading.hysteresis > 0 && !chosen.empty()) {
    chosen = {held_class(chosen[0], scores, reading)};
  }
  if (description.task == Task::kMultilabel && reading.target.automatic) {
    // All that are there, or else the one that comes nearest.
    chosen.clear();
    for (const int index : best) {
      const bool there =
          static_cast<double>(scores[static_cast<std::size_t>(index)]) >= description.threshold;
      if (there || chosen.empty()) chosen.push_back(index);
    }
  }
  for (const int index : chosen) {
    verdict.aims.push_back({class_score(index, scores, description.labels),
                            reading.leads ? Scalar::lead(index) : Scalar::sum({{index, 1}}),
                            {}});
  }
  return verdict;
}

/// What speaks for the value as it is, for more of it, or for less.
Verdict judge_value(const OutputView& output, const ModelDescription& description,
                    const Reading& reading) {
  const std::vector<float> values = activated(output.values, description.activation);
  Verdict verdict;
  for (int i = 0; i < std::min<int>(kTopShown, static_cast<int>(values.size())); ++i) {
    verdict.top.push_back(class_score(i, values, description.labels));
  }
  const int place = reading.target.index >= 0 ? reading.target.index : reading.target.rank - 1;
  const int index = std::clamp(place, 0, static_cast<int>(values.size()) - 1);
  const ClassScore value = class_score(index, values, description.labels);
  using Push = TargetChoice::Push;
  const bool down =
      reading.target.push == Push::kDown || (reading.target.push == Push::kKeep && value.score < 0);
  verdict.aims.push_back({value, Scalar::sum({{index, down ? -1.F : 1.F}}), {}});
  return verdict;
}

Verdict judge_likeness(const OutputView& output, const Reading& reading) {
  if (!reading.reference) throw std::runtime_error("there is no reference picture");
  const Scalar scalar = Scalar::cosine(reading.reference);
  const ClassScore likeness{0, kLike, static_cast<float>(scalar.value(output.values))};
  Verdict verdict;
  verdict.top = {likeness};
  verdict.aims = {{likeness, scalar, {}}};
  return verdict;
}

/// The best class of each place, of scores [C, h, w].
ClassMap best_of_places(const OutputView& output) {
  const auto places = static_cast<std::size_t>(output.shape[1] * output.shape[2]);
  ClassMap map{static_cast<int>(output.shape[1]), static_cast<int>(output.shape[2]), {}};
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

/// A class's score is its share of the region.
Verdict judge_places(const OutputView& output, const ModelDescription& description,
                     const Reading& reading) {
  Verdict verdict;
  verdict.classes = best_of_places(output);
  const std::vector<std::int64_t> places = places_in(*verdict.classes, reading.region);
  std::vector<float> shares(static_cast<std::size_t>(output.shape[0]), 0);
  for (const std::int64_t place : places) {
    shares[verdict.classes->classes[static_cast<std::size_t>(place)]] += 1;
  }
  const float all = std::max(static_cast<float>(places.size()), 1.F);
  for (float& share : shares) share /= all;
  for (const int index : best_classes(shares, kTopShown)) {
    verdict.top.push_back(class_score(index, shares, description.labels));
  }
  for (const int index : chosen_classes(reading.target, shares)) {
    verdict.aims.push_back({class_score(index, shares, description.labels),
                            mean_over_mask(*verdict.classes, index, places),
                            {}});
  }
  return verdict;
}

/// Which of the boxes, best first, are explained.
std::vector<std::size_t> chosen_boxes(const std::vector<DetectedObject>& objects,
                                      const TargetChoice& target) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < objects.size() && chosen.size() < kMostBoxes; ++i) {
    const bool wanted = target.all || (target.box > 0 && objects[i].id == target.box) ||
                        (target.index >= 0 && objects[i].index == target.index);
    if (wanted) chosen.push_back(i);
  }
  if (target.all || target.box > 0 || target.index >= 0) return chosen;
  const auto first = static_cast<std::size_t>(std::max(target.rank - 1, 0));
  const auto last = target.rank > 0 ? first + 1 : static_cast<std::size_t>(target.best);
  for (std::size_t i = first; i < std::min(last, objects.size()); ++i) chosen.push_back(i);
  return chosen;
}

Verdict judge_boxes(const OutputView& output, const ModelDescription& description,
                    const Reading& reading) {
  const auto detections = non_maximum_suppression(
      decode(output.values, output.shape, description.boxes, description.input_height,
             description.input_width, static_cast<float>(description.threshold)),
      kNmsIou);
  std::vector<std::int64_t> ids(detections.size(), 0);
  if (reading.memory != nullptr) ids = reading.memory->tracker.update(detections);
  Verdict verdict;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const Detection& found = detections[i];
    verdict.objects.push_back({found.box, found.index, label_of(found.index, description.labels),
                               found.score, ids[i], false});
    if (i >= kTopShown) continue;
    verdict.top.push_back({found.index, verdict.objects.back().label, found.score});
  }
  for (const std::size_t i : chosen_boxes(verdict.objects, reading.target)) {
    DetectedObject& object = verdict.objects[i];
    object.explained = true;
    verdict.aims.push_back(
        {{object.index, object.label, object.score}, scalar_of(detections[i]), object.box});
  }
  return verdict;
}

}  // namespace

Verdict judge(const OutputView& output, const ModelDescription& description,
              const Reading& reading) {
  // The sum is finite only if all are: one number to look at.
  if (!std::isfinite(std::accumulate(output.values.begin(), output.values.end(), 0.0))) {
    throw std::runtime_error("the scores hold a NaN or an infinity");
  }
  switch (description.task) {
    case Task::kClassification:
    case Task::kMultilabel:
      return judge_classes(output, description, reading);
    case Task::kRegression:
      return judge_value(output, description, reading);
    case Task::kSegmentation:
      return judge_places(output, description, reading);
    case Task::kDetection:
      return judge_boxes(output, description, reading);
    case Task::kEmbedding:
      return judge_likeness(output, reading);
  }
  throw std::logic_error("a task without a verdict");
}

std::vector<float> activated(std::span<const float> output, ScoreActivation activation) {
  std::vector<float> scores(output.begin(), output.end());
  switch (activation) {
    case ScoreActivation::kSoftmax: {
      const float highest = *std::max_element(output.begin(), output.end());
      double sum = 0;
      for (float& score : scores) sum += score = std::exp(score - highest);
      for (float& score : scores) score = static_cast<float>(score / sum);
      break;
    }
    case ScoreActivation::kSigmoid:
      for (float& score : scores) score = 1 / (1 + std::exp(-score));
      break;
    case ScoreActivation::kNone:
      break;
  }
  return scores;
}

int classes_of(const ModelDescription& description, std::span<const std::int64_t> shape,
               const std::string& model) {
  std::int64_t largest = 1;
  std::int64_t numbers = 1;
  for (const std::int64_t size : shape) {
    largest = std::max(largest, size);
    numbers *= size;
  }
  const auto refuse = [&](const std::string& task, const std::string& wanted) {
    throw UserError(ExitCode::kModel, "model '" + model + "': gives " + shape_text(shape) +
                                          " numbers for a picture, task " + task + " wants " +
                                          wanted + "; the description's task says what they mean");
  };
  const bool row = largest == numbers;  // [K], [K, 1, 1] …
  switch (description.task) {
    case Task::kSegmentation:
      if (shape.size() != 3) refuse("segmentation", "[classes, height, width]");
      return static_cast<int>(shape[0]);
    case Task::kDetection:
      try {
        return classes_in(shape, description.boxes);
      } catch (const std::runtime_error& error) {
        throw UserError(ExitCode::kModel, "model '" + model + "': " + error.what());
      }
    case Task::kRegression:
      if (!row) refuse("regression", "one value or a row of them");
      return static_cast<int>(numbers);
    case Task::kEmbedding:
      if (!row) refuse("embedding", "one row");
      return 0;
    default:
      if (!row) refuse("classification", "one row of scores");
      return static_cast<int>(numbers);
  }
}

}  // namespace gradcam
