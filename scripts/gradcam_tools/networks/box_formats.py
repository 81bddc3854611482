"""The formats in which detectors give their boxes."""

from __future__ import annotations

from typing import Any, List

import torch
from torch import Tensor

from gradcam_tools.networks.network import MODEL, USAGE, Network, NetworkError
from gradcam_tools.networks.outputs import Objective, unfit
from gradcam_tools.networks.wanted import WantedTask, option

# Format → what is allowed for it.
FORMATS = {
    "yolox": "one tensor of 1xBOXESx(5+CLASSES)",
    "yolov5": "one tensor of 1xBOXESx(5+CLASSES)",
    "yolov8": "one tensor of 1x(4+CLASSES)xBOXES",
    "raw-heads": "one tensor of 1xBOXESx(4+CLASSES), corners in pixels",
    "end-to-end": "one tensor of 1xBOXESx6: corners in pixels, score, class",
    "detr": "one tensor of 1xBOXESx(4+CLASSES), cx, cy, w, h in 0..1",
}
RAW = ("raw-heads", "detr")  # may give scores before a sigmoid or softmax


def settle(network: Network, wanted: WantedTask, values: List[Any]) -> None:
    """Checks that `values`, the outputs for several pictures, have the format; notes in the network
    what the description will tell."""
    kind = wanted.format or network.output.get("format")
    if kind is None:
        raise NetworkError(USAGE, f"--task detection needs --format {'|'.join(FORMATS)}")
    value = values[0]
    if not _fits(kind, value):
        raise unfit(network, value, FORMATS[kind], f" for --task detection --format {kind}")
    if kind in RAW:
        _check_boxes(network, kind, wanted, values)
    decoded = wanted.decoded
    if decoded is None and kind == "yolox":
        decoded = _looks_decoded(network, value)
        said = option("decoded") if decoded else option("no_decoded")
        network.notes.append(f"{network.name}: {said}, by the range of its boxes")
    elif decoded is None:
        decoded = True
    _check_decoded(network, kind, decoded, value)
    if kind == "end-to-end":
        network.output = {"format": kind, "decoded": True, "activation": "none"}
        return
    if kind == "yolov8":
        network.outputs = value.shape[1] - 4
    else:
        network.outputs = value.shape[2] - (4 if kind in RAW else 5)
    scores = [v[0, 4:] if kind == "yolov8" else v[0, :, 4:] for v in values]
    raw = any(s.min() < 0 or s.max() > 1 for s in scores)
    background = network.output.get("background")
    if wanted.background is not None:
        background = wanted.background
    activation = wanted.activation or network.output.get("activation")
    if kind not in RAW:
        _refuse_raw_scores(network, kind, wanted, raw)
        activation = "none"
    elif activation is None:
        activation = "none" if not raw else "sigmoid" if background is None else "softmax"
        network.notes.append(
            f"{network.name}: --activation {activation}, by the range of its scores"
        )
    network.output = {"format": kind, "decoded": decoded, "activation": activation}
    if background is None and kind == "detr" and activation == "softmax":
        background = network.outputs - 1
    if background is None:
        return
    if not 0 <= background < network.outputs:
        raise NetworkError(USAGE, f"--background {background}: one of 0..{network.outputs - 1}")
    network.output["background"] = background


def _check_boxes(network: Network, kind: str, wanted: WantedTask, values: List[Any]) -> None:
    """Class scores look like boxes to whoever counts columns only: DETR and its kin give scores and
    boxes apart."""
    boxes = torch.cat([value[0, :, :4] for value in values])
    largest = float(boxes.max())
    if kind == "detr":
        good = 0 <= float(boxes.min()) and largest <= 1
    else:
        ordered = (boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1])
        share = float(ordered.float().mean())
        good = share == 1 and largest > max(network.input_size) / 4
    if good:
        return
    count = values[0].shape[1]
    apart = [name for name, shape in network.left_out.items() if shape[-2:] == [count, 4]]
    if apart:
        raise NetworkError(
            USAGE,
            f"--select {wanted.select}: {network.source} gives boxes apart from it, in {apart[0]}; "
            f"--select {apart[0]},{wanted.select} --format detr takes both",
        )
    if kind == "detr":
        network.notes.append(
            f"{network.name}: its boxes reach from {float(boxes.min()):.3g} to {largest:.3g}: are they "
            "cx, cy, w, h in 0..1?"
        )
        return
    network.notes.append(
        f"{network.name}: {1 - share:.0%} of its boxes have x2 < x1 or y2 < y1, the largest number "
        f"is {largest:.3g}: are they corners x1, y1, x2, y2 in pixels?"
    )


def _refuse_raw_scores(network: Network, kind: str, wanted: WantedTask, raw: bool) -> None:
    """Of the formats whose networks end in a sigmoid."""
    if wanted.background is not None:
        raise NetworkError(USAGE, f"--background goes with --format {' or '.join(RAW)}")
    if wanted.activation not in (None, "none"):
        raise NetworkError(
            USAGE, f"--activation: goes with --format {' or '.join(RAW)}; others give 0..1"
        )
    if raw:
        raise NetworkError(
            MODEL,
            f"{network.source}: gives scores beyond 0..1; --format {kind} is of networks that end in "
            "a sigmoid",
        )


def _fits(kind: str, value: Any) -> bool:
    if not isinstance(value, Tensor) or value.dim() != 3 or value.shape[0] != 1:
        return False
    _, first, second = value.shape
    if kind == "yolov8":
        return second > first >= 5
    if kind == "detr":
        return second >= 5
    return first > second >= (5 if kind == "raw-heads" else 6)


def _looks_decoded(network: Network, value: Tensor) -> bool:
    """Centres in pixels reach over the picture, offsets within a cell do not."""
    return bool(value[0, :, :2].max() > max(network.input_size) / 2)


def _check_decoded(network: Network, kind: str, decoded: bool, value: Tensor) -> None:
    if decoded:
        return
    if kind != "yolox":
        raise NetworkError(
            USAGE, f"--format {kind} --no-decoded: its anchors are not known; allowed: yolox"
        )
    height, width = network.input_size
    cells = sum((height // stride) * (width // stride) for stride in (8, 16, 32))
    if value.shape[1] != cells:
        raise NetworkError(
            MODEL,
            f"{network.source}: gives {value.shape[1]} boxes; {height}x{width} at strides 8, 16 "
            f"and 32 has {cells}",
        )


def best_score(network: Network, output: Any) -> Objective:
    """The score of the box and class that is best in `output`."""
    kind, background = network.output["format"], network.output.get("background")

    def scores(value: Any) -> Tensor:
        if kind == "yolov8":
            return value[0, 4:].flatten()
        if kind == "end-to-end":
            return value[0, :, 4]
        if kind in RAW:
            found = value[0, :, 4:]
            kept = [i for i in range(found.shape[1]) if i != background]
            return found[:, kept].flatten()
        return (value[0, :, 4:5] * value[0, :, 5:]).flatten()

    best = int(scores(output).argmax())
    return lambda value: scores(value)[best]
