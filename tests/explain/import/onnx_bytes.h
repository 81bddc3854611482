#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// ONNX files of elementwise nodes in a row, as Protocol Buffers write them.
namespace gradcam::onnx {

inline std::string number(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7U) bytes += static_cast<char>((value & 127U) | 128U);
  return bytes + static_cast<char>(value);
}

inline std::string whole(std::uint64_t field, std::uint64_t value) {
  return number(field << 3U) + number(value);
}

inline std::string part(std::uint64_t field, const std::string& bytes) {
  return number(field << 3U | 2U) + number(bytes.size()) + bytes;
}

/// One that takes what the node in front gives; `scopes`: as PyTorch's exporter notes them.
struct Node {
  std::string name;
  std::string type;
  std::string scopes;
};

/// A value float [1, 3, 8, 8].
inline std::string value(const std::string& name) {
  std::string shape;
  for (const std::uint64_t size : {1, 3, 8, 8}) shape += part(1, whole(1, size));
  return part(1, name) + part(2, part(1, whole(1, 1) + part(2, shape)));
}

/// `version` of the file's form, `opset` of its operations.
inline std::string model(const std::vector<Node>& nodes, std::uint64_t version = 8,
                         std::uint64_t opset = 17) {
  std::string graph;
  std::string last = "x";
  for (const Node& node : nodes) {
    std::string bytes = part(1, last) + part(2, node.name + "_out") + part(3, node.name);
    bytes += part(4, node.type);
    if (!node.scopes.empty()) {
      bytes += part(9, part(1, "pkg.torch.onnx.name_scopes") + part(2, node.scopes));
    }
    graph += part(1, bytes);
    last = node.name + "_out";
  }
  graph += part(2, "net") + part(11, value("x")) + part(12, value(last));
  return whole(1, version) + part(2, "pytorch") + part(7, graph) + part(8, whole(2, opset));
}

}  // namespace gradcam::onnx
