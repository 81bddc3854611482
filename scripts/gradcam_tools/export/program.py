"""Gives an exported file to the program: what the exporter promises, the program must keep."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from PIL import Image

from gradcam_tools.networks.network import MODEL, Network, NetworkError, pattern
from gradcam_tools.networks.outputs import answer
from gradcam_tools.paths import PROGRAM

TOLERANCE = 1e-3  # of a share, 0..1
TIMEOUT_S = 600


def try_program(network: Network, labels: Optional[List[str]], file: Path) -> str:
    """Lets the program load `file` and explain a picture, and compares the shares of classes that it
    tells with those of the eager network. What became of it, in words. Raises where the program
    refuses the file or tells other shares."""
    if not PROGRAM.exists():
        return f"not tried with the program, which is not built ({PROGRAM})"
    pixels = pattern(*network.input_size)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "pattern.png"
        Image.fromarray(pixels.numpy()).save(picture)
        line = _explained(network, file, picture, Path(folder))
    if network.task == "classification" and network.framing.crop is None:
        _compare(network, labels, pixels, line)
    return "taken by gradcam-live"


def _explained(network: Network, file: Path, picture: Path, folder: Path) -> Dict[str, Any]:
    """The program's JSON line for the picture."""
    command = [str(PROGRAM), str(picture), "--model", str(file), "--output", "null", "--jsonl", "-"]
    command += ["--device", "cpu", "--engine", "torchscript", "--precision", "fp32"]
    command += ["--log-level", "error", "--headless"]
    if network.task == "embedding":
        command += ["--reference", str(picture)]
    own = {key: value for key, value in os.environ.items() if not key.startswith("GRADCAM_")}
    own["XDG_CACHE_HOME"] = str(folder)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, env=own, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(network, f"takes over {TIMEOUT_S} s for one picture") from None
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or len(lines) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("gradcam-live: ")]
        reason = said[-1].removeprefix("gradcam-live: ") if said else f"exit {done.returncode}"
        raise _refused(network, f"refuses it: {reason.replace(str(file), file.name)}")
    return lines[0]


def _compare(
    network: Network, labels: Optional[List[str]], pixels: torch.Tensor, line: Dict[str, Any]
) -> None:
    with torch.no_grad():
        scores = answer(network, network.normalise(pixels)).reshape(-1)
    activation = network.output.get("activation", "softmax")
    shares = {"softmax": scores.softmax(0), "sigmoid": scores.sigmoid()}.get(activation, scores)
    if len(shares) == 1:  # the share of one of two classes: of two labels of the second
        shares = torch.cat([shares, 1 - shares])
        if labels is not None and len(labels) == 2:
            shares = shares.flip(0)
    for entry in line["top"]:
        expected = shares[entry["class"]].item()
        if abs(entry["score"] - expected) > TOLERANCE:
            raise _refused(
                network,
                f"gives class {entry['class']} {entry['score']:.4f}, PyTorch {expected:.4f}",
            )


def _refused(network: Network, why: str) -> NetworkError:
    return NetworkError(MODEL, f"{network.name}: the export is as eager, but gradcam-live {why}")
