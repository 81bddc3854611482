#include "stages/explain/import/layer_names.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/explain/import/openvino_models.h"

namespace gradcam {
namespace {

using Names = std::map<std::string, std::vector<std::string>>;

Port named(const Port& value, const std::string& name) {
  value.get_node()->set_friendly_name(name);
  return value;
}

/// By the name in the file.
Names names_in(const std::shared_ptr<ov::Model>& model) {
  std::vector<std::shared_ptr<ov::Node>> nodes;
  for (const auto& node : model->get_ordered_ops()) {
    const std::string type = node->get_type_name();
    if (type != "Parameter" && type != "Constant" && type != "Result") nodes.push_back(node);
  }
  Names names;
  for (const auto& [node, own] : layer_names(nodes)) names[node->get_friendly_name()] = own;
  return names;
}

using Words = std::vector<std::string>;

/// As OpenVINO's converter writes a network of PyTorch that has one activation for all, with the
/// path of the last that registered it.
TEST(LayerNames, AnActivationThatModulesShareEndsEachOfThem) {
  const auto block = [](const Port& x, const std::string& module, const std::string& act) {
    const Port bn =
        named(x * numbers({1, 3, 1, 1}, 3), "__module." + module + ".bn/aten::norm/Mul");
    const Port sigmoid = named(add<op::Sigmoid>(bn), "__module.last.act/aten::sigmoid/" + act);
    return named(bn * sigmoid, "__module.last.act/aten::mul/" + act + "_mul");
  };
  const auto names = names_in(model_of({1, 3, 8, 8}, [&](const Port& x) {
    const Port first = block(x, "stem", "a");
    const Port sum = named(first + block(first, "mid.cv1", "b"), "__module.mid/aten::add/Add");
    return block(named(add<op::Relu>(sum), "__module.last.act/aten::sigmoid/c"), "last", "d");
  }));
  EXPECT_EQ(names.at("__module.stem.bn/aten::norm/Mul"), Words{"stem.bn"});
  EXPECT_EQ(names.at("__module.last.act/aten::sigmoid/a"), Words{"stem.act.a"});
  EXPECT_EQ(names.at("__module.last.act/aten::mul/a_mul"),
            (Words{"stem", "stem.act", "stem.act.a_mul"}));
  EXPECT_EQ(names.at("__module.last.act/aten::mul/b_mul"),
            (Words{"mid.cv1", "mid.cv1.act", "mid.cv1.act.b_mul"}));
  // The block that adds calls it itself.
  EXPECT_EQ(names.at("__module.last.act/aten::sigmoid/c"), (Words{"mid", "mid.act"}));
  EXPECT_EQ(names.at("__module.last.act/aten::mul/d_mul"),
            (Words{"last", "last.act", "last.act.d_mul"}));
}

/// What several of its nodes use is no sign of it: a block that calls its own ReLU twice, and one
/// pooling of the whole network.
TEST(LayerNames, AModuleThatItsOwnerCallsTwiceKeepsItsName) {
  const auto names = names_in(model_of({1, 3, 8, 8}, [](const Port& x) {
    const Port first = named(x * number(2), "__module.layer.conv1/aten::conv/Conv");
    const Port one = named(add<op::Relu>(first), "__module.layer.relu/aten::relu/Relu");
    const Port second = named(one * number(3), "__module.layer.conv2/aten::conv/Conv");
    const Port sum = named(second + x, "__module.layer/aten::add/Add");
    const Port two = named(add<op::Relu>(sum), "__module.layer.relu/aten::relu/Relu_1");
    const Port pool = named(add<op::Sin>(two), "__module.pool/aten::pool/Pool");
    const Port next = named(pool * number(4), "__module.next.conv/aten::conv/Conv");
    return named(add<op::Sin>(next), "__module.pool/aten::pool/Pool_1");
  }));
  EXPECT_EQ(names.at("__module.layer.relu/aten::relu/Relu"), Words{"layer.relu.Relu"});
  EXPECT_EQ(names.at("__module.layer.relu/aten::relu/Relu_1"),
            (Words{"layer", "layer.relu", "layer.relu.Relu_1"}));
  EXPECT_EQ(names.at("__module.pool/aten::pool/Pool"), Words{"pool.Pool"});
  EXPECT_EQ(names.at("__module.next.conv/aten::conv/Conv"), (Words{"next", "next.conv"}));
  EXPECT_EQ(names.at("__module.pool/aten::pool/Pool_1"), (Words{"pool", "pool.Pool_1"}));
}

/// Levels of a pyramid that go through one head do not lie behind each other.
TEST(LayerNames, AHeadOfSeveralLevelsKeepsItsName) {
  const auto names = names_in(model_of({1, 3, 8, 8}, [](const Port& x) {
    const Port one = named(x * number(2), "__module.neck.a/aten::conv/Conv");
    const Port two = named(one * number(3), "__module.neck.b/aten::conv/Conv");
    const Port first = named(add<op::Relu>(one), "__module.head.box.conv/aten::conv/Conv");
    const Port second = named(add<op::Relu>(two), "__module.head.box.conv/aten::conv/Conv_1");
    return named(first + second, "aten::add/Add");
  }));
  EXPECT_EQ(names.at("__module.neck.b/aten::conv/Conv"), (Words{"neck", "neck.b"}));
  EXPECT_EQ(names.at("__module.head.box.conv/aten::conv/Conv"), Words{"head.box.conv.Conv"});
  EXPECT_EQ(names.at("__module.head.box.conv/aten::conv/Conv_1"),
            (Words{"head", "head.box", "head.box.conv", "head.box.conv.Conv_1"}));
}

}  // namespace
}  // namespace gradcam
