#include "pipeline/layers_html.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gradcam {
namespace {

// Nothing may be fetched, whatever a network's names hold.
constexpr std::string_view kHead = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --back: #f5f5f3; --card: #fff; --text: #1b1c1d; --soft: #5b5f63;
  --line: #d9d9d5; --accent: #0b5cad; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --back: #131415; --card: #1d1f21; --text: #e8e8e6; --soft: #a3a7ab; --line: #34373a;
    --accent: #7db8f0; --on-accent: #10202f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 .8rem; }
dt, .soft { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem;
  align-items: center; padding: .6rem 0; background: var(--back); border-bottom: 1px solid var(--line); }
.bar label { display: flex; gap: .5rem; align-items: center; flex: 1 1 14rem; }
input { flex: 1; min-width: 0; max-width: 28rem; font: inherit; padding: .4rem .6rem; color: inherit;
  background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; }
ul { list-style: none; margin: 1rem 0; padding: 0; display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(min(13rem, calc(50% - .4rem)), 1fr)); }
li { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; overflow: hidden; }
li[hidden] { display: none; }
li.taken { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
li img { display: block; width: 100%; height: auto; }
li p { margin: 0; padding: 0 .6rem; font-size: .85rem; overflow-wrap: anywhere; }
li p:last-child { padding-bottom: .5rem; }
li button { margin: .4rem .3rem .1rem; padding: .2rem .3rem; border: 0; border-radius: .3rem;
  background: none; color: var(--accent); font: 600 .95rem/1.3 ui-monospace, monospace;
  text-align: start; overflow-wrap: anywhere; cursor: pointer; }
li button:hover { text-decoration: underline; }
.mark { align-self: start; margin: .2rem .6rem .1rem; padding: 0 .5rem; border-radius: 1rem;
  background: var(--accent); color: var(--on-accent); font-size: .8rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
details { margin: 1rem 0; }
details dl { margin-top: .5rem; font-size: .85rem; }
details dt { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
@media (max-width: 40rem) { details dl { grid-template-columns: 1fr; } details dd { margin: 0 0 .4rem; } }
</style>
)html";

constexpr std::string_view kScript = R"html(<script>
'use strict';
const cards = [...document.querySelectorAll('li')];
const status = document.getElementById('status');
const field = document.getElementById('filter');
function filter() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards) {
    const text = card.dataset.words.toLowerCase();
    card.hidden = !words.every(word => text.includes(word));
    if (!card.hidden) ++shown;
  }
  status.textContent = words.length ? `${shown} of ${cards.length} layers` : `${cards.length} layers`;
}
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // a page that came by http, or an old browser
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
for (const card of cards) {
  const button = card.querySelector('button');
  button.addEventListener('click', async () => {
    const text = button.dataset.copy;
    const done = await copy(text);
    button.focus();
    status.textContent = (done ? 'Copied: ' : 'Cannot copy; it is: ') + text;
  });
}
field.addEventListener('input', filter);
filter();
</script>
)html";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// As a shell takes it for one word.
std::string in_shell(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("._-/:+,@=").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string base64(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

/// What a list of names and values is on the page.
std::string definitions(const std::vector<std::pair<std::string, std::string>>& list) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : list) {
    html.append("<dt>").append(escaped(name)).append("</dt><dd>");
    html.append(escaped(value)).append("</dd>\n");
  }
  return html + "</dl>\n";
}

void append_card(std::string& html, const LayerCard& card, const std::string& size) {
  const std::string name = escaped(card.name);
  html.append("<li").append(card.taken ? " class=\"taken\"" : "");
  html.append(" data-words=\"").append(name).append(" ").append(escaped(card.type)).append("\">\n");
  html.append("<img").append(size).append(" alt=\"Map of ").append(name);
  html.append("\" src=\"data:image/jpeg;base64,").append(base64(card.picture)).append("\">\n");
  const std::string option = escaped("--layer " + in_shell(card.name));
  html.append("<button type=\"button\" title=\"Copy ").append(option).append("\" data-copy=\"");
  html.append(option).append("\">").append(name).append("</button>\n");
  if (card.taken) html.append("<span class=\"mark\">taken by itself</span>\n");
  html.append("<p>").append(escaped(card.type)).append(", ").append(escaped(card.shape));
  html.append("</p>\n<p class=\"soft\">").append(escaped(card.places)).append("</p>\n</li>\n");
}

}  // namespace

std::string to_html(const LayersPage& page) {
  std::string html(kHead);
  html.append("<title>").append(escaped(page.title)).append("</title>\n</head>\n<body>\n<h1>");
  html.append(escaped(page.title)).append("</h1>\n").append(definitions(page.facts));
  if (!page.remark.empty()) html.append("<p>").append(escaped(page.remark)).append("</p>\n");
  html.append(
      "<div class=\"bar\"><label for=\"filter\">Filter <input id=\"filter\" type=\"search\" "
      "placeholder=\"name or type\" autocomplete=\"off\"></label>"
      "<span id=\"status\" class=\"soft\" role=\"status\">");
  html.append(std::to_string(page.cards.size())).append(" layers</span></div>\n<main>\n<ul>\n");
  const std::string size = " width=\"" + std::to_string(page.picture_width) + "\" height=\"" +
                           std::to_string(page.picture_height) + "\"";
  for (const LayerCard& card : page.cards) append_card(html, card, size);
  html.append("</ul>\n");
  if (!page.others.empty()) {
    html.append("<details><summary>").append(std::to_string(page.others.size()));
    html.append(" more without a map</summary>\n").append(definitions(page.others));
    html.append("</details>\n");
  }
  return html.append("</main>\n").append(kScript).append("</body>\n</html>\n");
}

}  // namespace gradcam
