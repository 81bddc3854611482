#include "stages/explain/features_choice.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/mean.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <thread>

#include "config/user_error.h"
#include "stages/explain/openvino_features.h"

namespace gradcam {
namespace {

namespace fs = std::filesystem;

constexpr double kAgreement = 0.99;  ///< correlation with fp32 from which a format is accepted
constexpr int kWarmUp = 3;
constexpr int kTimed = 7;

using Head = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

double milliseconds(Features& features, const at::Tensor& input) {
  const auto begin = std::chrono::steady_clock::now();
  features.run(input);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// Medians of turns A B A B: other work on the machine then meets both.
bool is_faster(Features& one, Features& other, const at::Tensor& input) {
  for (int i = 0; i < kWarmUp; ++i) {
    one.run(input);
    other.run(input);
  }
  std::vector<double> ones;
  std::vector<double> others;
  for (int i = 0; i < kTimed; ++i) {
    ones.push_back(milliseconds(one, input));
    others.push_back(milliseconds(other, input));
  }
  std::nth_element(ones.begin(), ones.begin() + kTimed / 2, ones.end());
  std::nth_element(others.begin(), others.begin() + kTimed / 2, others.end());
  return ones[kTimed / 2] < others[kTimed / 2];
}

bool agree(const std::vector<at::Tensor>& values, const std::vector<at::Tensor>& expected,
           const Head& head) {
  const at::Tensor scores = head(values);
  const at::Tensor wanted = head(expected);
  return scores.argmax().item<std::int64_t>() == wanted.argmax().item<std::int64_t>() &&
         correlation(scores, wanted) >= kAgreement &&
         correlation(values[0], expected[0]) >= kAgreement;
}

/// Remembers the choice for one network on one machine; a file that cannot be read or written only
/// means that it is made again.
class Memory {
 public:
  Memory(const std::string& folder, const std::string& key) {
    if (folder.empty()) return;
    path_ = fs::path(folder) / ("choice-" + std::to_string(std::hash<std::string>{}(key)));
  }
  std::string read() const {
    std::ifstream in(path_);
    std::string word;
    in >> word;
    return word;
  }
  void write(const std::string& word) const {
    if (path_.empty()) return;
    std::error_code ignored;
    fs::create_directories(path_.parent_path(), ignored);
    std::ofstream(path_) << word << "\n";
  }

 private:
  fs::path path_;
};

}  // namespace

double correlation(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble) - a.to(at::kDouble).mean();
  const at::Tensor y = b.to(at::kDouble) - b.to(at::kDouble).mean();
  const double scale = std::sqrt((x * x).sum().item<double>() * (y * y).sum().item<double>());
  return scale > 0 ? (x * y).sum().item<double>() / scale : 0;
}

std::unique_ptr<Features> choose_features(const Bundle& bundle, const ExplainOptions& options,
                                          const at::Tensor& input, const Head& head) {
  const OpenVino openvino(bundle.cache);
  const int threads = options.threads > 0
                          ? options.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto compile = [&](FeaturesPrecision precision) {
    return openvino.compile(bundle.features(), precision, threads);
  };
  if (options.precision == "bf16" && !openvino.has_bf16()) {
    throw UserError(ExitCode::kUsage,
                    "--precision bf16: this processor does not compute in it; give auto or fp32");
  }
  if (options.precision == "bf16") return compile(FeaturesPrecision::kBf16);
  auto fp32 = compile(FeaturesPrecision::kFp32);
  if (options.precision == "fp32" || !openvino.has_bf16()) return fp32;

  const Memory memory(bundle.cache, bundle.identity + openvino.processor() + openvino.version() +
                                        std::to_string(threads));
  const std::string known = memory.read();
  if (known == "fp32") return fp32;
  auto bf16 = compile(FeaturesPrecision::kBf16);
  if (known == "bf16") return bf16;
  const bool take_bf16 =
      agree(bf16->run(input), fp32->run(input), head) && is_faster(*bf16, *fp32, input);
  memory.write(take_bf16 ? "bf16" : "fp32");
  return take_bf16 ? std::move(bf16) : std::move(fp32);
}

}  // namespace gradcam
