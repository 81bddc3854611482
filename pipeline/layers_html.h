#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradcam {

/// One layer on the page of layers.
struct LayerCard {
  std::string name;
  std::string type;                    ///< class name: Bottleneck
  std::string shape;                   ///< of its output: "1x2048x7x7"
  std::string places;                  ///< "7x7 places of 32x32 pixels"
  std::vector<unsigned char> picture;  ///< JPEG
  bool taken = false;                  ///< a run that names no layer explains this one
};

/// What the page of layers says. All texts are plain: characters of HTML are escaped on the page.
struct LayersPage {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  ///< name, value
  std::string remark;                                      ///< what to know; empty = nothing
  int picture_width = 0;                                   ///< of all pictures
  int picture_height = 0;
  std::vector<LayerCard> cards;
  std::vector<std::pair<std::string, std::string>> others;  ///< layers without a map, and why
};

/// One HTML file that asks for nothing outside of itself: pictures are data URIs. Light or dark as
/// the browser is, from the width of a phone on, and reachable by keyboard: each layer's name is a
/// button that copies `--layer NAME`, quoted for a shell where it needs it; a field filters by name
/// and type. Without JavaScript all of it is seen.
std::string to_html(const LayersPage& page);

}  // namespace gradcam
