#!/usr/bin/env python3
"""Times gradcam-live and the Python tools on the same work, in turn, and prints Markdown tables.

  scripts/bench_peers.py
  scripts/bench_peers.py --model-name mobilenet_v2 --frames 200 --rounds 5
  scripts/bench_peers.py --device cuda --threads 16

File to file: decode, resize, network, explanation, drawing, encode; the first 20 frames of each
turn are left out. Turns go round (A B C A B C ...) and medians are compared, because only ratios of
turns of one run mean something on a machine that others use. The peers are installed from PyPI into
.peers, which uses the torch of .venv.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Tuple

from gradcam_tools.bench.peer_environment import VENV_PYTHON, install, machine
from gradcam_tools.bench.turns import FORWARD, ROWS, Bench, Row, default_film, prepare
from gradcam_tools.paths import PROGRAM
from gradcam_tools.project_python import use_project_python

ENGINE_ROWS: List[Row] = [row for row in ROWS if row[0] != "eager" and "forward only" in row[1]]
ELSEWHERE = {"cpu": ["torchscript_fp16"], "cuda": ["openvino_f32", "openvino_bf16"]}  # no such row

# gradcam-live by device: name, title, whether OpenVINO runs it (else LibTorch), precision.
OURS: Dict[str, List[Tuple[str, str, bool, str]]] = {
    "cpu": [
        ("ours_torchscript", "gradcam-live, TorchScript fp32", False, "fp32"),
        ("ours_fp32", "**gradcam-live, OpenVINO fp32**", True, "fp32"),
        ("ours_auto", "**gradcam-live, OpenVINO auto**", True, "auto"),
    ],
    "cuda": [
        ("ours_fp32", "**gradcam-live, TorchScript fp32**", False, "fp32"),
        ("ours_auto", "**gradcam-live, TorchScript auto**", False, "auto"),
    ],
}
REFERENCES = ("ours_fp32", "ours_auto")  # what the other rows are compared with


def table(bench: Bench, rows: List[Tuple[str, str]], unit: str, faster_is: str) -> List[str]:
    """Markdown. The last columns say how many times faster gradcam-live is than the row."""
    lines = [f"| {unit} | median | lowest .. highest | gradcam-live fp32 is faster | auto |"]
    lines.append("|---|---|---|---|---|")
    for name, title in rows:
        value = bench.median(name)
        if value is None:
            reason = bench.failures.get(name, "not measured")
            lines.append(f"| {title} | – | {reason} | – | – |")
            continue
        ratios = []
        for reference in (bench.median(name) for name in REFERENCES):
            ratio = (reference or 0) / value
            if faster_is == "low" and reference:
                ratio = value / reference
            ratios.append(f"{ratio:.2f}x" if reference else "–")
        spread = f"{min(bench.values[name]):.4g} .. {max(bench.values[name]):.4g}"
        lines.append(f"| {title} | {value:.4g} | {spread} | {ratios[0]} | {ratios[1]} |")
    return lines


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model-name", default="resnet50", metavar="NAME", help="as export_model")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="else ../shared, else random")
    parser.add_argument("--layer", metavar="L", help="default: the export's")
    parser.add_argument("--film", type=Path, metavar="FILE", help="else ../shared, else the sample")
    parser.add_argument("--frames", type=int, default=120, metavar="N", help="per turn")
    parser.add_argument("--rounds", type=int, default=3, metavar="R")
    parser.add_argument(
        "--threads", type=int, default=min(2, os.cpu_count() or 1), metavar="T", help="and cores"
    )
    parser.add_argument("--device", default="cpu", choices=OURS)
    parser.add_argument("--only", metavar="ROW,...", help=f"of {', '.join(r[0] for r in ROWS)}")
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="FILE")
    parser.add_argument("--no-engine", action="store_true", help="leave out the second table")
    options = parser.parse_args()
    if options.frames <= 20 or options.rounds < 1 or options.threads < 1:
        parser.error("--frames must be over 20, --rounds and --threads at least 1")
    names = [row[0] for row in ROWS]
    for name in options.only.split(",") if options.only else []:
        if name not in names:
            parser.error(f"--only '{name}': one of {', '.join(names)}")
        if name in ELSEWHERE[options.device]:
            parser.error(f"--only '{name}': not with --device {options.device}")
    if not VENV_PYTHON.exists():
        parser.error("no .venv: run scripts/setup first")
    options.film = options.film or default_film()
    if not options.film.is_file():
        parser.error(f"--film '{options.film}': no such file")
    return options


def main() -> int:
    options = parse()
    missing = install()
    # Every turn inherits the same cores, whatever its own idea of a thread count.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    chosen = options.only.split(",") if options.only else [row[0] for row in ROWS]
    chosen = [name for name in chosen if name not in ELSEWHERE[options.device]]
    ours = OURS[options.device]
    rows = [row for row in ROWS if row[0] in chosen]
    engine_rows = [] if options.no_engine else [row for row in ENGINE_ROWS if row[0] in chosen]
    with tempfile.TemporaryDirectory(prefix="bench_peers") as name:
        folder = Path(name)
        prepare(options, folder)
        films, engines = Bench(options, folder, missing), Bench(options, folder, missing)
        begin = time.monotonic()
        for round_ in range(options.rounds):
            for name, _, openvino, precision in ours:
                films.program_turn(name, openvino, precision, engine=False)
            for row in rows:
                films.peer_turn(row, "frames_per_second")
            if not options.no_engine:
                for name, _, openvino, precision in ours:
                    engines.program_turn(name, openvino, precision, engine=True)
                for row in engine_rows:
                    engines.peer_turn(row, "ms", "--engine")
            took = time.monotonic() - begin
            print(f"bench_peers: round {round_ + 1} done, {took:.0f} s", file=sys.stderr)
    print(f"{options.model_name} at {options.layer}, {options.film.name}, {options.frames} frames,")
    print(f"medians of {options.rounds} rounds.")
    print(f"Machine: {machine(options)}.\n")
    titles = [(name, title) for name, title, _ in rows]
    titles += [(name, title) for name, title, _, _ in ours]
    print("\n".join(table(films, titles, "file to file, frames/s", "high")))
    if not options.no_engine:
        titles = [(name, title) for name, title, _ in engine_rows]
        for name, title, _, _ in ours:
            titles += [(name + FORWARD, f"{title.strip('*')}, forward only"), (name, title)]
        print("\n" + "\n".join(table(engines, titles, "engine alone, ms", "low")))
    return 0


if __name__ == "__main__":
    use_project_python("skvideo")
    sys.exit(main())
