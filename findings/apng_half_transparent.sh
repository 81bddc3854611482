#!/usr/bin/env bash
# A half transparent frame of an animated PNG, laid over an empty place, is a quarter opaque in Pillow.
#
# Versions: pillow 13.0.0, av 18.1.0 (FFmpeg), opencv-python-headless 5.0.0.93.
# Guess:    a frame that is laid over transparent black (blend operation 1, APNG_BLEND_OP_OVER) shows
#           its own colours and its own alpha: the formula of the specification (PNG, "alpha
#           composition"), and what Pillow's own Image.alpha_composite() gives.
# Happens:  Pillow pastes the frame with itself as the mask, which multiplies alpha by itself (120
#           becomes 56) and darkens the colours (200 becomes 94). FFmpeg and OpenCV follow the
#           specification. Frames that take the place of what is there (blend operation 0) are right
#           in all of them.
# Matters:  stickers, screen recordings and renderings with soft shadows come out darker and thinner
#           in data sets that are read with Pillow than in browsers and films made of the same file.
# Seen:     Pillow  takes the place (200, 100, 40, 120)  laid over (94, 47, 19, 56)
#           FFmpeg  takes the place (200, 100, 40, 120)  laid over (200, 100, 40, 120)
#           OpenCV  takes the place (200, 100, 40, 120)  laid over (200, 100, 40, 120)
set -euo pipefail
packages="pillow==13.0.0 av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'EOF'
import struct
import zlib

import av
import cv2
from PIL import Image

SIZE = 8
COLOUR = (200, 100, 40, 120)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pixels(colour: tuple[int, ...]) -> bytes:
    return zlib.compress((b"\0" + bytes(colour) * SIZE) * SIZE)


def write(path: str, blend: int) -> None:
    """An empty frame, and over it one of one colour."""
    control = [struct.pack(">IIIIIHHBB", i, SIZE, SIZE, 0, 0, 1, 10, 0, b)
               for i, b in ((0, 0), (1, blend))]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)),
             (b"acTL", struct.pack(">II", 2, 0)),
             (b"fcTL", control[0]), (b"IDAT", pixels((0, 0, 0, 0))),
             (b"fcTL", control[1]), (b"fdAT", struct.pack(">I", 2) + pixels(COLOUR)),
             (b"IEND", b"")]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def by_pillow(path: str) -> tuple[int, ...]:
    with Image.open(path) as picture:
        picture.seek(1)
        return picture.convert("RGBA").getpixel((4, 4))


def by_ffmpeg(path: str) -> tuple[int, ...]:
    with av.open(path) as film:
        frames = list(film.decode(video=0))
    return tuple(frames[1].to_ndarray(format="rgba")[4, 4].tolist())


def by_opencv(path: str) -> tuple[int, ...]:
    _, frames = cv2.imreadmulti(path, flags=cv2.IMREAD_UNCHANGED)
    blue, green, red, alpha = frames[1][4, 4].tolist()
    return red, green, blue, alpha


seen = {}
for name, read in (("Pillow", by_pillow), ("FFmpeg", by_ffmpeg), ("OpenCV", by_opencv)):
    for blend in (0, 1):
        write("a.png", blend)
        seen[name, blend] = read("a.png")
    print(f"{name}  takes the place {seen[name, 0]}  laid over {seen[name, 1]}")
others = {seen[key] for key in seen if key != ("Pillow", 1)}
same = others == {COLOUR} and seen["Pillow", 1][3] == 56
raise SystemExit(0 if same else "changed: no longer as described on top")
EOF
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
