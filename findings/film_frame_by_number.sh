#!/usr/bin/env bash
# Frame 10 of a HEVC film as x265 writes it is another frame in decord and in imageio (by PyAV).
#
# Versions: decord 0.6.0, imageio 2.38.1, av 18.1.0 (which also makes the films).
# Guess:    reader[k] and imread(film, index=k) give the k-th frame of any film, whatever was read
#           before; if not, they raise.
# Happens:  x265's default is an open group of pictures: frames that are shown before a key frame
#           are stored behind it. After a jump both libraries drop these and return the key frame
#           or a later one in their place. Read from the start, both are right. In imageio a
#           film that begins at 5 s gives its first frame for nearly every number. The same film
#           coded by x264's defaults (closed groups) is right in both.
# Matters:  data loaders and samplers that jump take labels of one frame and the picture of
#           another; heat maps "of frame 10" show frame 13. Nothing is raised and the count is
#           right. Read in order, or compare time stamps of what came with what was asked for.
# Seen:     x264           wrong of 60: decord in order 0, jumping  0; imageio jumping  0
#           x265           wrong of 60: decord in order 0, jumping 23; imageio jumping 12
#           x264 from 5 s  wrong of 60: decord in order 0, jumping  0; imageio jumping 58
set -euo pipefail
packages="decord==0.6.0 imageio==2.38.1 av==18.1.0 pillow==13.0.0 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'EOF'
import random
from fractions import Fraction

import av
import decord
import imageio.v3 as iio
import numpy as np

COUNT, RATE = 60, 25


def write(path: str, codec: str, options: dict[str, str], start: int = 0) -> None:
    """COUNT grey frames of 64x64 that get brighter by 3 levels each; a key frame every 12."""
    with av.open(path, "w") as film:
        stream = film.add_stream(codec, rate=RATE, options=options)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 12
        for number in range(COUNT):
            planes = np.full((96, 64), 128, np.uint8)
            planes[:64] = 16 + 3 * number
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number + start * RATE, Fraction(1, RATE)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


def number_of(rgb: np.ndarray) -> int:
    return round(float(np.median(rgb)) * 219 / 255 / 3)


def wrong(film: str) -> tuple[int, int, int]:
    """Wrong frames of decord in order, of decord jumping, of imageio jumping."""
    reader = decord.VideoReader(film)
    assert len(reader) == COUNT
    in_order = sum(number_of(reader[k].asnumpy()) != k for k in range(COUNT))
    order = random.Random(1).sample(range(COUNT), COUNT)
    reader = decord.VideoReader(film)
    jumps = sum(number_of(reader[k].asnumpy()) != k for k in order)
    by_imageio = sum(number_of(iio.imread(film, index=k, plugin="pyav")) != k for k in order)
    return in_order, jumps, by_imageio


quiet = {"x265-params": "log-level=0:bframes=4"}
write("x264.mp4", "libx264", {"bf": "3"})
write("x265.mp4", "libx265", quiet)
write("x264 from 5 s.mp4", "libx264", {"bf": "3"}, start=5)
results = {}
for name in ("x264", "x265", "x264 from 5 s"):
    results[name] = wrong(name + ".mp4")
    print("{:14} wrong of {}: decord in order {}, jumping {:2}; imageio jumping {:2}".format(
        name, COUNT, *results[name]))
closed, opened, late = results.values()
same = closed == (0, 0, 0) and opened[0] == 0 and opened[1] > 5 and opened[2] > 5 and late[2] > 50
raise SystemExit(0 if same else "changed: no longer as described on top")
EOF
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
