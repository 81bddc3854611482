#pragma once

#include <functional>
#include <memory>

#include "stages/capture/source.h"
#include "stages/frame/clock.h"

/// Sources that change what another one gives.
namespace gradcam {

/// At most `frames_per_second` pictures of each second of presentation time; the others are left
/// out and count nowhere.
std::unique_ptr<Source> thinned(std::unique_ptr<Source> source, double frames_per_second);

/// The pictures of the first `seconds` of presentation time. A live source ends by `now`, too, as
/// the next picture may be long in coming.
std::unique_ptr<Source> bounded(std::unique_ptr<Source> source, double seconds,
                                Now now = Clock::now);

/// Opens a source with `open`, and once more whenever it ends; presentation times go on. The stream
/// ends where a source was cut short or has no picture. A single picture repeats 25 times a second.
std::unique_ptr<Source> looped(std::function<std::unique_ptr<Source>()> open);

}  // namespace gradcam
