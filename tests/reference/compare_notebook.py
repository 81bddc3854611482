#!/usr/bin/env python3
"""Compares `gradcam-live --style notebook` with the notebook's own steps (notebook.py).

  compare_notebook.py [--program build/release/gradcam-live] [--model build/models/resnet50.pt]
                      [PICTURE...]

By hand: PYTHONPATH=scripts .venv/bin/python tests/reference/compare_notebook.py

Without pictures: those of ../shared and frames of its films. Same top-5 in the same order,
probabilities within 1e-3, map within 0.01 everywhere. Exit 77: skipped, 1: different.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

import numpy as np
from PIL import Image
from torch import nn

import notebook
from gradcam_tools.paths import PROGRAM, RESNET50_WEIGHTS, ROOT, SCRIPTS, SHARED

SKIPPED = 77
SCORE_TOLERANCE = 1e-3
MAP_TOLERANCE = 0.01


def film_frames(folder: Path) -> List[Path]:
    """Three frames of each film of ../shared, spread over its length, as PNG."""
    frames: List[Path] = []
    for film in sorted((SHARED / "media").glob("*.mp4")):
        pick = "select='eq(n,10)+eq(n,100)+eq(n,200)'"
        target = folder / f"{film.stem}_%d.png"
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(film),
            "-vf",
            pick,
            "-fps_mode",
            "passthrough",
        ]
        subprocess.run([*command, str(target)], check=True, timeout=120)
        frames += sorted(folder.glob(f"{film.stem}_*.png"))
    return frames


def export(model: Path) -> None:
    script = SCRIPTS / "export_model.py"
    command = [
        sys.executable,
        str(script),
        "resnet50",
        "--weights",
        str(RESNET50_WEIGHTS),
        "-o",
        str(model),
    ]
    subprocess.run(command, check=True, timeout=300)


def explain(program: Path, model: Path, pictures: List[Path], folder: Path) -> List[dict]:
    """What the program says of each picture, in one run over a folder of them."""
    source = folder / "pictures"
    source.mkdir()
    for number, picture in enumerate(pictures):
        (source / f"{number:03d}{picture.suffix}").symlink_to(picture.resolve())
    maps, lines = folder / "maps", folder / "lines.jsonl"
    maps.mkdir()
    command = [str(program), str(source), "--model", str(model), "--style", "notebook"]
    command += ["--layer", notebook.LAYER, "--precision", "fp32", "--output", "null"]
    command += ["--maps", str(maps), "--jsonl", str(lines)]
    run = subprocess.run(command, timeout=300, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"BAD  exit {run.returncode}: {run.stderr.strip()[-200:]}")
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    if len(found) != len(pictures):
        sys.exit(f"BAD  {len(found)} lines for {len(pictures)} pictures")
    for number, line in enumerate(found):
        line["map"] = np.asarray(Image.open(maps / f"{number:06d}.tiff"))
    return found


def compare(module: nn.Module, picture: Path, explained: dict) -> bool:
    """Explains one picture as the notebook does and prints one line."""
    expected, top = notebook.explain(module, picture)
    found, cam = explained["top"], explained["map"]
    if cam.shape != expected.shape or cam.dtype != np.float32:
        print(f"BAD  {picture.name}: map {cam.shape} {cam.dtype}, not float32 {expected.shape}")
        return False
    difference = float(np.abs(cam - expected).max())
    score = max(abs(ours["score"] - theirs["score"]) for ours, theirs in zip(found, top))
    order = [entry["class"] for entry in found[:5]] == [entry["class"] for entry in top]
    labels = [entry["label"] for entry in found[:5]] == [entry["label"] for entry in top]
    # A negated comparison would let NaN pass.
    good = order and labels and score <= SCORE_TOLERANCE and difference <= MAP_TOLERANCE
    same = "same" if order and labels else found
    print(
        f"{'ok  ' if good else 'BAD '} {picture.name}: top-5 {same}, "
        f"probabilities within {score:.1e}, map within {difference:.1e} ({top[0]['label']})"
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", type=Path, default=PROGRAM)
    parser.add_argument("--model", type=Path, default=ROOT / "build/models/resnet50.pt")
    parser.add_argument("pictures", nargs="*", type=Path)
    options = parser.parse_args()
    if not RESNET50_WEIGHTS.exists():
        print("skipped: needs ../shared")
        return SKIPPED
    if not options.program.is_file():
        print(f"compare_notebook: --program '{options.program}': not built", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not options.model.exists():
            options.model = folder / "resnet50.pt"
            export(options.model)
        module = notebook.load("resnet50", RESNET50_WEIGHTS)
        media = SHARED / "media"
        pictures = options.pictures or [
            media / "rooster.jpg",
            media / "dog_and_cat_224.png",
            media / "chest_xray_healthy.png",
            *film_frames(folder),
        ]
        explained = explain(options.program, options.model, pictures, folder)
        results = [compare(module, *pair) for pair in zip(pictures, explained)]
    print(f"{sum(results)} of {len(results)} pictures as the notebook explains them")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
