"""What gradcam-live makes of a network file: the pictures that it takes, and what it explains."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradcam_tools.networks.network import MODEL, USAGE, NetworkError
from gradcam_tools.paths import PROGRAM

TIMEOUT_S = 1800


@dataclasses.dataclass
class Explained:
    """A frame: its first class and box, by how much the score leads over the next class's (None
    where there is none), and where its map lies (None where nothing was there to explain)."""

    best: Optional[int]
    box: Optional[List[float]]
    lead: Optional[float]
    map_file: Optional[Path]

    def heat(self) -> Optional[Tensor]:
        if self.map_file is None:
            return None
        return torch.from_numpy(np.asarray(Image.open(self.map_file), dtype=np.float64))


@dataclasses.dataclass
class Known:
    """What the program tells of a file: the layers that it explains, and how it brings pictures to
    the network, in a description's words."""

    layers: List[str]
    pictures: Dict[str, Any]


class Program:
    """`folder`: for what the program keeps and writes."""

    def __init__(self, folder: Path, path: Path = PROGRAM) -> None:
        if not path.exists():
            raise NetworkError(USAGE, f"needs gradcam-live, and {path} is not built: scripts/build")
        self._path = path
        self._folder = folder

    def known(self, model: Path, *options: str) -> Known:
        form = ("--engine=torchscript", "--precision=fp32")  # nothing is measured
        said = self._run("info", str(model), *form, *options)
        lines = dict(line.split(None, 1) for line in said.splitlines() if " " in line.strip())
        return Known(lines["layer"].split(", "), json.loads(lines["pictures"]))

    def explain(self, model: Path, source: Path, *options: str) -> List[Explained]:
        """The frames of a film, or the pictures of a folder."""
        number = len(list(self._folder.iterdir()))
        maps, lines = self._folder / f"maps{number}", self._folder / f"lines{number}"
        self._run(
            *(str(source), "--model", str(model), *options, "--headless"),
            *("--maps", str(maps), "--jsonl", str(lines)),
        )
        return [_explained(json.loads(line), maps) for line in lines.read_text().splitlines()]

    def _run(self, *arguments: str) -> str:
        own = {key: value for key, value in os.environ.items() if not key.startswith("GRADCAM_")}
        done = subprocess.run(
            [str(self._path), *arguments, "--device", "cpu", "--log-level", "error"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env={**own, "XDG_CACHE_HOME": str(self._folder)},
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
            raise NetworkError(MODEL, f"gradcam-live: {said[-1].removeprefix('gradcam-live: ')}")
        return done.stdout


def _explained(line: Dict[str, Any], maps: Path) -> Explained:
    top, boxes = line.get("top") or [], line.get("boxes") or []
    map_file = maps / f"{line['frame']:06}.tiff"
    return Explained(
        best=top[0]["class"] if top else None,
        box=boxes[0]["xyxy"] if boxes else None,
        lead=top[0]["score"] - top[1]["score"] if len(top) > 1 and not boxes else None,
        map_file=map_file if map_file.exists() else None,
    )
