#!/usr/bin/env bash
# ffmpeg turns 10-bit films darker than 8-bit ones: up to 4 levels, where 4:4:4 is exact.
#
# Versions: ffmpeg 5.1.9 (Debian 12), x86-64.
# Guess:    YUV to RGB is the formula of its matrix, rounded: within one level, whatever the depth
#           and the sampling.
# Happens:  flat colours of 4:2:0 and 4:2:2 come out up to 2.8 levels too dark at 8 bits and up to
#           4.2 at 10; 4:4:4 within 0.5. `-sws_flags accurate_rnd` alone does not help;
#           full_chroma_int does at 10 bits, both together at 8.
# Matters:  the same scene as 10 bit 4:2:0 and as 4:4:4 gives other levels, so another input of a
#           network, and tests that hold one decoder against another must allow for 3 to 4 levels.
# Seen:     yuv420p      default 2.8 too dark   with both flags 0.5
#           yuv420p10le  default 3.9 too dark   with both flags 0.5
#           yuv444p10le  default 0.5 too dark   with both flags 0.5
set -euo pipefail
if ! command -v ffmpeg >/dev/null || ! ffmpeg -version | head -1 | grep -q 'version 5\.1'; then
  echo "cannot run here: needs ffmpeg 5.1"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/finding.py" <<'PY'
import array
import random
import subprocess
import sys

KR, KB = 0.2126, 0.0722  # BT.709, limited range
KG = 1 - KR - KB
COUNT, SIDE = 300, 16
FORMATS = {"yuv420p": (8, 2, 2), "yuv420p10le": (10, 2, 2), "yuv444p10le": (10, 1, 1)}
FLAGS = ("bicubic", "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp")


def darkest(name: str, flags: str) -> float:
    """By how many levels the darkest of COUNT flat colours falls below the formula."""
    bits, across, down = FORMATS[name]
    step = 1 << (bits - 8)
    rng = random.Random(1)
    coded, exact = [], []
    for _ in range(COUNT):
        r, g, b = (rng.random() for _ in range(3))
        luma = KR * r + KG * g + KB * b
        y = round((16 + 219 * luma) * step)
        u = round((128 + 112 * (b - luma) / (1 - KB)) * step)
        v = round((128 + 112 * (r - luma) / (1 - KR)) * step)
        coded.append((y, u, v))
        luma = (y / step - 16) / 219
        red = luma + 2 * (1 - KR) * (v / step - 128) / 224
        blue = luma + 2 * (1 - KB) * (u / step - 128) / 224
        green = (luma - KR * red - KB * blue) / KG
        exact.append([min(max(255 * c, 0), 255) for c in (red, green, blue)])
    kind = "H" if bits > 8 else "B"
    data = b""
    for plane, (x, rows) in enumerate(((1, 1), (across, down), (across, down))):
        row = array.array(kind, [c[plane] for c in coded for _ in range(SIDE // x)])
        data += row.tobytes() * (SIDE // rows)
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", name, "-s", f"{COUNT * SIDE}x{SIDE}"]
    command += ["-i", "-", "-vf", f"scale=in_color_matrix=bt709:in_range=tv:flags={flags},format=rgb24"]
    rgb = subprocess.run([*command, "-f", "rawvideo", "-"], input=data, capture_output=True, check=True).stdout
    at = SIDE // 2 * COUNT * SIDE
    seen = [rgb[3 * (at + i * SIDE + SIDE // 2):][:3] for i in range(COUNT)]
    return max(e - s for es, ss in zip(exact, seen) for e, s in zip(es, ss))


found = {name: [darkest(name, flags) for flags in FLAGS] for name in FORMATS}
for name, (default, both) in found.items():
    print(f"{name:12s} default {default:.1f} too dark   with both flags {both:.1f}")
as_told = found["yuv420p"][0] > 2 and found["yuv420p10le"][0] > 3
as_told = as_told and all(both < 1 for _, both in found.values()) and found["yuv444p10le"][0] < 1
sys.exit(0 if as_told else 1)
PY
python3 "$work/finding.py"
