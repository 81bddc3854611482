#pragma once

#include <string>

/// What the processor is and can compute.
namespace gradcam {

/// Model and features of the processor as the system lists them: other ones give another text.
std::string processor();

/// Whether sums of products of bytes get 32 bits.
bool processor_has_vnni();

/// Whether it computes in bf16 by AVX-512 instructions.
bool processor_has_bf16();

}  // namespace gradcam
