"""How far frames explained in one precision agree with fp32, by the program's own output."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np
from PIL import Image

FRAMES = 400  # of each film at most; more than those of ../shared have


@dataclasses.dataclass
class FrameResult:
    best: int  # class
    lead: float  # of its score over the second
    map_file: Path


@dataclasses.dataclass
class FilmAgreement:
    """Over all frames: pairs of (lead of fp32's best class, same best class), and Pearson's
    correlation of the maps as they lie on the frame."""

    same_best: List[Tuple[float, bool]] = dataclasses.field(default_factory=list)
    correlations: List[float] = dataclasses.field(default_factory=list)

    def share_same(self, least_lead: float) -> Tuple[float, int]:
        """Among frames whose best class leads by so much; and how many those are."""
        counted = [same for lead, same in self.same_best if lead >= least_lead]
        return (float(np.mean(counted)) if counted else 1.0, len(counted))

    def median(self) -> float:
        return float(np.median(self.correlations))


def compare(
    program: Path, model: Path, precisions: Sequence[str], films: Sequence[Path], folder: Path
) -> Dict[str, FilmAgreement]:
    """Runs each film in fp32 and in each of `precisions`. `folder` is for what the runs write."""
    found = {precision: FilmAgreement() for precision in precisions}
    for film in films:
        expected = _run(program, model, "fp32", film, folder / "fp32")
        for precision in precisions:
            others = _run(program, model, precision, film, folder / precision)
            for one, other in zip(expected, others, strict=True):
                found[precision].same_best.append((one.lead, one.best == other.best))
                found[precision].correlations.append(_correlation(one.map_file, other.map_file))
    return found


def _run(program: Path, model: Path, precision: str, film: Path, folder: Path) -> List[FrameResult]:
    shutil.rmtree(folder, ignore_errors=True)
    lines = folder.with_suffix(".jsonl")
    command = [str(program), str(film), "--model", str(model), "--precision", precision, "-y"]
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


def _correlation(one: Path, other: Path) -> float:
    a, b = (np.asarray(Image.open(file), dtype=np.float64).ravel() for file in (one, other))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else float(np.array_equal(a, b))
