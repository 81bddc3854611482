#include "stages/explain/import/fp32_layers.h"

#include <algorithm>
#include <openvino/op/group_conv.hpp>
#include <openvino/openvino.hpp>
#include <string>

namespace gradcam {
namespace {

/// A network of one layer that has the mark. OpenVINO's headers do not declare it, but its files
/// hold it. The CPU plugin asks for f16 where it means f16 and bf16.
constexpr const char* kMarked = R"(<?xml version="1.0"?>
<net name="marked" version="11">
 <layers>
  <layer id="0" name="x" type="Parameter" version="opset1">
   <data shape="1" element_type="f32"/>
   <output><port id="0" precision="FP32"><dim>1</dim></port></output>
  </layer>
  <layer id="1" name="marked" type="ReLU" version="opset1">
   <rt_info>
    <attribute name="DisablePrecisionConversion" version="0" value="dynamic:bf16,f16"/>
   </rt_info>
   <input><port id="0" precision="FP32"><dim>1</dim></port></input>
   <output><port id="1" precision="FP32"><dim>1</dim></port></output>
  </layer>
  <layer id="2" name="y" type="Result" version="opset1">
   <input><port id="0" precision="FP32"><dim>1</dim></port></input>
  </layer>
 </layers>
 <edges>
  <edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
  <edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>
 </edges>
</net>)";

ov::RTMap read_mark() {
  try {
    const auto model = ov::Core().read_model(kMarked, ov::Tensor());
    for (const auto& node : model->get_ops()) {
      if (node->get_friendly_name() == "marked") return node->get_rt_info();
    }
  } catch (const std::exception&) {  // another OpenVINO, without it
  }
  return {};
}

/// Weights of a GroupConvolution are [groups, outputs of one, inputs of one, ...].
bool is_depthwise(const std::shared_ptr<ov::Node>& node) {
  if (!ov::is_type<ov::op::v1::GroupConvolution>(node)) return false;
  const ov::PartialShape& weights = node->get_input_partial_shape(1);
  return weights.rank().is_static() && weights.size() > 2 && weights[2] == 1;
}

}  // namespace

void keep_first_depthwise_in_fp32(ov::Model& model) {
  static const ov::RTMap kMark = read_mark();
  const auto nodes = model.get_ordered_ops();
  const auto first = std::ranges::find_if(nodes, is_depthwise);
  if (first == nodes.end()) return;
  for (const auto& [key, value] : kMark) (*first)->get_rt_info()[key] = value;
}

}  // namespace gradcam
