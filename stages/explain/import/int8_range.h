#pragma once

namespace ov {
class Model;
}

namespace gradcam {

/// Whether the sums of a quantised network may overflow on processors that add up two products of
/// bytes in 16 bits, as AVX2 without VNNI does. NNCF leaves room for them unless it was told not
/// to, and notes that in the file; of what others have made nothing is known, so it may. Pure.
bool may_overflow_without_vnni(const ov::Model& quantised);

}  // namespace gradcam
