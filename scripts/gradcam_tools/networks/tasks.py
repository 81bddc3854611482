"""The tasks that a network can be exported for, and what follows from each of them.

TASKS has one entry for each task: a new task is a new entry, and needs no change in another file.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

from gradcam_tools.networks import box_formats
from gradcam_tools.networks.conventions import IMAGENET, YOLO, YOLOX, Conventions
from gradcam_tools.networks.detector_layers import detector_layers
from gradcam_tools.networks.network import MODEL, USAGE, Network, NetworkError, noise, pattern
from gradcam_tools.networks.outputs import Objective, answer, give, tensors, unfit
from gradcam_tools.networks.wanted import WantedTask, option

ACTIVATIONS = ("softmax", "sigmoid", "none")


def _settle_scores(network: Network, wanted: WantedTask, values: List[Any]) -> None:
    """Checks one tensor of scores or values, and finds out its activation."""
    value, task = values[0], TASKS[network.task]
    good = isinstance(value, Tensor) and value.dim() == task.dimensions and value.shape[0] == 1
    if not good or value.shape[1] < task.fewest:
        said = "" if network.task == "classification" else f" for --task {network.task}"
        raise unfit(network, value, task.allowed, said)
    network.outputs = value.shape[1]
    usual = (value.shape[1] == 1 and task.activation_of_one) or task.activation
    alone = value.numel() == 1  # it may lie in 0..1 by chance
    found = wanted.activation or _found_activation(usual, _driven(network) if alone else values)
    if found != usual and wanted.activation is None:
        network.notes.append(f"{network.name}: --activation {found}, by the range of its scores")
    if found != usual or alone or task.describes_activation:
        network.output["activation"] = found


def _found_activation(usual: str, values: List[Tensor]) -> str:
    """`usual`, but "none" if the scores of all pictures are probabilities already."""
    if usual == "softmax":
        done = all(v.min() >= 0 and bool(((v.sum(1) - 1).abs() < 1e-3).all()) for v in values)
    else:
        done = usual == "sigmoid" and all(v.min() >= 0 and v.max() <= 1 for v in values)
    return "none" if done else usual


def _driven(network: Network) -> List[Tensor]:
    """Answers to pictures of a contrast that none has: they drive raw scores far, shares not
    beyond 0..1."""
    picture = network.normalise(pattern(*network.input_size))
    with torch.no_grad():
        return [answer(network, contrast * picture) for contrast in (1, 100, -100)]


def _best(_network: Network, output: Any) -> Objective:
    best = int(output[0].argmax())
    return lambda value: value[0, best]


def _first(_network: Network, _output: Any) -> Objective:
    return lambda value: value[0, 0]


def _most_frequent_class(_network: Network, output: Any) -> Objective:
    most = int(output[0].argmax(0).flatten().bincount().argmax())
    return lambda value: value[0, most].mean()


def _likeness(_network: Network, output: Any) -> Objective:
    reference = output.detach()
    return lambda value: (value * reference).sum()


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
    network.notes.append(
        f"{network.name}: layer {calls[-1][0]} is left out: an embedding is its input"
    )


@dataclasses.dataclass(frozen=True)
class Task:
    """What follows from a task. The defaults are those of one tensor of classes' scores."""

    # Output
    settle: Callable[[Network, WantedTask, List[Any]], None] = _settle_scores
    allowed: str = ""  # the shape of the output, in words
    dimensions: int = 2  # of the output
    fewest: int = 1  # classes or values
    counted: str = "classes"  # what the outputs are, for messages
    why_no_labels: Optional[str] = None  # of a task without classes, for messages
    may_be_flat: bool = False  # a single value may lack the dimension of values
    activation: str = "softmax"  # what usually follows the output
    activation_of_one: Optional[str] = None  # the same for a single class, if that differs
    describes_activation: bool = True  # the description names it even if it is the usual one

    # Options
    options: Tuple[str, ...] = ()  # options of the command line that this task allows and others do not
    threshold: Optional[float] = None  # if the user gives none
    conventions: Conventions = IMAGENET  # of the input

    # Explanation
    adapt: Optional[Callable[[Network], None]] = None  # changes a network of another task
    layers: Optional[Callable[[nn.Module, Tensor], List[str]]] = None  # by default the last stage
    # The last stage's map does not count if it has a channel for each output: a classifier made of
    # convolutions alone averages such a map.
    skips_map_of_outputs: bool = True
    # Chooses, by an output, the scalar that is explained when nobody says which.
    objective: Callable[[Network, Any], Objective] = _best


TASKS: Dict[str, Task] = {
    "classification": Task(
        allowed="one tensor of 1xCLASSES scores",
        may_be_flat=True,
        activation_of_one="sigmoid",
        describes_activation=False,
    ),
    "multilabel": Task(
        allowed="one tensor of 1xCLASSES scores",
        activation="sigmoid",
        describes_activation=False,
        options=("threshold",),
    ),
    "regression": Task(
        allowed="one tensor of 1xVALUES",
        counted="values",
        may_be_flat=True,
        activation="none",
        objective=_first,
    ),
    "segmentation": Task(
        allowed="one tensor of 1xCLASSESxHxW scores",
        dimensions=4,
        activation_of_one="sigmoid",
        objective=_most_frequent_class,
    ),
    "detection": Task(
        settle=box_formats.settle,
        options=("format", "decoded", "background", "threshold"),
        threshold=0.3,
        conventions=YOLO,
        layers=detector_layers,
        skips_map_of_outputs=False,
        objective=box_formats.best_score,
    ),
    "embedding": Task(
        allowed="one tensor of 1xCOMPONENTS",
        fewest=2,
        counted="components",
        why_no_labels="an embedding has no classes",
        activation="none",
        adapt=drop_classifier,
        skips_map_of_outputs=False,  # an embedding is that map's mean
        objective=_likeness,
    ),
}


def conventions_of(wanted: WantedTask) -> Conventions:
    """Those for the input of a network with this output."""
    if wanted.format == "yolox":
        return YOLOX
    task = "detection" if wanted.format else wanted.task
    return TASKS[task].conventions if task else IMAGENET


def adapt(network: Network, task: Optional[str]) -> None:
    """Makes a network of another task one of `task`, if that can be done."""
    change = TASKS[task].adapt if task is not None and task != network.task else None
    if change is not None:
        change(network)


def settle(network: Network, wanted: WantedTask) -> None:
    """Runs the network, checks that its output is what the task says, and notes in the network what
    the description will tell."""
    network.task = wanted.task or ("detection" if wanted.format else network.task)
    task = TASKS[network.task]
    _refuse_options_of_other_tasks(network.task, wanted)
    values = _answers(network)
    if task.may_be_flat and _is_flat(values[0]):
        give(network.module, lambda value: value.reshape(1, -1))
        values = _answers(network)
    if not all(_is_finite(value) for value in values):
        raise NetworkError(MODEL, f"{network.source}: gives scores that are not finite")
    task.settle(network, wanted, values)
    network.threshold = task.threshold if wanted.threshold is None else wanted.threshold


def _refuse_options_of_other_tasks(task: str, wanted: WantedTask) -> None:
    for key in ("format", "decoded", "background", "threshold"):
        allowed = sorted(name for name, found in TASKS.items() if key in found.options)
        if getattr(wanted, key) is not None and task not in allowed:
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


def objective(network: Network, output: Any) -> Objective:
    """The scalar that is explained when nobody says which: it is chosen by `output`, and then read
    from any output of the network."""
    return TASKS[network.task].objective(network, output)


def described(network: Network) -> Dict[str, Any]:
    """The description's keys about the output."""
    found: Dict[str, Any] = {"task": network.task}
    if network.output:
        found["output"] = network.output
    if network.threshold is not None:
        found["threshold"] = network.threshold
    return found
