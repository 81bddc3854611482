#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <openvino/core/model.hpp>
#include <set>
#include <string>

namespace gradcam {

/// What of a network does not depend on the picture: weights, and what is computed from weights
/// and shapes alone. Front ends spell a bias as four nodes of such.
class KnownValues {
 public:
  /// All shapes of the model are known.
  explicit KnownValues(const ov::Model& model);

  bool depends_on_picture(const ov::Output<ov::Node>& port) const {
    return varying_.contains(port.get_node());
  }
  /// The value: float for any real type, int64 for any whole one, bool. That of a float constant
  /// shares the model's memory and keeps it. Throws std::runtime_error that names the operation
  /// that cannot be computed.
  at::Tensor of(const ov::Output<ov::Node>& port);
  /// The same in the type that it has there.
  ov::Tensor computed(const ov::Output<ov::Node>& port);

 private:
  std::set<const ov::Node*> varying_;
  std::map<ov::Output<ov::Node>, ov::Tensor> computed_;
};

/// Puts values in the places of what does not depend on the picture: where OpenVINO cannot tell the
/// shape (an If that asks about one, the places that a mask of constants leaves), and where it
/// would compute long. What cannot be computed stays. The model's input has a known shape.
void settle_known_values(ov::Model& model);

/// "Convolution (/layer1/conv1/Conv)": an operation, for messages.
std::string named(const ov::Node& node);

}  // namespace gradcam
