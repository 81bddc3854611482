#include "stages/explain/model/ultralytics.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "stages/explain/tasks/task.h"

namespace gradcam {
namespace {

using Metadata = std::map<std::string, std::string>;
using Labels = std::vector<std::string>;

/// As an ONNX file has them: what Python prints.
Metadata printed(const std::string& task) {
  return {{"description", "Ultralytics YOLO11n model trained on coco.yaml"},
          {"task", task},
          {"stride", "32"},
          {"imgsz", "[64, 96]"},
          {"names", "{0: 'person', 1: \"driver's seat\"}"},
          {"args", "{'batch': 1, 'half': False}"},
          {"end2end", "False"}};
}

TEST(Ultralytics, TasksOfItsDetectorsAreBoxes) {
  const std::map<std::string, int> extra = {
      {"detect", 0}, {"segment", 32}, {"pose", 51}, {"obb", 1}};
  for (const auto& [task, numbers] : extra) {
    const auto d = ultralytics_description(printed(task));
    ASSERT_TRUE(d.has_value()) << task;
    EXPECT_EQ(task_of(*d).name, "detection");
    EXPECT_EQ(d->input_height, 64);
    EXPECT_EQ(d->input_width, 96);
    EXPECT_EQ(d->resize, ResizeMode::kLetterbox);
    EXPECT_EQ(d->pad_value, 114);
    EXPECT_EQ(d->pad_align, PadAlign::kCenter);
    EXPECT_FALSE(d->antialias);
    EXPECT_EQ(d->color, ColorOrder::kRgb);
    EXPECT_EQ(d->scale, 255);
    EXPECT_EQ(d->mean, (std::array<double, 3>{0, 0, 0}));
    EXPECT_EQ(d->std, (std::array<double, 3>{1, 1, 1}));
    EXPECT_EQ(d->threshold, 0.25);
    EXPECT_EQ(d->activation, ScoreActivation::kNone);
    EXPECT_EQ(d->labels, (Labels{"person", "driver's seat"}));
    EXPECT_EQ(d->boxes.format, BoxFormat::kYolov8);
    EXPECT_TRUE(d->boxes.of_ultralytics);
    EXPECT_EQ(d->boxes.extra, numbers) << task;
    EXPECT_EQ(d->boxes.rotated, task == "obb");
    EXPECT_FALSE(d->assumed);
  }
}

TEST(Ultralytics, PointsAreCountedByTheirShape) {
  Metadata metadata = printed("pose");
  metadata["kpt_shape"] = "[4, 2]";
  EXPECT_EQ(ultralytics_description(metadata).value().boxes.extra, 8);
  metadata["kpt_shape"] = "[100000, 100000]";
  EXPECT_EQ(ultralytics_description(metadata).value().boxes.extra, 51);
}

TEST(Ultralytics, AnRtDetrTakesStretchedPicturesAndGivesShares) {
  Metadata metadata = printed("detect");
  metadata["description"] = "Ultralytics rtdetr-l model";
  const auto old = ultralytics_description(metadata).value();
  EXPECT_EQ(old.resize, ResizeMode::kStretch);
  EXPECT_EQ(old.boxes.format, BoxFormat::kDetr);
  EXPECT_EQ(old.boxes.numbers, BoxNumbers::kShares);
  metadata["head"] = "RTDETRDecoder";
  const auto chosen = ultralytics_description(metadata).value();
  EXPECT_EQ(chosen.boxes.format, BoxFormat::kEndToEnd);
  EXPECT_EQ(chosen.boxes.numbers, BoxNumbers::kShares);
}

TEST(Ultralytics, ClassifiersEndInASoftmax) {
  const auto d = ultralytics_description(printed("classify")).value();
  EXPECT_EQ(task_of(d).name, "classification");
  EXPECT_EQ(d.resize, ResizeMode::kCenterCrop);
  EXPECT_EQ(d.activation, ScoreActivation::kNone);
  EXPECT_TRUE(d.activation_given);
}

TEST(Ultralytics, SemanticSegmentationsAreTaken) {
  const auto d = ultralytics_description(printed("semantic")).value();
  EXPECT_EQ(task_of(d).name, "segmentation");
  EXPECT_EQ(d.resize, ResizeMode::kLetterbox);
  EXPECT_FALSE(ultralytics_description(printed("depth")).has_value());
}

TEST(Ultralytics, OneChannelIsGray) {
  Metadata metadata = printed("detect");
  metadata["channels"] = "1";
  EXPECT_EQ(ultralytics_description(metadata).value().channels(), 1);
}

TEST(Ultralytics, OneNumberIsBothSidesOfThePicture) {
  Metadata metadata = printed("detect");
  metadata["imgsz"] = "32";
  EXPECT_EQ(ultralytics_description(metadata).value().input_width, 32);
  for (const char* size : {"", "[0, 64]", "[64, 64, 64]", "[a, b]", "[64, 99999]", "{}"}) {
    metadata["imgsz"] = size;
    EXPECT_FALSE(ultralytics_description(metadata).has_value()) << size;
  }
}

TEST(Ultralytics, NamesMayComeInAnyOrderAndForm) {
  Metadata metadata = printed("detect");
  const auto labels = [&](const std::string& names) {
    metadata["names"] = names;
    return ultralytics_description(metadata).value().labels;
  };
  EXPECT_EQ(labels(R"({"0":"a","10":"k","1":"b","2":"c","3":"d","4":"e","5":"f","6":"g","7":"h",)"
                   R"("8":"i","9":"j"})")
                .at(10),
            "k");
  EXPECT_EQ(labels("['a', 'b c']"), (Labels{"a", "b c"}));
  for (const std::string& text :
       {std::string(), std::string("{0: 'a', 2: 'c'}"), std::string("{0: ['a']}"),
        std::string("{0: 'a'"), std::string("person"), std::string("{0: 'it\\'s \"it\"'}"),
        std::string("\xff\xfe\x00z", 4), std::string(100000, '['), std::string("{-1: a, 0: b}"),
        std::string("&a [*a]"), std::string("{0: ~}")}) {
    EXPECT_EQ(labels(text), Labels()) << text.substr(0, 40);
  }
}

TEST(Ultralytics, LabelsOfOpenVinosModelInfoServeWhereThereAreNoNames) {
  Metadata metadata = printed("detect");
  metadata.erase("names");
  metadata["labels"] = "traffic_light car";
  EXPECT_EQ(ultralytics_description(metadata).value().labels, Labels());
  metadata["model_type"] = "YOLO";
  EXPECT_EQ(ultralytics_description(metadata).value().labels, (Labels{"traffic_light", "car"}));
}

TEST(Ultralytics, MetadataIsReadFromJsonAndYaml) {
  const char* const json =
      R"({"task":"detect","imgsz":[64,96],"names":{"0":"a","1":"b"},"end2end":false})";
  const char* const yaml =
      "description: Ultralytics YOLO11n model trained on\n  /data/coco.yaml\n"
      "task: detect\nimgsz:\n- 64\n- 96\nnames:\n  0: a\n  1: b\nargs:\n  half: false\n";
  for (const char* text : {json, yaml}) {
    const Metadata metadata = ultralytics_metadata(text);
    EXPECT_EQ(metadata.at("task"), "detect");
    const auto d = ultralytics_description(metadata).value();
    EXPECT_EQ(d.input_width, 96);
    EXPECT_EQ(d.labels, (Labels{"a", "b"}));
  }
}

TEST(Ultralytics, WhatIsNeitherJsonNorYamlHoldsNothing) {
  for (const std::string& text :
       {std::string(), std::string("plain words"), std::string("[1, 2]"), std::string("{\"task\":"),
        std::string(5000, '{'), std::string("a: b: c"), std::string("\x00\xff\xfe", 3),
        std::string("? [a]\n: b")}) {
    EXPECT_TRUE(ultralytics_metadata(text).empty()) << text.substr(0, 40);
  }
}

}  // namespace
}  // namespace gradcam
