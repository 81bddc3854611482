"""How well frames explained in one precision agree with fp32, by what the program writes."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradcam_tools.compile import agreement

FRAMES = 400  # of each film at most; more than those of ../shared have


@dataclasses.dataclass
class FrameResult:
    best: int  # class
    lead: float  # of its score over the second
    map_file: Path

    def heat(self) -> Tensor:
        return torch.from_numpy(np.asarray(Image.open(self.map_file), dtype=np.float64))


def compare(
    program: Path, model: Path, precision: str, films: Sequence[Path], lead: float, folder: Path
) -> agreement.Agreement:
    """Runs each film in fp32 and in `precision`; maps are of the best class of each run. `folder` is
    for what the runs write."""
    same, leads, correlations = [], [], []
    for film in films:
        expected = _run(program, model, "fp32", film, folder / "fp32")
        found = _run(program, model, precision, film, folder / precision)
        for ours, theirs in zip(found, expected, strict=True):
            same.append(ours.best == theirs.best)
            leads.append(theirs.lead)
            correlations.append(agreement.correlation(ours.heat(), theirs.heat()))
    return agreement.summary(same, leads, correlations, lead)


def _run(program: Path, model: Path, precision: str, film: Path, folder: Path) -> List[FrameResult]:
    shutil.rmtree(folder, ignore_errors=True)
    lines = folder.with_suffix(".jsonl")
    command = [str(program), str(film), "--model", str(model), "--device", "cpu", "-y"]
    command += ["--precision", precision]
    command += ["--limit", str(FRAMES), "--maps", str(folder), "--jsonl", str(lines)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if run.returncode:
        sys.exit(f"film_agreement: {' '.join(command)}: {run.stderr.strip()[-300:]}")
    maps = sorted(folder.iterdir())
    results = []
    for line, map_file in zip(lines.read_text().splitlines(), maps, strict=True):
        first, second = json.loads(line)["top"][:2]
        results.append(FrameResult(first["class"], first["score"] - second["score"], map_file))
    return results
