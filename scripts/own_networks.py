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
from typing import Any, Iterator, List, Optional, Tuple

import onnx_file
import torch
from checkpoints import load, read_state_dict
from network import MODEL, USAGE, Network, NetworkError, first_line, pattern
from torch import Tensor, nn

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
FUNCTION = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_]\w*)")


@dataclasses.dataclass
class WantedInput:
    """What the user says of the input; what is left out follows ImageNet's conventions."""

    input_size: Optional[List[int]] = None
    mean: Optional[List[float]] = None
    std: Optional[List[float]] = None
    scale: Optional[float] = None

    def said(self) -> List[str]:
        """The options that were given."""
        return [_option(key) for key, value in vars(self).items() if value is not None]


def is_own(name: str) -> bool:
    return name.endswith((".onnx", ".py")) or FUNCTION.fullmatch(name) is not None


def build(name: str, weights: Optional[Path], wanted: WantedInput) -> Network:
    """A classifier whose class scores are its one output; says on stderr what was assumed."""
    torch.manual_seed(0)
    size: Optional[List[int]] = None
    if name.endswith(".onnx"):
        path = Path(name)
        module, size = onnx_file.read(path)
    else:
        path, module = _call(name)
    if size and wanted.input_size and wanted.input_size != size:
        raise NetworkError(
            USAGE, f"--input-size {_text(wanted.input_size)}: '{name}' takes only {_text(size)}"
        )
    if weights is not None:
        load(module, name, weights, read_state_dict(weights))
    settled, assumed = _settle(dataclasses.replace(wanted, input_size=wanted.input_size or size))
    module.eval().requires_grad_(False)
    network = Network(
        name=path.stem if name.endswith(".onnx") else name.rpartition(":")[2],
        module=module,
        labels=None,
        source=path.name if weights is None else f"{path.name} with weights of {weights.name}",
        licence="not stated",
        **dataclasses.asdict(settled),
    )
    sample = network.normalise(pattern(*network.input_size))
    scores = _scores(network, sample)
    network.probabilities = bool(scores.min() >= 0 and (scores.sum() - 1).abs() < 1e-3)
    if name.endswith(".onnx"):
        onnx_file.compare(path, sample, scores)
    if assumed:
        print(f"{name}: assumed {' '.join(assumed)} (ImageNet's conventions)", file=sys.stderr)
    return network


def _settle(wanted: WantedInput) -> Tuple[WantedInput, List[str]]:
    """Everything known, and the options that were assumed."""
    scale = 255.0 if wanted.scale is None else wanted.scale
    unit = scale / 255.0  # mean and std are those of pixels divided by the scale
    conventions = WantedInput(
        [224, 224], [m / unit for m in IMAGENET_MEAN], [s / unit for s in IMAGENET_STD], 255.0
    )
    given = {key: value for key, value in vars(wanted).items() if value is not None}
    settled = dataclasses.replace(conventions, **given)
    left = {key: value for key, value in vars(settled).items() if key not in given}
    return settled, [f"{_option(key)} {_text(value)}" for key, value in left.items()]


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")


def _text(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ",".join(f"{number:.4g}" for number in values)


def _scores(network: Network, sample: Tensor) -> Tensor:
    height, width = network.input_size
    try:
        with torch.no_grad():
            scores = network.module(sample)
    except Exception as error:  # whatever the network's own code raises
        raise NetworkError(
            MODEL,
            f"{network.source}: fails on an input of 1x3x{height}x{width} ({first_line(error)}); "
            "--input-size H,W gives another",
        ) from None
    if not isinstance(scores, Tensor) or scores.dim() != 2 or scores.shape[1] < 2:
        found = "x".join(map(str, scores.shape)) if isinstance(scores, Tensor) else type(scores)
        raise NetworkError(
            MODEL, f"{network.source}: gives {found}; allowed: one tensor of 1xCLASSES scores"
        )
    if not scores.isfinite().all():
        raise NetworkError(MODEL, f"{network.source}: gives scores that are not finite")
    return scores


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
        except Exception as error:
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
    """Lets the user's file import its neighbours, even those named like the project's scripts."""
    here = Path(__file__).resolve().parent
    ours = {
        name: module
        for name, module in sys.modules.items()
        if Path(getattr(module, "__file__", None) or "/").resolve().parent == here
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
