"""The options of export_model that say which network is meant."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, Dict, List, NoReturn, Tuple

from gradcam_tools.networks import (
    box_formats,
    own_networks,
    tasks,
    timm_networks,
    transformers_networks,
    ultralytics_networks,
)
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.network import USAGE, Network, NetworkError
from gradcam_tools.networks.wanted import WantedInput, WantedTask, option


class OneLineParser(argparse.ArgumentParser):
    """argparse with its errors on one line."""

    def error(self, message: str) -> NoReturn:
        raise NetworkError(USAGE, message)


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Which network, with which weights, and what it takes."""
    parser.add_argument(
        "network",
        metavar="NAME|CHECKPOINT|FILE.onnx|FILE.py:FUNCTION",
        help="efficientnet_lite0, a network of torchvision, timm/NAME, hf/NAME or hf/FOLDER of "
        "transformers, ultralytics/FILE.pt, a state_dict file (with --arch), an ONNX file, or a function "
        "FILE.py:FUNCTION of yours that returns the module",
    )
    parser.add_argument("--arch", metavar="NAME", help="network that a CHECKPOINT belongs to")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="state_dict for NAME")
    parser.add_argument(
        "--random-weights", action="store_true", help="seeded random weights, for tests"
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="one per line, or index JSON")
    parser.add_argument(
        "--select",
        metavar="NAME|NUMBER",
        help="the output meant, of several of an ONNX file or FILE.py:FUNCTION; of the latter also "
        "two, NAME,NAME: boxes and scores, which are joined",
    )
    own = parser.add_argument_group(
        "input of an ONNX file, FILE.py:FUNCTION or weights of your own",
        "x = (pixel / scale - mean) / std, channels in the order of --color; the conventions of "
        "ImageNet, YOLO or YOLOX unless given, by --task and --format",
    )
    own.add_argument("--input-size", type=_size, metavar="H,W", help="default: 224,224 or 640,640")
    own.add_argument("--mean", type=_three, metavar="R,G,B", help="default: 0.485,0.456,0.406")
    own.add_argument("--std", type=_three_above_zero, metavar="R,G,B")
    own.add_argument("--scale", type=_above_zero, metavar="S", help="default: 255")
    own.add_argument(
        "--color",
        choices=("rgb", "bgr", "gray"),
        help="default: rgb; yolox: bgr; gray where the first convolution takes one channel",
    )
    frame = parser.add_argument_group("from frame to input")
    frame.add_argument(
        "--resize",
        choices=("stretch", "letterbox", "center-crop"),
        help="default: stretch; detection: letterbox",
    )
    frame.add_argument("--antialias", action=argparse.BooleanOptionalAction, help="default: yes")
    frame.add_argument("--pad-value", type=_grey, metavar="0..255", help="default: 114")
    frame.add_argument(
        "--pad-align", choices=("center", "top-left"), help="default: center; yolox: top-left"
    )
    frame.add_argument(
        "--crop",
        type=_crop,
        metavar="T,L,B,R",
        help="part of the frame, in fractions, cut out before resizing",
    )


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """What the network's output means."""
    group = parser.add_argument_group("output")
    group.add_argument("--task", choices=tuple(tasks.TASKS), help="default: the network's own")
    group.add_argument(
        "--format", choices=tuple(box_formats.FORMATS), help="how a detector gives its boxes"
    )
    group.add_argument(
        "--decoded",
        action=argparse.BooleanOptionalAction,
        help="boxes are in pixels of the input; default: found out",
    )
    group.add_argument(
        "--activation", choices=tasks.ACTIVATIONS, help="scores → shares; default: by the task"
    )
    group.add_argument(
        "--threshold", type=_share, metavar="0..1", help="least score; default of detectors: 0.3"
    )
    group.add_argument(
        "--background", type=int, metavar="N", help="a detector's class that nothing belongs to"
    )


def add_tokens_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tokens",
        type=_tokens,
        metavar="DROP,H,W",
        help="how the tokens of --layer lie: how many to drop in front, and the grid of the others",
    )


def refuse_to_overwrite(options: argparse.Namespace) -> None:
    """The output must be none of the files that are read."""
    named = options.network.removeprefix(ultralytics_networks.PREFIX)
    if own := own_networks.FUNCTION.fullmatch(named):
        named = own["file"]
    for path in (Path(named), options.weights, options.labels):
        if path and path.exists() and path.resolve() == options.output.resolve():
            raise NetworkError(USAGE, f"--output '{options.output}': is read here; name another")
    beside = options.output.with_suffix(".json")
    if options.labels and options.labels.resolve() == beside.resolve():
        raise NetworkError(
            USAGE,
            f"--labels '{options.labels}': would be read as the description of {options.output}; "
            "name one of them otherwise",
        )


def settle_network(options: argparse.Namespace) -> None:
    """Puts a CHECKPOINT where the weights belong; refuses what does not go together."""
    if options.weights and options.random_weights:
        raise NetworkError(USAGE, "--weights and --random-weights exclude each other")
    if own_networks.is_own(options.network):
        _settle_own(options)
        return
    if options.select is not None:
        raise NetworkError(USAGE, "--select goes with an ONNX file or FILE.py:FUNCTION")
    _settle_checkpoint(options)
    said = _wanted_input(options).pixels()
    ultralytics = ultralytics_networks.is_ultralytics(options.network)
    if transformers_networks.is_transformers(options.network):
        said.pop("input_size", None)  # its detectors take any
    if said and not (options.weights or options.random_weights or ultralytics):
        raise NetworkError(
            USAGE,
            f"{option(next(iter(said)))} goes with an ONNX file, FILE.py:FUNCTION or weights of "
            "your own; published ones have theirs",
        )
    if ultralytics and (options.weights or options.random_weights):
        given = "--weights" if options.weights else "--random-weights"
        raise NetworkError(USAGE, f"{given}: '{options.network}' brings its weights")


def _settle_checkpoint(options: argparse.Namespace) -> None:
    known_prefix = (
        timm_networks.PREFIX,
        transformers_networks.PREFIX,
        ultralytics_networks.PREFIX,
    )
    looks_like_file = options.network.endswith((".pt", ".pth", ".tar", ".bin"))
    is_named = options.network.startswith(known_prefix)
    if not is_named and (looks_like_file or Path(options.network).is_file()):
        if options.weights or options.random_weights:
            raise NetworkError(USAGE, f"'{options.network}' holds the weights: no other ones")
        if not options.arch:
            raise NetworkError(
                USAGE, f"'{options.network}' is a checkpoint: name it by --arch NAME"
            )
        options.weights, options.network = Path(options.network), options.arch
    elif options.arch:
        raise NetworkError(USAGE, "--arch goes with a CHECKPOINT, not with a network's name")


def network_of(options: argparse.Namespace) -> Network:
    """The network, with what its output means settled."""
    wanted = _wanted_task(options)
    network = build_network(
        options.network, options.weights, options.random_weights, _wanted_input(options), wanted
    )
    tasks.settle(network, wanted)
    return network


def tell_notes(network: Network) -> None:
    for note in network.notes:
        print(note, file=sys.stderr)


def _settle_own(options: argparse.Namespace) -> None:
    if options.arch:
        raise NetworkError(USAGE, f"--arch: '{options.network}' says what the network is")
    holds_weights = options.weights and options.network.endswith(".onnx")
    if options.random_weights or holds_weights:
        given = "--random-weights" if options.random_weights else "--weights"
        raise NetworkError(USAGE, f"{given}: '{options.network}' brings its weights")


def _wanted_task(options: argparse.Namespace) -> WantedTask:
    return WantedTask(**_named(options, WantedTask))


def _wanted_input(options: argparse.Namespace) -> WantedInput:
    wanted = WantedInput(**_named(options, WantedInput))
    padding = wanted.pad_value is not None or wanted.pad_align is not None
    usual = tasks.conventions_of(_wanted_task(options)).values
    if padding and (wanted.resize or usual.get("resize")) != "letterbox":
        raise NetworkError(USAGE, "--pad-value and --pad-align go with --resize letterbox")
    known = not own_networks.is_own(options.network)
    if known and (wanted.mean or wanted.std) and wanted.scale is None:
        wanted.scale = 255.0  # which is what mean and std go with, whatever the network's own
    return wanted


def _named(options: argparse.Namespace, kind: type) -> Dict[str, Any]:
    """The options with the names of a dataclass's fields; None for those that a command lacks."""
    names = (field.name for field in dataclasses.fields(kind))
    return {name: getattr(options, name, None) for name in names}


def _numbers(text: str, count: int, allowed: str) -> List[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) < 1e6 for value in values):
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return values


def _size(text: str) -> List[int]:
    allowed = "H,W in whole pixels, 1..8192, like 224,224"
    values = _numbers(text, 2, allowed)
    if not all(value == int(value) and 1 <= value <= 8192 for value in values):
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return [int(value) for value in values]


def _three(text: str, allowed: str = "three numbers like 0.485,0.456,0.406, or one") -> List[float]:
    """One number counts for every channel."""
    return _numbers(text, 3, allowed) if "," in text else _numbers(text, 1, allowed) * 3


def _three_above_zero(text: str) -> List[float]:
    allowed = "three numbers above 0 like 0.229,0.224,0.225, or one"
    values = _three(text, allowed)
    if min(values) <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return values


def _above_zero(text: str) -> float:
    (value,) = _numbers(text, 1, "a number above 0")
    if value <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def _share(text: str) -> float:
    (value,) = _numbers(text, 1, "a number 0..1")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number 0..1")
    return value


def _grey(text: str) -> int:
    (value,) = _numbers(text, 1, "a whole number 0..255")
    if value != int(value) or not 0 <= value <= 255:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number 0..255")
    return int(value)


def _crop(text: str) -> List[float]:
    allowed = "T,L,B,R in fractions of the frame, 0 <= T < B <= 1, 0 <= L < R <= 1"
    top, left, bottom, right = values = _numbers(text, 4, allowed)
    if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    return values


def _tokens(text: str) -> Tuple[int, int, int]:
    allowed = "DROP,H,W in whole numbers, like 1,14,14"
    values = _numbers(text, 3, allowed)
    if any(value != int(value) for value in values) or values[0] < 0 or min(values[1:]) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not {allowed}")
    drop, height, width = map(int, values)
    return drop, height, width
