#include "pipeline/keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "config/looks.h"

namespace gradcam {
namespace {

constexpr int kEscape = 27;
constexpr double kOpacityStep = 0.1;

std::string name_of(const ClassScore& score) {
  return score.label.empty() ? "class " + std::to_string(score.index) : score.label;
}

KeyEffect change_opacity(double step, OverlayOptions& overlay) {
  overlay.opacity = std::clamp(std::round((overlay.opacity + step) * 100) / 100, 0.0, 1.0);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "opacity %.4g", overlay.opacity);
  return {KeyAction::kRedraw, text.data()};
}

/// To the next view that can be drawn of what is there.
KeyEffect change_view(const KeyContext& context, OverlayOptions& overlay) {
  const bool guided = context.shown != nullptr && context.shown->guided.has_value();
  const ViewEntry* next = &row_after(kViews, overlay.view);
  while (is_guided(next->value) && !guided) next = &row_after(kViews, next->value);
  overlay.view = next->value;
  return {KeyAction::kRedraw, "view: " + std::string(next->title)};
}

KeyEffect change_colormap(OverlayOptions& overlay) {
  const auto& next = row_after(kColormaps, overlay.colormap);
  overlay.colormap = next.value;
  return {KeyAction::kRedraw, "colour map: " + std::string(next.name)};
}

KeyEffect explain_rank(int rank, const KeyContext& context, ViewSettings& settings) {
  settings.target = TargetChoice{.rank = rank, .automatic = false, .push = settings.target.push};
  std::string notice = "rank " + std::to_string(rank);
  if (context.shown != nullptr && context.shown->top.size() >= static_cast<std::size_t>(rank)) {
    notice += ": " + name_of(context.shown->top[static_cast<std::size_t>(rank) - 1]);
  }
  return {KeyAction::kExplain, notice};
}

KeyEffect lock_class(const KeyContext& context, ViewSettings& settings) {
  if (context.shown == nullptr || context.shown->targets.empty()) {
    return {KeyAction::kNothing, "no class to lock yet"};
  }
  // A class that is locked already may not be the one on the screen yet.
  const ClassScore& shown = context.shown->targets.front();
  const bool locked = settings.target.index >= 0;
  if (locked && settings.target.index != shown.index) {
    return {KeyAction::kNothing, "class locked: class " + std::to_string(settings.target.index)};
  }
  settings.target =
      TargetChoice{.index = shown.index, .automatic = false, .push = settings.target.push};
  return {locked ? KeyAction::kNothing : KeyAction::kExplain, "class locked: " + name_of(shown)};
}

KeyEffect change_layer(int step, const KeyContext& context, ViewSettings& settings) {
  const auto& layers = context.layers;
  if (layers.empty()) return {KeyAction::kNothing, "layers are not known yet"};
  std::string present = settings.layer;
  if (present.empty() && context.shown != nullptr && !context.shown->layers.empty()) {
    present = context.shown->layers.front();
  }
  const int last = static_cast<int>(layers.size()) - 1;
  const auto found = std::find(layers.begin(), layers.end(), present);
  // From a layer that is not in the list, either way leads to the last, where most networks are
  // explained.
  const int wanted = found == layers.end() ? last : static_cast<int>(found - layers.begin()) + step;
  if (wanted < 0) return {KeyAction::kNothing, "first layer: " + present};
  if (wanted > last) return {KeyAction::kNothing, "last layer: " + present};
  settings.layer = layers[static_cast<std::size_t>(wanted)];
  return {KeyAction::kExplain, "layer " + settings.layer};
}

/// To the next method; from one that is not in the list, to the first.
KeyEffect change_method(const KeyContext& context, ViewSettings& settings) {
  const auto& methods = context.methods;
  if (methods.empty()) return {};
  std::string present = settings.method;
  if (present.empty() && context.shown != nullptr) present = context.shown->method;
  const auto here = std::ranges::find(methods, present);
  const bool last = here == methods.end() || here + 1 == methods.end();
  settings.method = last ? methods.front() : *(here + 1);
  return {KeyAction::kExplain, "method " + settings.method};
}

/// Letters small, without the bits that some windowing systems add for Num Lock and the like.
int plain_code(int code) {
  code &= 0xFFFF;
  return code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code;
}

}  // namespace

bool chooses_layer(int code) { return plain_code(code) == 'l' || plain_code(code) == 'k'; }

KeyEffect apply_key(int code, const KeyContext& context, ViewSettings& settings) {
  const int key = plain_code(code);
  switch (key) {
    case 'q':
    case kEscape:
      return {KeyAction::kQuit, ""};
    case ' ':
      settings.paused = !settings.paused;
      return {KeyAction::kPause, ""};
    case '.':
      settings.paused = true;
      return {KeyAction::kStep, ""};
    case 's':
      return {KeyAction::kScreenshot, ""};
    case 'f':
      return {KeyAction::kFullScreen, ""};
    case 'h':
      settings.overlay.hud = !settings.overlay.hud;
      return {KeyAction::kRedraw, settings.overlay.hud ? "HUD on" : "HUD off"};
    case 'v':
      return change_view(context, settings.overlay);
    case '[':
      return change_opacity(-kOpacityStep, settings.overlay);
    case ']':
      return change_opacity(kOpacityStep, settings.overlay);
    case 'c':
      return change_colormap(settings.overlay);
    case 'm':
      return change_method(context, settings);
    case 'l':
      return change_layer(1, context, settings);
    case 'k':
      return change_layer(-1, context, settings);
    case 't':
      return lock_class(context, settings);
    case '0':
      settings.target = TargetChoice{};
      return {KeyAction::kExplain, "best class"};
    default:
      if (key >= '1' && key <= '5') return explain_rank(key - '0', context, settings);
      return {};
  }
}

}  // namespace gradcam
