#include "stages/explain/import/attributes.h"

namespace gradcam {
namespace {

template <typename Map, typename Value>
Value value_in(const Map& map, const std::string& name, const Value& otherwise) {
  const auto found = map.find(name);
  return found == map.end() ? otherwise : found->second;
}

}  // namespace

Attributes::Attributes(const ov::Node& node) {
  const_cast<ov::Node&>(node).visit_attributes(*this);  // no setter is ever called
}

std::string Attributes::text(const std::string& name, const std::string& otherwise) const {
  return value_in(texts_, name, otherwise);
}

std::vector<std::int64_t> Attributes::ints(const std::string& name,
                                           const std::vector<std::int64_t>& otherwise) const {
  return value_in(ints_, name, otherwise);
}

std::int64_t Attributes::integer(const std::string& name, std::int64_t otherwise) const {
  return ints(name, {otherwise}).at(0);
}

bool Attributes::flag(const std::string& name, bool otherwise) const {
  return integer(name, otherwise ? 1 : 0) != 0;
}

double Attributes::real(const std::string& name, double otherwise) const {
  const auto whole = ints_.find(name);
  if (whole != ints_.end()) return static_cast<double>(whole->second.at(0));
  return value_in(reals_, name, otherwise);
}

void Attributes::on_adapter(const std::string&, ov::ValueAccessor<void>&) {}
void Attributes::on_adapter(const std::string&, ov::ValueAccessor<void*>&) {}
void Attributes::on_adapter(const std::string&, ov::ValueAccessor<std::shared_ptr<ov::Model>>&) {}

void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<std::string>& value) {
  texts_[name] = value.get();
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<bool>& value) {
  ints_[name] = {value.get() ? 1 : 0};
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<std::int64_t>& value) {
  ints_[name] = {value.get()};
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<std::int32_t>& value) {
  ints_[name] = {value.get()};
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<std::uint64_t>& value) {
  ints_[name] = {static_cast<std::int64_t>(value.get())};
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<float>& value) {
  reals_[name] = value.get();
}
void Attributes::on_adapter(const std::string& name, ov::ValueAccessor<double>& value) {
  reals_[name] = value.get();
}
void Attributes::on_adapter(const std::string& name,
                            ov::ValueAccessor<std::vector<std::int64_t>>& value) {
  keep(name, value.get());
}
void Attributes::on_adapter(const std::string& name,
                            ov::ValueAccessor<std::vector<std::uint64_t>>& value) {
  keep(name, value.get());
}
void Attributes::on_adapter(const std::string& name,
                            ov::ValueAccessor<std::vector<std::int32_t>>& value) {
  keep(name, value.get());
}

}  // namespace gradcam
