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
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import sample_clip
from processor import cpu_flags, has_bf16
from project_python import use_project_python

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".peers"
VENV_PYTHON = ROOT / ".venv/bin/python"
SHARED = ROOT.parent / "shared"
RESNET50_WEIGHTS = SHARED / "models/resnet50_imagenet/resnet50_imagenet_state_dict.pth"
FILM = SHARED / "media/cat_640x360_h264.mp4"
LITE0 = "efficientnet_lite0"
TURN_TIMEOUT_S = 900

# PyPI name → the module that shows it is there.
PACKAGES = {
    "opencv-python-headless": "cv2",
    "grad-cam": "pytorch_grad_cam",
    "torchcam": "torchcam",
    "captum": "captum",
    "openvino": "openvino",
}

# Row: peer's name in peers.py, title, package it needs.
Row = Tuple[str, str, Optional[str]]
ROWS: List[Row] = [
    ("notebook", "the notebook's loop (hooks, full backward)", None),
    ("grad_cam", "pytorch-grad-cam as documented", "grad-cam"),
    ("grad_cam_frozen", "pytorch-grad-cam, parameters frozen", "grad-cam"),
    ("captum", "captum LayerGradCam", "captum"),
    ("torchcam", "torchcam GradCAM", "torchcam"),
    ("eager", "forward only, eager", None),
    ("torchscript", "forward only, frozen channels_last TorchScript", None),
    ("torchscript_fp16", "the same in fp16, forward only", None),
    ("openvino_f32", "forward only, OpenVINO fp32", "openvino"),
    ("openvino_bf16", "forward only, OpenVINO bf16", "openvino"),
]
ENGINE_ROWS: List[Row] = [row for row in ROWS if row[0] != "eager" and "forward only" in row[1]]
ELSEWHERE = {"cpu": ["torchscript_fp16"], "cuda": ["openvino_f32", "openvino_bf16"]}  # no such row

# gradcam-live by device: name, title, whether it is given the bundle, precision.
OURS: Dict[str, List[Tuple[str, str, bool, str]]] = {
    "cpu": [
        ("ours_torchscript", "gradcam-live, TorchScript fp32", False, "fp32"),
        ("ours_fp32", "**gradcam-live, bundle fp32**", True, "fp32"),
        ("ours_auto", "**gradcam-live, bundle auto**", True, "auto"),
    ],
    "cuda": [
        ("ours_fp32", "**gradcam-live, TorchScript fp32**", False, "fp32"),
        ("ours_auto", "**gradcam-live, TorchScript auto**", False, "auto"),
    ],
}
REFERENCES = ("ours_fp32", "ours_auto")  # what the other rows are compared with
FORWARD = " forward"  # behind the name: the same engine without an explanation


def install() -> Dict[str, str]:
    """Makes .peers where it is missing; the packages that could not be had, with the reason."""
    python = PEERS / "bin/python"
    if not list(PEERS.glob("lib/*/site-packages/project_venv.pth")):
        print("bench_peers: creating .peers", file=sys.stderr)
        venv = [str(VENV_PYTHON), "-m", "venv", "--clear", str(PEERS)]
        subprocess.run(venv, check=True, timeout=300)
        where = "import sys; print(*[p for p in sys.path if p.endswith('-packages')], sep='\\n')"
        shared = subprocess.check_output([str(VENV_PYTHON), "-c", where], text=True)
        own = subprocess.check_output([str(python), "-c", where], text=True).split()[0]
        (Path(own) / "project_venv.pth").write_text(shared)
    missing: Dict[str, str] = {}
    for package, module in PACKAGES.items():
        if run_command([str(python), "-c", f"import {module}"])[1]:
            print(f"bench_peers: installing {package}", file=sys.stderr)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _, reason = run_command([*pip, package])
            if reason:
                missing[package] = reason
    return missing


def last_json(text: str) -> Dict[str, Any]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


def run_command(command: List[str]) -> Tuple[str, str]:
    """Output and, when it failed, one line why."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TURN_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)[:100]
    if run.returncode:
        return "", (run.stderr.strip().splitlines() or [f"exit {run.returncode}"])[-1][:100]
    return run.stdout, ""


def rate_of(stats: Dict[str, Any]) -> float:
    """Frames/s of a run, from the 21st frame on, out of `--stats`."""
    return float(stats["streams"][0]["frames_per_second"])


def engine_ms_of(stats: Dict[str, Any], name: str) -> Dict[str, float]:
    """Median milliseconds of the bare and of the explained pass, out of `bench --stats`."""
    engine = stats.get("engine", stats)
    return {
        name + FORWARD: float(engine["forward_only_ms"]["p50"]),
        name: float(engine["explained_ms"]["p50"]),
    }


class Bench:
    """Runs turns and keeps what they measured: values[row] or failures[row]."""

    def __init__(self, options: argparse.Namespace, folder: Path, missing: Dict[str, str]) -> None:
        self.options = options
        self.folder = folder
        self.missing = missing
        self.values: Dict[str, List[float]] = {}
        self.failures: Dict[str, str] = {}

    def peer_command(self, name: str, *extra: str) -> List[str]:
        options = self.options
        command = [str(PEERS / "bin/python"), str(ROOT / "scripts/peers.py"), name]
        command += ["--model-name", options.model_name, "--model", str(options.model)]
        command += ["--layer", options.layer, "--film", str(options.film)]
        command += ["--output", str(self.folder / "peer.mp4"), "--frames", str(options.frames)]
        command += ["--threads", str(options.threads), "--device", options.device, *extra]
        return command + (["--weights", str(options.weights)] if options.weights else [])

    def program_command(self, bundle: bool, precision: str, *arguments: str) -> List[str]:
        options = self.options
        command = [str(options.program), *arguments, "--layer", options.layer]
        command += ["--model", str(options.bundle if bundle else options.model)]
        return [*command, "--precision", precision, "--device", options.device]

    def fail(self, row: str, reason: str) -> None:
        self.failures[row] = reason
        print(f"bench_peers: {row}: {reason}", file=sys.stderr)

    def peer_turn(self, row: Row, key: str, *extra: str) -> None:
        name, _, package = row
        if name in self.failures:
            return
        if package in self.missing:
            return self.fail(name, f"not installed: {self.missing[package or '']}")
        if name == "openvino_bf16" and not has_bf16():
            return self.fail(name, "this processor has no bf16")
        output, reason = run_command(self.peer_command(name, *extra))
        found = last_json(output)
        if key not in found:
            return self.fail(name, reason or "printed no figure")
        self.values.setdefault(name, []).append(found[key])

    def program_turn(self, name: str, bundle: bool, precision: str, engine: bool) -> None:
        if name in self.failures:
            return
        stats = self.folder / "stats.json"
        stats.unlink(missing_ok=True)
        if engine:
            arguments = ["bench"]
        else:
            film, output = str(self.options.film), str(self.folder / "ours.mp4")
            arguments = [film, "-o", output, "-y", "--limit", str(self.options.frames)]
        arguments += ["--stats", str(stats)]
        _, reason = run_command(self.program_command(bundle, precision, *arguments))
        try:
            if reason:
                raise ValueError(reason)
            found = json.loads(stats.read_text())
            measured = engine_ms_of(found, name) if engine else {name: rate_of(found)}
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            return self.fail(name, reason or f"{type(error).__name__}: {error}")
        for row, value in measured.items():
            self.values.setdefault(row, []).append(value)

    def median(self, row: str) -> Optional[float]:
        return statistics.median(self.values[row]) if row in self.values else None


def table(bench: Bench, rows: List[Tuple[str, str]], unit: str, faster_is: str) -> List[str]:
    """The last columns: how many times faster gradcam-live is than the row."""
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


def machine(options: argparse.Namespace) -> str:
    names = ["torch", "torchvision", *PACKAGES]
    code = (
        "import importlib.metadata as m\n"
        f"for n in {names!r}:\n"
        "  try: print(n, m.version(n))\n"
        "  except m.PackageNotFoundError: pass\n"
    )
    versions, _ = run_command([str(PEERS / "bin/python"), "-c", code])
    model = platform.processor() or "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
    isa = [flag for flag in wanted if flag in cpu_flags()]
    if options.device == "cuda":
        code = "import torch; print(torch.cuda.get_device_name())"
        card, _ = run_command([str(PEERS / "bin/python"), "-c", code])
        model = f"{card.strip()}, {model}"
    return (
        f"{model}, {os.cpu_count()} cores ({options.threads} used), "
        f"{' '.join(isa) or 'no AVX2'}; {', '.join(versions.splitlines())}"
    )


def make_model(options: argparse.Namespace, script: str, output: Path, *more: str) -> None:
    """Of options.model_name with options.weights, else the published ones or random ones, by
    compile_model or export_model."""
    command = [str(PEERS / "bin/python"), str(ROOT / "scripts" / f"{script}.py")]
    command += [options.model_name, "-o", str(output), *more]
    if options.weights:
        command += ["--weights", str(options.weights)]
    elif options.model_name != LITE0:
        command += ["--random-weights"]
    if options.layer:
        command += ["--layer", options.layer]
    _, reason = run_command(command)
    if reason:
        sys.exit(f"bench_peers: {reason}")


def described_layer(model: Path) -> str:
    """Of the description beside the file, or inside it."""
    beside = model.with_suffix(".json")
    if beside.exists():
        return str(json.loads(beside.read_text())["layer"])
    with zipfile.ZipFile(model) as file:
        inside = next(name for name in file.namelist() if name.endswith("extra/gradcam.json"))
        return str(json.loads(file.read(inside))["layer"])


def prepare(options: argparse.Namespace, folder: Path) -> None:
    """Weights, the TorchScript export and the layer, where the user gave none."""
    if options.weights is None and options.model_name == "resnet50" and RESNET50_WEIGHTS.exists():
        options.weights = RESNET50_WEIGHTS
    if options.device == "cuda":  # bundles are for the CPU
        options.model = options.bundle = folder / f"{options.model_name}.pt"
        make_model(options, "export_model", options.model)
    else:
        options.bundle = folder / f"{options.model_name}.bundle"
        options.model = options.bundle / "model.pt"
        make_model(options, "compile_model", options.bundle)
    if not options.layer:
        options.layer = described_layer(options.model)


def default_film() -> Path:
    if FILM.exists():
        return FILM
    return sample_clip.path() or sys.exit("bench_peers: no sample clip: run scripts/setup")


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
    parser.add_argument(
        "--program", type=Path, default=ROOT / "build/release/gradcam-live", metavar="FILE"
    )
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
            for name, _, bundle, precision in ours:
                films.program_turn(name, bundle, precision, engine=False)
            for row in rows:
                films.peer_turn(row, "frames_per_second")
            if not options.no_engine:
                for name, _, bundle, precision in ours:
                    engines.program_turn(name, bundle, precision, engine=True)
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
