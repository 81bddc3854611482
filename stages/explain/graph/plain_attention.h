#pragma once

namespace gradcam {

/// While an object of this class lives, LibTorch computes attention in the form that has a second
/// derivative. Its switches hold for the whole process, and another layer may be loaded meanwhile:
/// objects are counted. Any thread.
class PlainAttention {
 public:
  PlainAttention();
  ~PlainAttention();
  PlainAttention(const PlainAttention&) = delete;
  PlainAttention& operator=(const PlainAttention&) = delete;
};

}  // namespace gradcam
