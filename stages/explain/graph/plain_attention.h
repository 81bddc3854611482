#pragma once

namespace gradcam {

/// As long as one lives, attention takes the form that has a second derivative. LibTorch has
/// switches for the whole process, and a layer may be loaded while another is explained: any
/// thread.
class PlainAttention {
 public:
  PlainAttention();
  ~PlainAttention();
  PlainAttention(const PlainAttention&) = delete;
  PlainAttention& operator=(const PlainAttention&) = delete;
};

}  // namespace gradcam
