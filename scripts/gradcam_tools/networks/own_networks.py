"""Networks of the user's own: an ONNX file, or a function in a Python file."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional, Tuple

import torch
from torch import nn

from gradcam_tools.networks import onnx_file
from gradcam_tools.networks.checkpoints import load, read_state_dict
from gradcam_tools.networks.conventions import IMAGENET, Conventions, text
from gradcam_tools.networks.network import (
    MODEL,
    USAGE,
    Framing,
    Network,
    NetworkError,
    first_line,
    pattern,
)
from gradcam_tools.networks.outputs import answer, give_one, tensors
from gradcam_tools.networks.wanted import PIXELS, WantedInput
from gradcam_tools.paths import SCRIPTS

FUNCTION = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_]\w*)")


def is_own(name: str) -> bool:
    return name.endswith((".onnx", ".py")) or FUNCTION.fullmatch(name) is not None


def build(
    name: str,
    weights: Optional[Path],
    wanted: WantedInput,
    conventions: Conventions = IMAGENET,
    select: Optional[str] = None,
) -> Network:
    """The network of an ONNX file or of a function; its notes say what was assumed."""
    torch.manual_seed(0)
    is_onnx = name.endswith(".onnx")
    size: Optional[List[int]] = None
    left_out: Dict[str, List[int]] = {}
    if is_onnx:
        path = Path(name)
        module, size, left_out = onnx_file.read(path, select)
    else:
        path, module = _call(name)
    if size and wanted.input_size and wanted.input_size != size:
        raise NetworkError(
            USAGE, f"--input-size {text(wanted.input_size)}: '{name}' takes only {text(size)}"
        )
    if weights is not None:
        load(module, name, weights, read_state_dict(weights))
    module.eval().requires_grad_(False)
    if select is not None and not is_onnx:
        left_out = give_one(module, path.name, select)
    known = dataclasses.replace(wanted, input_size=wanted.input_size or size)
    if known.color is None and _takes_one_channel(module):
        known.color = "gray"
    values = conventions.complete(known)
    network = Network(
        name=path.stem if is_onnx else name.rpartition(":")[2],
        module=module,
        labels=None,
        source=path.name if weights is None else f"{path.name} with weights of {weights.name}",
        licence="not stated",
        left_out=left_out,
        framing=Framing(**{key: value for key, value in values.items() if key not in PIXELS}),
        **{key: value for key, value in values.items() if key in PIXELS},
    )
    if is_onnx:
        _compare(path, network, select)
    assumed = conventions.assumed(known)
    if assumed:
        whose = f"({conventions.whose} conventions)"
        network.notes.append(f"{name}: assumed {' '.join(assumed)} {whose}")
    return network


def _takes_one_channel(module: nn.Module) -> bool:
    """By the first convolution."""
    convolutions = (part for part in module.modules() if isinstance(part, nn.Conv2d))
    first = next(convolutions, None)
    return first is not None and first.in_channels == 1


def _compare(path: Path, network: Network, select: Optional[str]) -> None:
    sample = network.normalise(pattern(*network.input_size))
    with torch.no_grad():
        onnx_file.compare(path, sample, tensors(answer(network, sample)), select)


def _call(name: str) -> Tuple[Path, nn.Module]:
    """Runs FUNCTION of FILE.py, which is the user's own code."""
    matched = FUNCTION.fullmatch(name)
    path = Path(matched["file"] if matched else name)
    if not path.is_file():
        raise NetworkError(MODEL, f"'{path}': no such file")
    with _beside(path):
        try:
            spec: Any = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
            code = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = code  # as for an import: dataclasses and pickle look there
            spec.loader.exec_module(code)
        except (Exception, SystemExit) as error:  # a script without a main guard may exit
            raise NetworkError(MODEL, f"'{path}': cannot be run: {first_line(error)}") from None
        function = getattr(code, matched["function"], None) if matched else None
        if not callable(function):
            known = ", ".join(_functions(code)) or "none in this file"
            raise NetworkError(USAGE, f"'{name}': name a function, FILE.py:FUNCTION, of {known}")
        try:
            module = function()
        except (Exception, SystemExit) as error:
            raise NetworkError(MODEL, f"'{name}': raised {first_line(error)}") from None
    if not isinstance(module, nn.Module):
        raise NetworkError(MODEL, f"'{name}': gave {type(module).__name__}, no torch.nn.Module")
    return path, module


def _functions(code: ModuleType) -> List[str]:
    """The functions and classes of a file that can be called without arguments."""
    callables = [c for c in vars(code).values() if inspect.isfunction(c) or inspect.isclass(c)]
    return [c.__name__ for c in callables if c.__module__ == code.__name__]


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Lets the user's file import its neighbours, even those named like a command in scripts/."""
    ours = {
        name: module
        for name, module in sys.modules.items()
        if Path(getattr(module, "__file__", None) or "/").resolve().parent == SCRIPTS
        and name != "__main__"
    }
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.path.remove(str(path.resolve().parent))
        sys.modules.update(ours)
