#!/usr/bin/env python3
"""Measures the figures that gradcam-live is held to and says of each whether it is met.

  scripts/bench_figures.py                 all of them, about an hour on two idle cores
  scripts/bench_figures.py --only engine,start
  scripts/bench_figures.py --rounds 5 --program build/release/gradcam-live
  scripts/bench_figures.py --only models --before older/gradcam-live --detector yolov8n.onnx
  scripts/bench_figures.py --only hd --rounds 5 --before older/gradcam-live

What is compared runs in turn (A B A B ...), and ratios of medians count, because milliseconds of a
machine that others use mean little. Networks: ResNet-50, MobileNetV2 and EfficientNet-Lite0, with
the weights of ../shared where they are there, else random ones (which take as long). Group models adds
Swin-T, ViT-S and YOLOX-nano, as the files that people have. What cannot be measured here is named at
the end. Ends with 1 where a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import List

from gradcam_tools.project_python import use_project_python

if __name__ == "__main__":
    use_project_python("skvideo")

from gradcam_tools.bench.figures import GROUPS, Figures, Row  # noqa: E402
from gradcam_tools.bench.peer_environment import VENV_PYTHON, machine  # noqa: E402
from gradcam_tools.bench.turns import default_film  # noqa: E402
from gradcam_tools.paths import PROGRAM  # noqa: E402
from gradcam_tools.processor import has_bf16  # noqa: E402


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="GROUP,...", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--rounds", type=int, default=3, metavar="R")
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="FILE")
    parser.add_argument(
        "--before", type=Path, metavar="FILE", help="an older build: models and hd are held against it, too"
    )
    parser.add_argument(
        "--detector", type=Path, metavar="FILE", help="of YOLOv8's size, for models: yolov8n.onnx"
    )
    options = parser.parse_args()
    options.groups = options.only.split(",") if options.only else list(GROUPS)
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"--only '{group}': one of {', '.join(GROUPS)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if not options.program.exists() or not VENV_PYTHON.exists():
        parser.error(f"no {options.program}: run scripts/setup and scripts/build first")
    for name, file in (("--before", options.before), ("--detector", options.detector)):
        if file is not None and not file.is_file():
            parser.error(f"{name} '{file}': no such file")
    options.device, options.threads = "cpu", min(2, os.cpu_count() or 1)
    options.film, options.frames = default_film(), 120
    return options


def main() -> int:
    options = parse()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    with tempfile.TemporaryDirectory(prefix="bench_figures") as name:
        figures = Figures(options, Path(name))
        rows: List[Row] = []
        print("| what | allowed | found | | |\n|---|---|---|---|---|", flush=True)
        for group in options.groups:
            begin = time.monotonic()
            found = GROUPS[group](figures)
            print("\n".join(map(str, found)), flush=True)
            print(f"bench_figures: {group}, {time.monotonic() - begin:.0f} s", file=sys.stderr)
            rows += found
        if not has_bf16():
            print("\nNo bf16 on this processor: rows of bf16 and of films in auto are left out.")
        if figures.left_out:
            print("\nLeft out: " + "; ".join(figures.left_out) + ".")
        print(f"\nMedians of {options.rounds} rounds. {machine(options)}.")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
