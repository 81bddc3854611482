#include "stages/explain/import/shared_modules.h"

#include <cstdint>
#include <set>

namespace gradcam {
namespace {

bool is_within(const std::string& module, const std::string& outer) {
  return outer.empty() || module == outer || module.starts_with(outer + ".");
}

std::string parent_of(const std::string& module) {
  const std::size_t dot = module.rfind('.');
  return dot == std::string::npos ? "" : module.substr(0, dot);
}

/// A set of small numbers.
class Numbers {
 public:
  bool contains(std::size_t number) const {
    return number / 64 < words_.size() && ((words_[number / 64] >> (number % 64)) & 1U) != 0;
  }
  void add(std::size_t number) {
    if (words_.size() <= number / 64) words_.resize(number / 64 + 1);
    words_[number / 64] |= std::uint64_t{1} << (number % 64);
  }
  void add(const Numbers& others) {
    if (words_.size() < others.words_.size()) words_.resize(others.words_.size());
    for (std::size_t i = 0; i < others.words_.size(); ++i) words_[i] |= others.words_[i];
  }
  std::size_t bound() const { return words_.size() * 64; }

 private:
  std::vector<std::uint64_t> words_;
};

/// What lies in front of a node, itself included.
struct Past {
  Numbers seen;  ///< modules
  Numbers left;  ///< of these, those behind which another module was
};

class Calls {
 public:
  Calls(const std::vector<std::shared_ptr<ov::Node>>& nodes, const ModuleOf& module_of)
      : module_of_(module_of) {
    for (const auto& node : nodes) visit(node.get());
    past_.clear();
  }

  std::map<const ov::Node*, std::string> by_caller() {
    std::map<const ov::Node*, std::string> renamed;
    if (entered_again_.empty()) return renamed;
    for (const ov::Node* node : order_) {
      const auto& module = modules_.at(node);
      const std::string top = module ? shared_around(*module) : "";
      if (top.empty()) continue;
      const std::string& name = tops_[node] = name_in_call(*node, top);
      if (name != top) renamed[node] = name + module->substr(top.size());
    }
    return renamed;
  }

 private:
  /// What is in front first.
  void visit(const ov::Node* node) {
    if (modules_.contains(node)) return;
    for (const auto& input : node->input_values()) visit(input.get_node());
    Past past;
    for (const auto& input : node->input_values()) {
      past.seen.add(past_[input.get_node()].seen);
      past.left.add(past_[input.get_node()].left);
    }
    auto module = module_of_(*node);
    if (module && !module->empty()) enter(*module, past);
    modules_[node] = std::move(module);
    order_.push_back(node);
    past_[node] = std::move(past);
  }

  void enter(const std::string& module, Past& past) {
    const auto [at, is_new] = number_.emplace(module, names_.size());
    if (is_new) names_.push_back(module);
    if (past.left.contains(at->second)) entered_again_.insert(module);
    for (std::size_t i = 0; i < past.seen.bound(); ++i) {
      if (past.seen.contains(i) && !is_within(module, names_[i])) past.left.add(i);
    }
    past.seen.add(at->second);
  }

  /// The outermost module around it of which every part is entered again; "" = it is not shared.
  std::string shared_around(const std::string& module) const {
    std::string top;
    for (std::string outer = module; !outer.empty(); outer = parent_of(outer)) {
      for (auto part = number_.lower_bound(outer);
           part != number_.end() && part->first.starts_with(outer); ++part) {
        if (is_within(part->first, outer) && !entered_again_.contains(part->first)) return top;
      }
      top = outer;
    }
    return top;
  }

  /// What stands for `top` in the call that the node belongs to.
  std::string name_in_call(const ov::Node& node, const std::string& top) const {
    const ov::Node* taken = nullptr;
    for (const auto& input : node.input_values()) {
      const ov::Node* const source = known(input.get_node());
      if (source == nullptr) continue;
      if (tops_.contains(source) && is_within(*modules_.at(source), top)) return tops_.at(source);
      if (taken == nullptr) taken = source;
    }
    if (taken == nullptr) return top;
    const std::string& module = *modules_.at(taken);
    // Then the module that registered it may have called it here, too.
    if (is_within(module, parent_of(top))) return top;
    const std::string caller = is_leaf(module) ? parent_of(module) : module;
    return (caller.empty() ? "" : caller + ".") + top.substr(top.rfind('.') + 1);
  }

  /// The node, or what it takes, of which it is known in which module it lies.
  const ov::Node* known(const ov::Node* node) const {
    if (modules_.at(node)) return node;
    for (const auto& input : node->input_values()) {
      if (const ov::Node* const found = known(input.get_node())) return found;
    }
    return nullptr;
  }

  bool is_leaf(const std::string& module) const {
    const auto part = number_.lower_bound(module + ".");
    return !module.empty() && (part == number_.end() || !is_within(part->first, module));
  }

  const ModuleOf& module_of_;
  std::map<const ov::Node*, std::optional<std::string>> modules_;
  std::vector<const ov::Node*> order_;
  std::map<const ov::Node*, Past> past_;
  std::map<std::string, std::size_t> number_;
  std::vector<std::string> names_;  ///< by number
  std::set<std::string> entered_again_;
  std::map<const ov::Node*, std::string> tops_;  ///< of nodes in shared modules: name_in_call()
};

}  // namespace

std::map<const ov::Node*, std::string> modules_by_caller(
    const std::vector<std::shared_ptr<ov::Node>>& nodes, const ModuleOf& module_of) {
  return Calls(nodes, module_of).by_caller();
}

}  // namespace gradcam
