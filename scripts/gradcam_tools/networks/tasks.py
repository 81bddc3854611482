"""What a network's output means: the task, and what the description says of it."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from conventions import option
from network import MODEL, USAGE, Network, NetworkError, noise, pattern
from outputs import answer, give, tensors, told
from torch import Tensor, nn

TASKS = (
    "classification",
    "multilabel",
    "regression",
    "segmentation",
    "detection",
    "embedding",
)
FORMATS = ("yolox", "yolov5", "yolov8", "raw-heads")
ACTIVATIONS = ("softmax", "sigmoid", "none")
ALLOWED = {
    "classification": "one tensor of 1xCLASSES scores",
    "multilabel": "one tensor of 1xCLASSES scores",
    "regression": "one tensor of 1xVALUES",
    "segmentation": "one tensor of 1xCLASSESxHxW scores",
    "embedding": "one tensor of 1xCOMPONENTS",
    "yolox": "one tensor of 1xBOXESx(5+CLASSES)",
    "yolov5": "one tensor of 1xBOXESx(5+CLASSES)",
    "yolov8": "one tensor of 1x(4+CLASSES)xBOXES",
    "raw-heads": "one tensor of 1xBOXESx(4+CLASSES), corners in pixels",
}
THRESHOLD = 0.3  # of a detector's boxes


@dataclasses.dataclass
class WantedTask:
    """What the user says of the output; what is left out is the network's own or found out."""

    task: Optional[str] = None
    format: Optional[str] = None
    decoded: Optional[bool] = None
    activation: Optional[str] = None
    background: Optional[int] = None
    threshold: Optional[float] = None
    select: Optional[str] = None


def settle(network: Network, wanted: WantedTask) -> None:
    """Runs the network, checks that its output is what the task says, and notes in the network what
    the description will tell."""
    network.task = wanted.task or ("detection" if wanted.format else network.task)
    _refuse_what_does_not_go(network.task, wanted)
    values = _answers(network)
    if network.task == "regression" and _is_flat(values[0]):
        give(network.module, lambda value: value.reshape(1, -1))
        values = _answers(network)
    if not all(_is_finite(value) for value in values):
        raise NetworkError(MODEL, f"{network.source}: gives scores that are not finite")
    if network.task == "detection":
        _settle_detection(network, wanted, values)
    else:
        _settle_scores(network, wanted, values)
    network.threshold = wanted.threshold
    if network.task == "detection" and wanted.threshold is None:
        network.threshold = THRESHOLD


def _refuse_what_does_not_go(task: str, wanted: WantedTask) -> None:
    cases: List[Tuple[str, Any, Tuple[str, ...]]] = [
        ("format", wanted.format, ("detection",)),
        ("decoded", wanted.decoded, ("detection",)),
        ("background", wanted.background, ("detection",)),
        ("threshold", wanted.threshold, ("detection", "multilabel")),
    ]
    for key, value, allowed in cases:
        if value is not None and task not in allowed:
            tasks = " or ".join(allowed)
            raise NetworkError(USAGE, f"{option(key)} goes with --task {tasks}, not with {task}")


def _answers(network: Network) -> List[Any]:
    size = network.input_size
    with torch.no_grad():
        return [answer(network, network.normalise(p)) for p in (pattern(*size), noise(*size))]


def _is_flat(value: Any) -> bool:
    """One value for the one picture, without a dimension for the values."""
    return isinstance(value, Tensor) and value.dim() == 1 and len(value) == 1


def _is_finite(value: Any) -> bool:
    found = tensors(value) if isinstance(value, (Tensor, list, tuple)) else []
    return all(bool(t.isfinite().all()) for t in found if isinstance(t, Tensor))


def _refuse(network: Network, value: Any, kind: str) -> NetworkError:
    several = "" if isinstance(value, Tensor) else "; --select NAME|NUMBER takes one of several"
    task = "" if network.task == "classification" else f" for --task {network.task}"
    if kind in FORMATS:
        task += f" --format {kind}"
    return NetworkError(
        MODEL, f"{network.source}: gives {told(value)}; allowed{task}: {ALLOWED[kind]}{several}"
    )


def _settle_scores(network: Network, wanted: WantedTask, values: List[Any]) -> None:
    value = values[0]
    dims = 4 if network.task == "segmentation" else 2
    least = 1 if network.task in ("regression", "multilabel", "segmentation") else 2
    good = isinstance(value, Tensor) and value.dim() == dims and value.shape[0] == 1
    if not good or value.shape[1] < least:
        raise _refuse(network, value, network.task)
    network.outputs = value.shape[1]
    usual = _usual_activation(network.task, network.outputs)
    found = wanted.activation or _found_activation(usual, values)
    if found != usual and wanted.activation is None:
        network.notes.append(f"{network.name}: --activation {found}, by the range of its scores")
    network.probabilities = network.task == "classification" and found == "none"
    if found != usual or network.task not in ("classification", "multilabel"):
        network.output["activation"] = found


def _usual_activation(task: str, outputs: int) -> str:
    if task in ("regression", "embedding"):
        return "none"
    one_class = task == "segmentation" and outputs == 1
    return "sigmoid" if task == "multilabel" or one_class else "softmax"


def _found_activation(usual: str, values: List[Tensor]) -> str:
    """None where all pictures' scores are probabilities already."""
    if usual == "softmax":
        done = all(v.min() >= 0 and bool(((v.sum(1) - 1).abs() < 1e-3).all()) for v in values)
    else:
        done = usual == "sigmoid" and all(v.min() >= 0 and v.max() <= 1 for v in values)
    return "none" if done else usual


def _settle_detection(network: Network, wanted: WantedTask, values: List[Any]) -> None:
    kind = wanted.format or network.output.get("format")
    if kind is None:
        raise NetworkError(USAGE, f"--task detection needs --format {'|'.join(FORMATS)}")
    value = values[0]
    if not _fits(kind, value):
        raise _refuse(network, value, kind)
    decoded = wanted.decoded
    if decoded is None and kind == "yolox":
        decoded = _looks_decoded(network, value)
        said = option("decoded") if decoded else option("no_decoded")
        network.notes.append(f"{network.name}: {said}, by the range of its boxes")
    elif decoded is None:
        decoded = True
    _check_decoded(network, kind, decoded, value)
    if kind == "yolov8":
        network.outputs = value.shape[1] - 4
    else:
        network.outputs = value.shape[2] - (4 if kind == "raw-heads" else 5)
    scores = [v[0, 4:] if kind == "yolov8" else v[0, :, 4:] for v in values]
    raw = any(s.min() < 0 or s.max() > 1 for s in scores)
    background = network.output.get("background")
    if wanted.background is not None:
        background = wanted.background
    activation = wanted.activation or network.output.get("activation")
    if kind != "raw-heads":
        _refuse_raw_scores(network, kind, wanted, raw)
        activation = "none"
    elif activation is None:
        activation = "none" if not raw else "sigmoid" if background is None else "softmax"
        network.notes.append(f"{network.name}: --activation {activation}, by the range of its scores")
    network.output = {"format": kind, "decoded": decoded, "activation": activation}
    if background is None:
        return
    if not 0 <= background < network.outputs:
        raise NetworkError(USAGE, f"--background {background}: one of 0..{network.outputs - 1}")
    network.output["background"] = background


def _refuse_raw_scores(network: Network, kind: str, wanted: WantedTask, raw: bool) -> None:
    """Of the formats of networks that end in a sigmoid."""
    if wanted.background is not None:
        raise NetworkError(USAGE, "--background goes with --format raw-heads")
    if wanted.activation not in (None, "none"):
        raise NetworkError(USAGE, "--activation: goes with --format raw-heads; others give 0..1")
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


def drop_classifier(network: Network) -> None:
    """The network gives what its last linear layer took: an embedding."""
    calls: List[Tuple[str, Any]] = []
    handles = [
        layer.register_forward_hook(lambda _, __, value, name=name: calls.append((name, value)))
        for name, layer in network.module.named_modules()
        if isinstance(layer, nn.Linear)
    ]
    with torch.no_grad():
        output = answer(network, network.normalise(pattern(*network.input_size)))
    for handle in handles:
        handle.remove()
    if not calls or calls[-1][1] is not output:
        raise NetworkError(
            USAGE, f"--task embedding: {network.name} does not end in a linear layer to leave out"
        )
    network.module.set_submodule(calls[-1][0], nn.Identity())
    network.notes.append(f"{network.name}: layer {calls[-1][0]} is left out: an embedding is its input")


Objective = Callable[[Any], Tensor]


def objective(network: Network, output: Any) -> Objective:
    """The scalar that is explained when nobody says which: it is chosen by `output`, and then read
    from any output of the network."""
    if network.task == "detection":
        return _best_box(network.output, output)
    if network.task == "embedding":
        reference = output.detach()
        return lambda value: (value * reference).sum()
    if network.task == "segmentation":
        most = int(output[0].argmax(0).flatten().bincount().argmax())
        return lambda value: value[0, most].mean()
    best = 0 if network.task == "regression" else int(output[0].argmax())
    return lambda value: value[0, best]


def _best_box(described: Dict[str, Any], output: Any) -> Objective:
    kind, background = described["format"], described.get("background")

    def scores(value: Any) -> Tensor:
        if kind == "yolov8":
            return value[0, 4:].flatten()
        if kind == "raw-heads":
            found = value[0, :, 4:]
            kept = [i for i in range(found.shape[1]) if i != background]
            return found[:, kept].flatten()
        return (value[0, :, 4:5] * value[0, :, 5:]).flatten()

    best = int(scores(output).argmax())
    return lambda value: scores(value)[best]


def described(network: Network) -> Dict[str, Any]:
    """The description's keys about the output."""
    found: Dict[str, Any] = {"task": network.task}
    if network.output:
        found["output"] = network.output
    if network.threshold is not None:
        found["threshold"] = network.threshold
    return found
