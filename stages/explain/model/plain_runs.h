#pragma once

namespace gradcam {

/// While one lives, LibTorch runs graphs on its thread as they are. Else it watches the first runs
/// of each and compiles it anew for what it saw: half a second and more for a network that is only
/// to be looked at once.
class PlainRuns {
 public:
  PlainRuns();
  ~PlainRuns();
  PlainRuns(const PlainRuns&) = delete;
  PlainRuns& operator=(const PlainRuns&) = delete;

 private:
  bool before_;
};

}  // namespace gradcam
