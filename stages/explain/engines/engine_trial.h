#pragma once

#include <string>

namespace gradcam {

/// What became of one way to run a network, when the engine was chosen (engine_choice.h).
struct EngineTrial {
  std::string name;
  double ms = 0;         ///< of one explained picture, median; 0 = not timed
  double agreement = 0;  ///< smaller correlation with the reference, of scores and of map
  std::string verdict;   ///< "chosen", "slower", or why it is out
};

/// How an engine is chosen among those that agree.
enum class Choosing {
  kMeasured,  ///< the fastest here, by turns of all that agree
  kUntimed,   ///< one measured before, else the last of the list that agrees: nobody is to be
              ///< disturbed by measuring
};

}  // namespace gradcam
