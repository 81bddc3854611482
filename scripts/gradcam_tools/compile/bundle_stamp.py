"""The stamp in a bundle's model.json: what the bundle was made for, and sums of its files.

    python -m gradcam_tools.compile.bundle_stamp FOLDER

exits with 0 if FOLDER is a bundle of today's format for the torch of this Python, else with 1. It
loads neither torch nor OpenVINO.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import zlib
from pathlib import Path
from typing import Any, Dict, Sequence

FORMAT = 3  # of the bundle; read by stages/explain/model/bundle.cpp


def stamp(folder: Path, names: Sequence[str]) -> Dict[str, Any]:
    """`names`: the files to sum up, where they are there."""
    import openvino
    import torch

    files = {}
    for name in (name for name in names if (folder / name).exists()):
        content = (folder / name).read_bytes()
        files[name] = {"bytes": len(content), "crc32": zlib.crc32(content)}
    return {
        "bundle": FORMAT,
        "torch": _public(torch.__version__),
        "openvino": openvino.__version__.split("-")[0],
        "files": files,
    }


def _public(version: str) -> str:
    """Without the CUDA version that torch may add behind a "+"."""
    return version.split("+")[0]


def is_current(folder: Path) -> bool:
    """Whether the bundle is of FORMAT and was made with the torch of this Python."""
    try:
        found = json.loads((folder / "model.json").read_text(encoding="utf-8"))["stamp"]
        made_for = found["bundle"], found["torch"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return made_for == (FORMAT, _public(importlib.metadata.version("torch")))


if __name__ == "__main__":
    sys.exit(0 if is_current(Path(sys.argv[1])) else 1)
