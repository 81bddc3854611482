#include "stages/explain/model/read_description.h"

#include <gtest/gtest.h>

#include <sstream>

#include "config/user_error.h"
#include "stages/explain/model/ultralytics.h"
#include "stages/explain/model/write_description.h"
#include "stages/explain/tasks/task.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error_matchers.h"

namespace gradcam {
namespace {

class Description : public testing::Test {
 protected:
  TempFolder folder_;
};

TEST_F(Description, EveryKeyIsRead) {
  const auto d = parse_description(
      R"({"input_size":[66,200],"resize":"letterbox","antialias":false,"pad_value":7,
          "pad_align":"top-left","crop":[0.1,0.2,0.9,1.0],"color":"bgr","scale":1,
          "mean":[1,2,3],"std":[4,5,6],"task":"multilabel","layer":["a","b"],
          "labels":["x","y"],"output":{"select":1,"activation":"none"},"name":"n",
          "source":"s","licence":"l","note":"t","verified":{},"stamp":{}})",
      "d", "");
  EXPECT_EQ(d.input_height, 66);
  EXPECT_EQ(d.input_width, 200);
  EXPECT_EQ(d.resize, ResizeMode::kLetterbox);
  EXPECT_FALSE(d.antialias);
  EXPECT_EQ(d.pad_value, 7);
  EXPECT_EQ(d.pad_align, PadAlign::kTopLeft);
  EXPECT_EQ(d.crop, (std::array<double, 4>{0.1, 0.2, 0.9, 1.0}));
  EXPECT_EQ(d.color, ColorOrder::kBgr);
  EXPECT_EQ(d.scale, 1);
  EXPECT_EQ(d.mean, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(d.std, (std::array<double, 3>{4, 5, 6}));
  EXPECT_EQ(task_of(d).name, "multilabel");
  EXPECT_EQ(d.activation, ScoreActivation::kNone);
  EXPECT_EQ(d.output.index, 1);
  EXPECT_EQ(d.layers, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(d.labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_FALSE(d.assumed);
}

TEST_F(Description, OneChannelAndOneNumberForAllAreTaken) {
  const auto d =
      parse_description(R"({"input_size":[4,1],"color":"gray","mean":0.5,"std":[0.25]})", "d", "");
  EXPECT_EQ(d.input_height, 4);
  EXPECT_EQ(d.input_width, 1);
  EXPECT_EQ(d.channels(), 1);
  EXPECT_EQ(d.mean, (std::array<double, 3>{0.5, 0.5, 0.5}));
  EXPECT_EQ(d.std, (std::array<double, 3>{0.25, 0.25, 0.25}));
}

TEST_F(Description, DetectorsAndTokensAreDescribed) {
  const auto d = parse_description(
      R"({"task":"detection","threshold":0.4,"tokens":{"drop":1,"grid":[14,12]},
          "output":{"select":"boxes","format":"yolox","decoded":false}})",
      "d", "");
  EXPECT_EQ(task_of(d).name, "detection");
  EXPECT_EQ(d.threshold, 0.4);
  EXPECT_EQ(d.output.name, "boxes");
  EXPECT_EQ(d.boxes.format, BoxFormat::kYolox);
  EXPECT_FALSE(d.boxes.decoded);
  ASSERT_TRUE(d.tokens.has_value());
  EXPECT_EQ(d.tokens->drop, 1);
  EXPECT_EQ(d.tokens->height, 14);
  EXPECT_EQ(d.tokens->width, 12);
}

TEST_F(Description, AnchoredHeadsAreDescribed) {
  const std::string text =
      R"({"task":"detection","output":{"select":["boxes",1],"format":"raw-heads","decoded":false,
          "activation":"softmax","background":0,"variances":[0.1,0.1,0.2,0.2],"anchors":)";
  folder_.file("anchors.json", "[[1,2,3,4],[5,6,7.5,8]]");
  for (const char* anchors : {"[[1,2,3,4],[5,6,7.5,8]]", "\"anchors.json\""}) {
    const auto d = parse_description(text + anchors + "}}", "d", folder_.path().string());
    ASSERT_EQ(d.output.parts.size(), 2U);
    EXPECT_EQ(d.output.parts[0].name, "boxes");
    EXPECT_EQ(d.output.parts[1].index, 1);
    EXPECT_EQ(d.boxes.scores, ScoreActivation::kSoftmax);
    EXPECT_EQ(d.boxes.background, 0);
    EXPECT_EQ(d.boxes.variances, (std::array<float, 4>{0.1F, 0.1F, 0.2F, 0.2F}));
    EXPECT_EQ(d.boxes.anchors, (std::vector<std::array<float, 4>>{{1, 2, 3, 4}, {5, 6, 7.5F, 8}}));
  }
}

TEST_F(Description, MultilabelScoresAreSigmoidsUnlessSaid) {
  EXPECT_EQ(parse_description(R"({"task":"multilabel"})", "d", "").activation,
            ScoreActivation::kSigmoid);
}

TEST_F(Description, TheTaskDecidesTheThresholdUnlessItIsSaid) {
  EXPECT_EQ(parse_description(R"({"task":"multilabel"})", "d", "").threshold, 0.3);
  EXPECT_EQ(parse_description(R"({"task":"segmentation"})", "d", "").threshold, 0.5);
  EXPECT_EQ(parse_description(R"({"threshold":0.7,"task":"segmentation"})", "d", "").threshold,
            0.7);
}

TEST_F(Description, OnlyAnActivationThatIsSaidCountsAsGiven) {
  EXPECT_FALSE(parse_description(R"({"task":"multilabel"})", "d", "").activation_given);
  EXPECT_TRUE(
      parse_description(R"({"output":{"activation":"softmax"}})", "d", "").activation_given);
}

constexpr const char* kUltralytics =
    R"({"description":"a classifier","stride":1,"task":"classify","imgsz":[64,96],
        "names":{"0":"tench","1":"cock"}})";

TEST_F(Description, AClassifierOfUltralyticsDescribesItself) {
  const std::string model = (folder_ / "yolo-cls.pt").string();
  const auto d = find_description(model, "", ultralytics_metadata(kUltralytics));
  EXPECT_FALSE(d.assumed);
  EXPECT_EQ(d.input_height, 64);
  EXPECT_EQ(d.input_width, 96);
  EXPECT_EQ(d.resize, ResizeMode::kCenterCrop);
  EXPECT_EQ(d.mean, (std::array<double, 3>{0, 0, 0}));
  EXPECT_EQ(d.std, (std::array<double, 3>{1, 1, 1}));
  EXPECT_EQ(d.activation, ScoreActivation::kNone);
  EXPECT_TRUE(d.activation_given);
  EXPECT_EQ(d.labels, (std::vector<std::string>{"tench", "cock"}));
}

TEST_F(Description, LabelsOfUltralyticsFillInForThoseThatADescriptionLacks) {
  const std::string model = (folder_ / "yolo-cls.pt").string();
  const auto d =
      find_description(model, R"({"name":"inside"})", ultralytics_metadata(kUltralytics));
  EXPECT_EQ(d.input_height, 224);
  EXPECT_EQ(d.labels, (std::vector<std::string>{"tench", "cock"}));
  const auto own =
      find_description(model, R"({"labels":["a","b"]})", ultralytics_metadata(kUltralytics));
  EXPECT_EQ(own.labels, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Description, OtherTextsUnderThatNameAreLeftAlone) {
  const std::string model = (folder_ / "net.pt").string();
  for (const char* text : {"", "learning_rate: 0.1", "[1, 2]", R"({"task":"depth","imgsz":[8,8]})",
                           R"({"task":"classify"})", R"({"task":"classify","imgsz":[8,"b"]})",
                           R"({"task":3,"imgsz":[8,0],"names":[["a"]]})"}) {
    const auto d = find_description(model, "", ultralytics_metadata(text));
    EXPECT_TRUE(d.assumed) << text;
    EXPECT_TRUE(d.labels.empty()) << text;
  }
}

TEST_F(Description, SizeAndLabelsOfYolov5AreTakenWhereNothingElseSaysThem) {
  const std::string model = (folder_ / "yolov5s.pt").string();
  const auto metadata =
      ultralytics_metadata(R"({"shape":[1,3,64,96],"stride":32,"names":["a","b"]})");
  const auto d = find_description(model, "", metadata);
  EXPECT_TRUE(d.assumed);
  EXPECT_EQ(d.input_height, 64);
  EXPECT_EQ(d.input_width, 96);
  EXPECT_EQ(d.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(find_description(model, R"({"name":"inside"})", metadata).input_height, 224);
}

TEST_F(Description, AFileThatTakesBytesAndGrayKeepsThem) {
  ModelDescription usual;
  usual.scale = 1;
  usual.color = ColorOrder::kGray;
  const auto d = find_description("m.tflite", "",
                                  ultralytics_metadata(R"({"task":"detect","imgsz":8})"), usual);
  EXPECT_EQ(task_of(d).name, "detection");
  EXPECT_EQ(d.scale, 1);
  EXPECT_EQ(d.channels(), 1);
}

TEST_F(Description, FormatsOfDetectorsAreDescribed) {
  const auto layout_of = [](const std::string& output) {
    return parse_description(R"({"task":"detection","output":)" + output + "}", "d", "").boxes;
  };
  const BoxLayout detr = layout_of(
      R"({"select":["pred_boxes","logits"],"format":"detr","activation":"softmax","background":9})");
  EXPECT_EQ(detr.format, BoxFormat::kDetr);
  EXPECT_EQ(detr.scores, ScoreActivation::kSoftmax);
  EXPECT_EQ(detr.background, 9);
  EXPECT_FALSE(detr.numbers.has_value());
  const BoxLayout masks = layout_of(R"({"format":"yolov8","extra":32})");
  EXPECT_EQ(masks.extra, 32);
  const BoxLayout turned = layout_of(R"({"format":"yolov8","rotated":true})");
  EXPECT_TRUE(turned.rotated);
  EXPECT_EQ(turned.extra, 1);
  const BoxLayout chosen = layout_of(R"({"format":"end-to-end","rotated":true})");
  EXPECT_EQ(chosen.numbers, BoxNumbers::kCentre);
  EXPECT_EQ(layout_of(R"({"format":"raw-heads","boxes":"shares"})").numbers, BoxNumbers::kShares);
}

TEST_F(Description, MistakesNameTheKey) {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"inputsize":[1,2]})", "inputsize"},
      {R"({"input_size":[224]})", "input_size"},
      {R"({"resize":"squash"})", "squash"},
      {R"({"crop":[0.5,0,0.4,1]})", "crop"},
      {R"({"std":[1,0,1]})", "std"},
      {R"({"scale":-1})", "scale"},
      {R"({"labels":[1]})", "labels"},
      {R"({"output":{"selekt":0}})", "output.selekt"},
      {R"({"pad_value":256})", "pad_value"},
      {R"([1])", "JSON object"},
      {R"({"threshold":2})", "threshold"},
      {R"({"tokens":{"drop":1}})", "tokens.grid"},
      {R"({"output":{"format":"yolov9"}})", "yolov9"},
      {R"({"output":{"select":["a"]}})", "output.select"},
      {R"({"task":"detection","output":{"format":"yolov8","decoded":false}})", "output.decoded"},
      {R"({"task":"detection","output":{"format":"raw-heads","decoded":false}})", "output.anchors"},
      {R"({"output":{"format":"yolox"}})", "task detection"},
      {R"({"task":"detection","output":{"format":"yolox","background":0}})", "raw-heads"},
      {R"({"task":"detection"})",
       "'output.format': is missing; allowed: detr, end-to-end, raw-heads, yolov5, yolov8, yolox"},
      {R"({"task":"detection","output":{"decoded":true}})", "output.format"},
      {R"({"task":"detection","output":{"format":"yolov8","activation":"sigmoid"}})", "activation"},
      {R"({"task":"detection","output":{"format":"detr"}})",
       "'output.activation': is missing; allowed: sigmoid (RT-DETR"},
      {R"({"task":"detection","output":{"format":"end-to-end","background":0}})",
       "'output.background': goes with format raw-heads or detr"},
      {R"({"task":"detection","output":{"format":"yolox","rotated":true}})", "output.rotated"},
      {R"({"task":"detection","output":{"format":"yolov8","rotated":true,"boxes":"corners"}})",
       "'output.rotated': goes with boxes centre"},
      {R"({"task":"detection","output":{"format":"yolox","decoded":false,"boxes":"centre"}})",
       "'output.boxes': goes with decoded true"},
      {R"({"task":"detection","output":{"format":"yolov8","boxes":"edges"}})",
       "\"edges\" is not one of centre, corners, shares"},
      {R"({"task":"detection","output":{"format":"yolov8","extra":-1}})", "output.extra"},
      {R"({"output":{"extra":1}})", "'output.extra': goes with task detection"},
      {R"({"scale":1e999})", "too large"},
      {R"({"output":[]})", "key 'output': must be"},
      {R"({"output":{"anchors":[[1,2,3]]}})", "output.anchors"},
      {R"({"output":{"anchors":[]}})", "output.anchors"},
      {R"({"output":{"variances":0.1}})", "output.variances"},
      {R"({"output":{"background":-1}})", "output.background"},
      {R"({"task":)", "not valid JSON"},
      {R"({"task":"poetry"})", "task"}};
  for (const auto& [json, mentions] : bad) {
    try {
      parse_description(json, "d.json", "");
      ADD_FAILURE() << json << " was accepted";
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel);
      EXPECT_NE(std::string(error.what()).find(mentions), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).rfind("d.json", 0), 0U) << error.what();
    }
  }
}

TEST_F(Description, TasksAreThoseOfTheTable) {
  std::string names;
  for (const Task* task : all_tasks()) {
    const std::string name(task->name);
    names += (names.empty() ? "" : ", ") + name;
    std::ostringstream text;
    text << R"({"task":")" << name << '"'
         << (task->boxes ? R"(,"output":{"format":"yolox"}})" : "}");
    const auto d = parse_description(text.str(), "d.json", "");
    EXPECT_EQ(d.task, task) << name;
    EXPECT_EQ(d.activation, task->activation) << name;
  }
  EXPECT_USER_ERROR(parse_description(R"({"task":"poetry"})", "d.json", ""), ExitCode::kModel,
                    "d.json: key 'task': \"poetry\" is not one of " + names);
}

TEST_F(Description, TheFileBesideWinsOverTheEmbeddedText) {
  const std::string model = (folder_ / "net.pt").string();
  EXPECT_TRUE(find_description(model, "").assumed);
  EXPECT_EQ(find_description(model, R"({"name":"inside"})").name, "inside");
  folder_.file("labels.txt", "cat\ndog\n");
  folder_.file("net.json", R"({"name":"beside","labels_file":"labels.txt"})");
  const auto d = find_description(model, R"({"name":"inside"})");
  EXPECT_EQ(d.name, "beside");
  EXPECT_EQ(d.labels, (std::vector<std::string>{"cat", "dog"}));
}

TEST_F(Description, TheInputIsWrittenAsItIsRead) {
  for (const std::string& text : {
           std::string(R"({"input_size":[66,200],"resize":"letterbox","antialias":false,)"
                       R"("pad_value":7,"pad_align":"top-left","crop":[0.1,0.2,0.9,1.0],)"
                       R"("color":"bgr","scale":1.0,"mean":[1.0,2.0,3.0],"std":[4.0,5.0,0.225]})"),
           std::string(R"({"input_size":[4,1],"resize":"center-crop","antialias":true,)"
                       R"("color":"gray","scale":255.0,"mean":[0.5,0.5,0.5],)"
                       R"("std":[0.25,0.25,0.25]})"),
           std::string(R"({"input_size":[224,224],"resize":"stretch","antialias":true,)"
                       R"("color":"rgb","scale":255.0,"mean":[0.485,0.456,0.406],)"
                       R"("std":[0.229,0.224,0.225]})"),
       }) {
    EXPECT_EQ(input_as_json(parse_description(text, "d", "")), text);
  }
  EXPECT_EQ(input_as_json({}), input_as_json(parse_description("{}", "d", "")));
}

}  // namespace
}  // namespace gradcam
