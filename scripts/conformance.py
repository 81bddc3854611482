#!/usr/bin/env python3
"""Holds the maps of gradcam-live against those of the Python tools and prints a Markdown table.

  scripts/conformance.py
  scripts/conformance.py --only resnet50,vit_b_16 --methods gradcam,hirescam
  scripts/conformance.py -o docs/conformance.md
  scripts/conformance.py --onnx -o docs/conformance.md    its section of ONNX files alone

The same networks, weights, pictures, layers and classes, in fp32. With --onnx, maps of gradcam-live
from ONNX files against its own from TorchScript files. The peers (peer_maps.py) are
installed from PyPI into .peers, as bench_peers.py does. Exit 1: a row disagrees and no reason is
known; 77: skipped.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List, Optional, Sequence

from gradcam_tools.bench.peer_environment import PEERS, PEERS_PYTHON, VENV_PYTHON, install
from gradcam_tools.paths import PROGRAM, SHARED

os.environ["TQDM_DISABLE"] = "1"  # pytorch-grad-cam draws bars; read when tqdm is imported

if __name__ == "__main__" and Path(sys.prefix).resolve() != PEERS.resolve():
    if not VENV_PYTHON.exists():
        sys.exit("conformance: no .venv: run scripts/setup first")
    for missing, why in install().items():
        sys.exit(f"conformance: {missing} cannot be installed: {why}")
    os.execv(PEERS_PYTHON, [str(PEERS_PYTHON), *sys.argv])

from gradcam_tools.bench import conformance_table, onnx_conformance, peer_maps  # noqa: E402
from gradcam_tools.bench.conformance_rows import PLANS, SLOW, Conformance, Program  # noqa: E402
from gradcam_tools.bench.conformance_table import Row  # noqa: E402

MEDIA = SHARED / "media"
PICTURES = [MEDIA / "dog_and_cat_224.png", MEDIA / "rooster.jpg"]
SKIPPED = 77
PACKAGES = ["torch", "torchvision", "timm", "grad-cam", "torchcam", "captum", "scikit-learn", "numpy"]


def introduction(options: argparse.Namespace) -> str:
    arguments = ["scripts/conformance.py"]
    arguments += [f"--only {options.only}"] if options.only else []
    arguments += [f"--methods {options.methods}"] if options.methods else []
    arguments += ["--quick"] if options.quick else []
    return (
        f"`{' '.join(arguments)}`: maps of gradcam-live against those of other tools, with the same "
        "weights, pictures, layers and classes, in fp32 on the CPU."
    )


def notes(names: Sequence[str], pictures: Sequence[Path]) -> List[str]:
    layers = [
        f"{name}: {', '.join(PLANS[name].layers)}"
        + (f" ({PLANS[name].narrow} for {' and '.join(SLOW)})" if PLANS[name].narrow else "")
        for name in names
    ]
    return [
        f"Pictures: {', '.join(picture.name for picture in pictures)}, at the network's input size. "
        "ResNet-50 and EfficientNet-Lite0 have ImageNet weights, the others seeded random ones. "
        "Classes: the best of each picture, for both; also the second best where both have the "
        "same. Layers: " + "; ".join(layers) + ".",
        "The peers see networks whose in-place ReLUs and sums are ordinary ones: their hooks would "
        "show what an in-place operation made of the layer's output. \"sign turned\": the sign of a "
        "principal component is chance, and pytorch-grad-cam's AblationCAM turns the map over where "
        "the score is negative; there its map with the other sign is taken where it is nearer. For "
        "tokens pytorch-grad-cam's ShapleyCAM is given its activations as a map, without which it "
        "fails.",
    ]


def versions(program: Path) -> str:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=60)
    own = (said.stdout.strip().splitlines() or ["gradcam-live"])[0]
    return ", ".join([own, *(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)])


def chosen(given: Optional[str], known: Sequence[str], option: str) -> List[str]:
    names = given.split(",") if given else list(known)
    for name in names:
        if name not in known:
            sys.exit(f"conformance: {option} '{name}': one of {', '.join(known)}")
    return names


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    of_onnx = ", ".join(onnx_conformance.PLANS)
    parser.add_argument(
        "--only", metavar="NETWORK,...", help=f"of {', '.join(PLANS)}; with --onnx of {of_onnx}"
    )
    parser.add_argument("--methods", metavar="METHOD,...", help=f"of {', '.join(peer_maps.PEERS)}")
    parser.add_argument("--onnx", action="store_true", help="ONNX files against TorchScript files")
    parser.add_argument("--quick", action="store_true", help=f"leave out {' and '.join(SLOW)}")
    parser.add_argument("--pictures", nargs="+", type=Path, metavar="FILE", default=PICTURES)
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="besides stdout")
    return parser.parse_args()


def replace_section(path: Path, section: str) -> None:
    """In place of the one of this heading, else at the end."""
    heading = section.splitlines()[0]
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, behind = text.partition(heading + "\n")
    rest = behind[behind.index("\n## ") + 1 :] if found and "\n## " in behind else ""
    parts = [part.strip("\n") + "\n" for part in (before, section, rest) if part.strip()]
    path.write_text("\n".join(parts), encoding="utf-8")


def write_but_keep_onnx(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    _, found, behind = before.partition(onnx_conformance.HEADING + "\n")
    kept = f"\n{found}{behind}" if found else ""
    path.write_text(text + kept, encoding="utf-8")


def of_onnx_files(options: argparse.Namespace, names: List[str], methods: List[str]) -> int:
    rows: List[onnx_conformance.Row] = []
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        program = Program(options.program.resolve(), Path(folder))
        for name in names:
            files = onnx_conformance.OnnxConformance(name, options.pictures, program)
            for method in onnx_conformance.methods_of(name, methods):
                rows.append(files.row(method))
                print(rows[-1], file=sys.stderr, flush=True)
    section = "\n".join([*onnx_conformance.lines(rows), "", f"Versions: {versions(options.program)}.\n"])
    print(section, end="")
    if options.output:
        replace_section(options.output, section)
    return 0 if all(row.agrees for row in rows) else 1


def main() -> int:
    options = parse()
    plans = onnx_conformance.PLANS if options.onnx else PLANS
    names = chosen(options.only, list(plans), "--only")
    methods = chosen(options.methods, list(peer_maps.PEERS), "--methods")
    methods = [method for method in methods if not (options.quick and method in SLOW)]
    if not options.program.is_file():
        sys.exit(f"conformance: --program '{options.program}': not built")
    lacking = [str(picture) for picture in options.pictures if not picture.is_file()]
    if lacking and options.pictures is PICTURES:
        print("skipped: needs ../shared")
        return SKIPPED
    if lacking:
        print(f"conformance: --pictures '{lacking[0]}': no such file", file=sys.stderr)
        return 2
    if options.onnx:
        return of_onnx_files(options, names, methods)
    used = versions(options.program)
    rows: List[Row] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        program = Program(options.program.resolve(), Path(folder))
        for name in names:
            conformance = Conformance(name, options.pictures, program)
            for method in methods:
                found = conformance.rows(method)
                rows += found
                took = time.monotonic() - begin
                print(f"conformance: {took:.0f} s", *found, sep="\n", file=sys.stderr, flush=True)
            conformance.model.unlink()
    text = "\n".join(
        [
            "# Conformance\n",
            introduction(options),
            "",
            *conformance_table.lines(rows),
            "",
            *(f"{note}\n" for note in notes(names, options.pictures)),
            f"Versions: {used}.\n",
        ]
    )
    print(text, end="")
    if options.output:
        write_but_keep_onnx(options.output, text)
    return 1 if any(row.unexplained for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
