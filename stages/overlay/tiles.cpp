#include "stages/overlay/tiles.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "stages/picture/tile.h"

namespace gradcam {
namespace {

/// What a tile is made of.
struct Content {
  Drawing drawing;
  cv::Rect area;  ///< of the picture
  PixelFormat format = PixelFormat::kI420;
  ColorDescription color;

  bool operator==(const Content&) const = default;
};

/// The part of the drawing that lies in `area`.
void draw(const Drawing& drawing, cv::Rect area, PixelFormat format, const ColorDescription& color,
          Tile& tile) {
  cv::Mat pixels = cv::Mat::zeros(area.size(), CV_8UC4);
  drawing.paint(pixels, area.tl());
  tile.draw(pixels, Alpha::kPremultiplied, format, color);
}

/// What the picture shows of an area, made larger to whole samples of chroma; empty if nothing.
cv::Rect shown_samples(cv::Rect area, const PictureTarget& picture) {
  const cv::Rect whole({0, 0}, picture.size());
  const cv::Rect shown = area & whole;
  if (shown.empty()) return {};
  const FormatInfo& info = format_info(picture.format);
  cv::Rect samples = on_samples(picture.format, shown);
  const auto up = [](int length, int shift) {
    return ((length - 1) >> shift << shift) + (1 << shift);
  };
  samples.width = up(samples.width, info.chroma_x);
  samples.height = up(samples.height, info.chroma_y);
  return samples & whole;
}

/// Adds what of `area` none of the others covers.
void add_uncovered(cv::Rect area, std::size_t from, std::vector<cv::Rect>& others) {
  const std::size_t count = others.size();
  for (std::size_t i = from; i < count && !area.empty(); ++i) {
    const cv::Rect both = area & others[i];
    if (both.empty()) continue;
    const auto rows = [&](int begin, int end) {
      return cv::Rect(area.x, begin, area.width, end - begin);
    };
    const auto beside = [&](int begin, int end) {
      return cv::Rect(begin, both.y, end - begin, both.height);
    };
    for (const cv::Rect& rest : {rows(area.y, both.y), rows(both.br().y, area.br().y),
                                 beside(area.x, both.x), beside(both.br().x, area.br().x)}) {
      if (!rest.empty()) add_uncovered(rest, i + 1, others);
    }
    return;
  }
  if (!area.empty()) others.push_back(area);
}

/// The tiles that were asked for last. Memory of one that nobody wants any more serves the next.
class KeptTiles {
 public:
  std::shared_ptr<const Tile> get(Content content) {
    std::shared_ptr<Tile> tile;
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::find_if(kept_.begin(), kept_.end(),
                                      [&](const Kept& kept) { return kept.content == content; });
      if (found != kept_.end()) {
        std::rotate(found, found + 1, kept_.end());  // the last one is the newest
        return kept_.back().tile;
      }
      tile = spare();
    }
    draw(content.drawing, content.area, content.format, content.color, *tile);
    const std::lock_guard lock(mutex_);
    kept_.push_back({std::move(content), tile});
    return tile;
  }

 private:
  struct Kept {
    Content content;
    std::shared_ptr<Tile> tile;
  };

  std::shared_ptr<Tile> spare() {
    constexpr std::size_t kMost = 12;
    if (kept_.size() < kMost) return std::make_shared<Tile>();
    std::shared_ptr<Tile> oldest = std::move(kept_.front().tile);
    kept_.erase(kept_.begin());
    // Only this handle is left of it, unless it is being laid at this moment.
    return oldest.use_count() == 1 ? std::move(oldest) : std::make_shared<Tile>();
  }

  std::mutex mutex_;
  std::vector<Kept> kept_;
};

}  // namespace

void lay(const Drawing& drawing, const PictureTarget& picture) {
  // Never destroyed: exit() may be called while other threads are at work.
  static auto& tiles = *new KeptTiles;
  const cv::Rect area = shown_samples(drawing.bounds(), picture);
  if (area.empty()) return;
  tiles.get({drawing, area, picture.format, picture.color})->lay(picture, area.tl());
}

void lay_parts(const Drawing& drawing, const PictureTarget& picture) {
  static thread_local Tile tile;
  // Each sample of chroma belongs to one tile: it is the mean of all that is drawn there.
  std::vector<cv::Rect> areas;
  for (const cv::Rect& area : drawing.areas()) {
    add_uncovered(shown_samples(area, picture), 0, areas);
  }
  for (const cv::Rect& area : areas) {
    draw(drawing, area, picture.format, picture.color, tile);
    tile.lay(picture, area.tl());
  }
}

}  // namespace gradcam
