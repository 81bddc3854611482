#include <ATen/ops/cat.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "stages/explain/graph/local_rules.h"

namespace gradcam::local {
namespace {

namespace jit = torch::jit;
using Parts = std::vector<at::Tensor>;

const std::set<std::string_view> kSplitting = {
    "chunk", "split", "split_with_sizes", "unsafe_chunk", "unsafe_split", "tensor_split", "unbind"};

/// Some of the operand's numbers: `begin`, `begin` + `step`, … of dimension `d`, which may then be
/// gone.
LocalOperation taking(const Subject& subject, const jit::Value* operand, std::size_t d,
                      std::int64_t begin, std::int64_t step) {
  const bool drops = subject.shape_of(operand).size() > subject.shape.size();
  const auto need = [=](const Region& wanted) {
    Region from = wanted;
    if (drops) from.insert(from.begin() + static_cast<std::ptrdiff_t>(d), Span{0, 1});
    from[d] = {begin + from[d].begin * step, (from[d].size - 1) * step + 1};
    return LocalNeed{wanted, {from}};
  };
  const auto run = [=](const Parts& parts, const LocalNeed&) {
    const auto dim = static_cast<std::int64_t>(d);
    if (drops) return parts[0].select(dim, 0);
    return step == 1 ? parts[0] : parts[0].slice(dim, 0, parts[0].size(dim), step);
  };
  return {{{operand, {}}}, d != 0, need, run};
}

LocalOperation in_order(const Subject& subject, const Numbers& order) {
  const auto need = [order](const Region& wanted) {
    Region from(wanted.size());
    for (std::size_t d = 0; d < order.size(); ++d) {
      from[static_cast<std::size_t>(order[d])] = wanted[d];
    }
    return LocalNeed{wanted, {from}};
  };
  return {{{subject.operand(), {}}},
          !order.empty() && order[0] == 0,
          need,
          [order](const Parts& parts, const LocalNeed&) { return parts[0].permute(order); }};
}

/// Those that are needed; a constant that is the same for all of a batch is repeated.
at::Tensor joined(const Parts& parts, std::size_t d) {
  Parts needed;
  std::int64_t batch = 1;
  for (const at::Tensor& part : parts) {
    if (!part.defined()) continue;
    needed.push_back(part);
    batch = std::max(batch, part.size(0));
  }
  if (needed.size() == 1) return needed[0];
  for (at::Tensor& part : needed) {
    Numbers sizes = part.sizes().vec();
    sizes[0] = batch;
    if (d != 0 && part.size(0) != batch) part = part.expand(sizes);
  }
  return at::cat(needed, static_cast<std::int64_t>(d));
}

}  // namespace

LocalOperation joining(const Subject& subject) {
  const auto dim = subject.known.number(subject.node, "dim");
  const jit::Node& list = *subject.operand()->node();
  if (!dim || list.kind() != c10::prim::ListConstruct) return on_whole_operands(subject);
  const std::size_t d = dimension(*dim, subject.shape.size());
  std::vector<LocalOperand> operands;
  std::vector<std::int64_t> sizes;
  for (const jit::Value* part : list.inputs()) {
    const bool varies = subject.known.varies(part);
    operands.push_back({part, varies ? at::Tensor() : subject.known.constant(part).toTensor()});
    const Numbers shape = subject.shape_of(part);
    if (shape.size() != subject.shape.size()) return on_whole_operands(subject);
    sizes.push_back(shape[d]);
  }
  const auto need = [d, sizes](const Region& wanted) {
    LocalNeed found{wanted, {}};
    std::int64_t offset = 0;
    for (const std::int64_t size : sizes) {
      const std::int64_t begin = std::max(wanted[d].begin, offset);
      const std::int64_t end = std::min(wanted[d].end(), offset + size);
      auto& part = found.operands.emplace_back();
      if (begin < end) (part = wanted)->at(d) = {begin - offset, end - begin};
      offset += size;
    }
    return found;
  };
  return {std::move(operands), d != 0, need,
          [d](const Parts& parts, const LocalNeed&) { return joined(parts, d); }};
}

LocalOperation slicing(const Subject& subject, const std::string& start) {
  const RecordedValues& known = subject.known;
  const Numbers from = subject.shape_of(subject.operand());
  const auto dim = known.number(subject.node, "dim");
  const std::int64_t step = known.number(subject.node, "step").value_or(1);
  std::int64_t begin = known.number(subject.node, start).value_or(0);
  if (!dim || step < 1) return on_whole_operands(subject);
  const std::size_t d = dimension(*dim, from.size());
  if (begin < 0) begin = std::max<std::int64_t>(begin + from[d], 0);
  return taking(subject, subject.operand(), d, begin, step);
}

LocalOperation part_of_list(const Subject& subject) {
  const jit::Node& node = *subject.operand()->node();
  const Subject split{subject.operand(), node, subject.known, {}};
  const auto dim = subject.known.number(node, "dim");
  if (kSplitting.count(split.name()) == 0 || !dim) refuse(split, "gives a list");
  const Numbers from = subject.shape_of(split.operand());
  const std::size_t d = dimension(*dim, from.size());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < subject.result->offset(); ++i) {
    const Numbers before = subject.shape_of(subject.node.outputs()[i]);
    begin += before.size() < from.size() ? 1 : before[d];
  }
  return taking(subject, split.operand(), d, begin, 1);
}

LocalOperation permuting(const Subject& subject) {
  const auto dims = subject.known.argument(subject.node, "dims");
  if (!dims || !dims->isIntList()) return on_whole_operands(subject);
  Numbers order;
  for (const std::int64_t dim : dims->toIntVector()) {
    order.push_back(static_cast<std::int64_t>(dimension(dim, subject.shape.size())));
  }
  return in_order(subject, order);
}

LocalOperation transposing(const Subject& subject) {
  const auto one = subject.known.number(subject.node, "dim0");
  const auto other = subject.known.number(subject.node, "dim1");
  if (!one || !other) return on_whole_operands(subject);
  Numbers order(subject.shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[dimension(*one, order.size())], order[dimension(*other, order.size())]);
  return in_order(subject, order);
}

LocalOperation reshaping(const Subject& subject) {
  const Numbers from = subject.shape_of(subject.operand());
  const Numbers& to = subject.shape;
  const bool takes_batch = !from.empty() && !to.empty() && from[0] == 1 && to[0] == 1;
  const auto need = [from, to](const Region& wanted) {
    Reshaped found = through_reshape(wanted, from, to);
    return LocalNeed{std::move(found.to), {std::move(found.from)}};
  };
  const auto run = [takes_batch](const Parts& parts, const LocalNeed& given) {
    Numbers sizes;
    for (const Span& span : given.result) sizes.push_back(span.size);
    if (takes_batch) sizes[0] = parts[0].size(0);
    return parts[0].reshape(sizes);
  };
  return {{{subject.operand(), {}}}, takes_batch, need, run};
}

}  // namespace gradcam::local
