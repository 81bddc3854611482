"""The other tools (the peers) in a Python environment of their own, .peers.

They are installed from PyPI; torch is that of .venv.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

from gradcam_tools.environment import make_environment
from gradcam_tools.paths import ROOT, SCRIPTS, VENV
from gradcam_tools.processor import cpu_flags

PEERS = ROOT / ".peers"
PEERS_PYTHON = PEERS / "bin/python"
VENV_PYTHON = VENV / "bin/python"
TURN_TIMEOUT_S = 900

# PyPI name → the module that shows it is there.
PACKAGES = {
    "opencv-python-headless": "cv2",
    "grad-cam": "pytorch_grad_cam",
    "torchcam": "torchcam",
    "captum": "captum",
    "openvino": "openvino",
}


def install() -> Dict[str, str]:
    """Makes .peers where it is missing; the packages that could not be had, with the reason."""
    make_environment(PEERS)
    missing: Dict[str, str] = {}
    for package, module in PACKAGES.items():
        if run_command([str(PEERS_PYTHON), "-c", f"import {module}"])[1]:
            print(f"bench_peers: installing {package}", file=sys.stderr)
            pip = [
                str(PEERS_PYTHON),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]
            _, reason = run_command([*pip, package])
            if reason:
                missing[package] = reason
    return missing


def run_command(command: List[str]) -> Tuple[str, str]:
    """Output and, when it failed, one line why. A module of this package may be started, too."""
    search = os.pathsep.join(filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")]))
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TURN_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": search},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)[:100]
    if run.returncode:
        return "", (run.stderr.strip().splitlines() or [f"exit {run.returncode}"])[-1][:100]
    return run.stdout, ""


def machine(options: argparse.Namespace) -> str:
    """The processor (or card), what it can do, and the versions of the peers, for a report."""
    names = ["torch", "torchvision", *PACKAGES]
    code = (
        "import importlib.metadata as m\n"
        f"for n in {names!r}:\n"
        "  try: print(n, m.version(n))\n"
        "  except m.PackageNotFoundError: pass\n"
    )
    versions, _ = run_command([str(PEERS_PYTHON), "-c", code])
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
        card, _ = run_command([str(PEERS_PYTHON), "-c", code])
        model = f"{card.strip()}, {model}"
    return (
        f"{model}, {os.cpu_count()} cores ({options.threads} used), "
        f"{' '.join(isa) or 'no AVX2'}; {', '.join(versions.splitlines())}"
    )
