#!/usr/bin/env python3
"""Prints tests/data/pil_resize.txt: samples of PIL's antialiased bilinear resize of a picture that
C++ can make as well, pixel(x, y, c) = (x*7 + y*13 + c*101 + (x*y) % 17 * 3) % 256.

  PYTHONPATH=scripts .venv/bin/python tests/reference/pil_resize.py > tests/data/pil_resize.txt
"""

from __future__ import annotations

import numpy as np
import PIL
from PIL import Image

from gradcam_tools.networks.network import pattern

SIZES = [
    ((640, 272), (224, 224)),
    ((720, 559), (224, 224)),
    ((100, 80), (224, 224)),
    ((37, 53), (32, 48)),
    # Tall: Pillow 13 begins with the columns where H - h > 2 (W - w). Just not, just so, far beyond,
    # a width that grows, one pass only.
    ((334, 444), (224, 224)),
    ((333, 444), (224, 224)),
    ((300, 900), (224, 224)),
    ((60, 300), (224, 224)),
    ((224, 500), (224, 224)),
    ((60, 40), (224, 224)),
]
SAMPLES = 40


def main() -> None:
    print(f"# Image.resize(size, BILINEAR) of Pillow {PIL.__version__}; made by")
    print("# tests/reference/pil_resize.py from a picture of width x height x 3, u8,")
    print("# pixel(x, y, c) = (x*7 + y*13 + c*101 + (x*y) % 17 * 3) % 256.")
    print("# resize WIDTH HEIGHT NEW_WIDTH NEW_HEIGHT SUM (of all values); samples: x y c value")
    for (width, height), (new_width, new_height) in SIZES:
        picture = Image.fromarray(pattern(height, width).numpy())
        resized = np.asarray(picture.resize((new_width, new_height), Image.Resampling.BILINEAR))
        print(f"resize {width} {height} {new_width} {new_height} {resized.sum(dtype=np.int64)}")
        corners = [(0, 0), (new_width - 1, 0), (0, new_height - 1), (new_width - 1, new_height - 1)]
        inner = [
            (index * 53 % new_width, index * 37 % new_height)
            for index in range(1, SAMPLES - len(corners) + 1)
        ]
        for index, (x, y) in enumerate(corners + inner):
            print(x, y, index % 3, resized[y, x, index % 3])


if __name__ == "__main__":
    main()
