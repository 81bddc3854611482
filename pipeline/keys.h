#pragma once

#include <string>
#include <vector>

#include "pipeline/settings.h"
#include "stages/frame/explanation.h"

namespace gradcam {

/// What a key asks of whoever shows the pictures, beside the change of the settings.
enum class KeyAction {
  kNothing,  ///< unknown, or there is nothing to change (the notice says why)
  kQuit,
  kPause,  ///< ViewSettings::paused has changed
  kStep,   ///< one frame further; pauses
  kScreenshot,
  kFullScreen,  ///< on or off
  kRedraw,      ///< what is drawn over the picture has changed
  kExplain,     ///< what is explained has changed
};

struct KeyEffect {
  KeyAction action = KeyAction::kNothing;
  std::string notice;  ///< to be shown for a moment; may be empty
};

/// What some keys need to know.
struct KeyContext {
  const Explanation* shown = nullptr;  ///< what is on the screen; null = none yet
  std::vector<std::string> layers;     ///< that can be chosen, in the order of their call
  std::vector<std::string> methods;    ///< that can be chosen: quick enough for each frame
};

/// True for the keys that look at KeyContext::layers, which need not be filled for the others.
bool chooses_layer(int code);

/// What a key does to the settings, and what else it asks for. `code` as highgui gives it. Pure.
KeyEffect apply_key(int code, const KeyContext& context, ViewSettings& settings);

}  // namespace gradcam
