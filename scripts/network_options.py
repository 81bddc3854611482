"""The options of export_model and compile_model that say which network is meant."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import List, NoReturn

import networks
import own_networks
from network import USAGE, Network, NetworkError


class OneLineParser(argparse.ArgumentParser):
    """argparse with its errors on one line."""

    def error(self, message: str) -> NoReturn:
        raise NetworkError(USAGE, message)


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Which network, with which weights."""
    parser.add_argument(
        "network",
        metavar="NAME|CHECKPOINT|FILE.onnx|FILE.py:FUNCTION",
        help="efficientnet_lite0, a torchvision classifier, timm/NAME, a state_dict file (with "
        "--arch), an ONNX file, or a function of yours that returns the module",
    )
    parser.add_argument("--arch", metavar="NAME", help="network that a CHECKPOINT belongs to")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="state_dict for NAME")
    parser.add_argument(
        "--random-weights", action="store_true", help="seeded random weights, for tests"
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="one per line, or index JSON")
    own = parser.add_argument_group(
        "input of an ONNX file or FILE.py:FUNCTION",
        "x = (pixel / scale - mean) / std in RGB; ImageNet's conventions unless given",
    )
    own.add_argument("--input-size", type=_size, metavar="H,W", help="default: 224,224")
    own.add_argument("--mean", type=_three, metavar="R,G,B", help="default: 0.485,0.456,0.406")
    own.add_argument("--std", type=_three_above_zero, metavar="R,G,B")
    own.add_argument("--scale", type=_above_zero, metavar="S", help="default: 255")


def settle_network(options: argparse.Namespace) -> None:
    """Puts a CHECKPOINT where the weights belong; refuses what does not go together."""
    if options.weights and options.random_weights:
        raise NetworkError(USAGE, "--weights and --random-weights exclude each other")
    if own_networks.is_own(options.network):
        _settle_own(options)
        return
    said = _wanted(options).said()
    if said:
        raise NetworkError(
            USAGE, f"{said[0]} goes with an ONNX file or FILE.py:FUNCTION; others have their own"
        )
    looks_like_file = options.network.endswith((".pt", ".pth", ".tar", ".bin"))
    if looks_like_file or Path(options.network).is_file():
        if options.weights or options.random_weights:
            raise NetworkError(USAGE, f"'{options.network}' holds the weights: no other ones")
        if not options.arch:
            raise NetworkError(
                USAGE, f"'{options.network}' is a checkpoint: name it by --arch NAME"
            )
        options.weights, options.network = Path(options.network), options.arch
    elif options.arch:
        raise NetworkError(USAGE, "--arch goes with a CHECKPOINT, not with a network's name")


def build_network(options: argparse.Namespace) -> Network:
    return networks.build(
        options.network, options.weights, options.random_weights, _wanted(options)
    )


def read_labels(path: Path, classes: int) -> List[str]:
    """One label per line, or a JSON list, or a JSON object index → label or [id, label]."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            labels = text.splitlines()
        else:
            found = json.loads(text)
            if isinstance(found, dict):
                found = [found[str(index)] for index in range(len(found))]
            labels = [entry if isinstance(entry, str) else entry[-1] for entry in found]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise NetworkError(USAGE, f"--labels '{path}': cannot be read ({error})") from None
    if len(labels) != classes:
        raise NetworkError(USAGE, f"--labels '{path}': {len(labels)} labels for {classes} classes")
    return labels


def _settle_own(options: argparse.Namespace) -> None:
    if options.arch:
        raise NetworkError(USAGE, f"--arch: '{options.network}' says what the network is")
    holds_weights = options.weights and options.network.endswith(".onnx")
    if options.random_weights or holds_weights:
        given = "--random-weights" if options.random_weights else "--weights"
        raise NetworkError(USAGE, f"{given}: '{options.network}' brings its weights")


def _wanted(options: argparse.Namespace) -> networks.WantedInput:
    return networks.WantedInput(options.input_size, options.mean, options.std, options.scale)


def _numbers(text: str, count: int, allowed: str) -> List[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) < 1e6 for value in values):
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return values


def _size(text: str) -> List[int]:
    allowed = "H,W in whole pixels, 8..8192, like 224,224"
    values = _numbers(text, 2, allowed)
    if not all(value == int(value) and 8 <= value <= 8192 for value in values):
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return [int(value) for value in values]


def _three(text: str) -> List[float]:
    return _numbers(text, 3, "three numbers like 0.485,0.456,0.406")


def _three_above_zero(text: str) -> List[float]:
    allowed = "three numbers above 0 like 0.229,0.224,0.225"
    values = _numbers(text, 3, allowed)
    if min(values) <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return values


def _above_zero(text: str) -> float:
    (value,) = _numbers(text, 1, "a number above 0")
    if value <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value
