#pragma once

#include <cstdint>
#include <map>
#include <openvino/core/attribute_visitor.hpp>
#include <openvino/core/node.hpp>
#include <string>
#include <vector>

namespace gradcam {

/// The attributes of an operation of OpenVINO by name, whichever operation set its class is of, so
/// that one rule serves all versions of an operation. Those of an enumeration come as texts, and
/// those inside a structure with the name of both: "auto_broadcast.type".
class Attributes : public ov::AttributeVisitor {
 public:
  /// Reads only.
  explicit Attributes(const ov::Node& node);

  std::string text(const std::string& name, const std::string& otherwise = "") const;
  std::vector<std::int64_t> ints(const std::string& name,
                                 const std::vector<std::int64_t>& otherwise = {}) const;
  std::int64_t integer(const std::string& name, std::int64_t otherwise = 0) const;
  bool flag(const std::string& name, bool otherwise = false) const;
  double real(const std::string& name, double otherwise = 0) const;

  using ov::AttributeVisitor::on_adapter;
  void on_adapter(const std::string& name, ov::ValueAccessor<void>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<void*>& value) override;
  void on_adapter(const std::string& name,
                  ov::ValueAccessor<std::shared_ptr<ov::Model>>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<std::string>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<bool>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<std::int64_t>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<std::int32_t>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<std::uint64_t>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<float>& value) override;
  void on_adapter(const std::string& name, ov::ValueAccessor<double>& value) override;
  void on_adapter(const std::string& name,
                  ov::ValueAccessor<std::vector<std::int64_t>>& value) override;
  void on_adapter(const std::string& name,
                  ov::ValueAccessor<std::vector<std::uint64_t>>& value) override;
  void on_adapter(const std::string& name,
                  ov::ValueAccessor<std::vector<std::int32_t>>& value) override;

 private:
  template <typename Numbers>
  void keep(const std::string& name, const Numbers& numbers) {
    ints_[name] = {numbers.begin(), numbers.end()};
  }

  std::map<std::string, std::string> texts_;
  std::map<std::string, std::vector<std::int64_t>> ints_;
  std::map<std::string, double> reals_;
};

}  // namespace gradcam
