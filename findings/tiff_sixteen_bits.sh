#!/usr/bin/env bash
# A 16-bit TIFF that is white at zero, or whose colours are stored plane by plane, comes out as
# another picture from OpenCV and Pillow, without a word.
#
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, tifffile 2026.3.3.
# Guess:    what is right at 8 bits is right at 16. WhiteIsZero (X-rays, thermal pictures, scans)
#           is inverted always or never. IMREAD_UNCHANGED is IMREAD_COLOR with more bits.
# Happens:  WhiteIsZero: OpenCV inverts 16 bits by IMREAD_COLOR and not by IMREAD_UNCHANGED, so one
#           file gives its picture and its negative; at 8 bits it inverts by both. Pillow inverts 8
#           bits and not 16.
#           Planes one after another: Pillow gives wrong colours and wrong places where the 16-bit
#           file is not compressed, and the right picture from the same file deflated.
# Matters:  who changes to IMREAD_UNCHANGED to keep the bits of medical and thermal pictures gets
#           negatives of some files, and a network answers all the same. Ask for the tag (262)
#           first: tifffile gives tags and numbers as they are stored.
# Seen:     white is zero  8 bits  stored     4  Pillow   251  unchanged   251  colour 251
#           white is zero 16 bits  stored  1040  Pillow  1040  unchanged  1040  colour 251
#           planes  8 bits, as they are: red green blue yellow
#           planes  8 bits, deflated:    red green blue yellow
#           planes 16 bits, as they are: red red red red
#           planes 16 bits, deflated:    red green blue yellow
set -euo pipefail
packages="opencv-python-headless==5.0.0.93 pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'EOF'
import cv2
import numpy as np
import tifffile
from PIL import Image

NAMES = {(True, False, False): "red", (False, True, False): "green", (False, False, True): "blue",
         (True, True, False): "yellow"}
DEPTHS = {8: np.uint8, 16: np.uint16}


def quarters(dtype: type) -> np.ndarray:
    """Red over green on the left, blue over yellow on the right; 64x40, RGB."""
    picture = np.zeros((40, 64, 3), dtype)
    full = np.iinfo(dtype).max
    picture[:20, :32, 0] = picture[20:, :32, 1] = picture[:20, 32:, 2] = full
    picture[20:, 32:, :2] = full
    return picture


def white_is_zero(bits: int) -> tuple[int, ...]:
    """A dark number as stored, and as read by Pillow, IMREAD_UNCHANGED and IMREAD_COLOR."""
    file = f"white_{bits}.tif"
    ramp = np.linspace(0, np.iinfo(DEPTHS[bits]).max, 64).astype(DEPTHS[bits])
    tifffile.imwrite(file, np.tile(ramp, (40, 1)), photometric="miniswhite")
    pictures = (tifffile.imread(file), np.asarray(Image.open(file)),
                cv2.imread(file, cv2.IMREAD_UNCHANGED), cv2.imread(file, cv2.IMREAD_COLOR)[..., 0])
    values = tuple(int(picture[20, 1]) for picture in pictures)
    print("white is zero {:2} bits  stored {:5}  Pillow {:5}  unchanged {:5}  colour {}".format(
        bits, *values))
    return values


def planes(bits: int, compression: str | None) -> str:
    """The colours of the four quarters as Pillow reads them."""
    file = f"planes_{bits}_{compression}.tif"
    tifffile.imwrite(file, np.moveaxis(quarters(DEPTHS[bits]), -1, 0), photometric="rgb",
                     planarconfig="separate", compression=compression)
    rgb = np.asarray(Image.open(file).convert("RGB")) > 127
    colours = " ".join(NAMES.get(tuple(rgb[place].tolist()), "other")
                       for place in ((10, 10), (30, 10), (10, 50), (30, 50)))
    print(f"planes {bits:2} bits, {'deflated:   ' if compression else 'as they are:'} {colours}")
    return colours


whites = {bits: white_is_zero(bits) for bits in DEPTHS}
colours = {(bits, way): planes(bits, way) for bits in DEPTHS for way in (None, "deflate")}
wrong = [key for key, names in colours.items() if names != "red green blue yellow"]
same = whites == {8: (4, 251, 251, 251), 16: (1040, 1040, 1040, 251)} and wrong == [(16, None)]
raise SystemExit(0 if same else "changed: no longer as described on top")
EOF
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
