"""The tasks that a network can be exported for, and what follows from each of them.

TASKS has one entry for each task: a new task is a new entry, and needs no change elsewhere.
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


def _softmax(_outputs: int) -> str:
    return "softmax"


def _sigmoid(_outputs: int) -> str:
    return "sigmoid"


def _no_activation(_outputs: int) -> str:
    return "none"


def _no_layers(_module: nn.Module, _sample: Tensor) -> List[str]:
    return []


def _unchanged(_network: Network) -> None:
    pass


def _best_output(output: Any) -> Objective:
    best = int(output[0].argmax())
    return lambda value: value[0, best]


@dataclasses.dataclass(frozen=True)
class Task:
    """What follows from a task. The defaults are those of a classifier."""

    # The network's output.
    allowed: str = ""  # its shape, in words; of boxes box_formats.FORMATS has them
    dimensions: int = 2  # of its tensor
    fewest: int = 1  # classes or values
    counted: str = "classes"  # what the values of dimension 1 are, for messages
    why_no_labels: Optional[str] = None  # of a task without classes, for messages
    one_value_may_be_flat: bool = False  # one value without a dimension for values is taken, too
    # By the number of outputs: what makes shares of raw scores.
    usual_activation: Callable[[int], str] = _softmax
    # The description names the activation even where it is the usual one.
    names_activation: bool = True
    detects: bool = False  # the output is boxes, in one of box_formats.FORMATS

    # Options that go with this task, and with no task that does not list them.
    options: Tuple[str, ...] = ()
    threshold: Optional[float] = None  # where the user gives none
    conventions: Conventions = IMAGENET  # of the input

    # Changes a network that was made for another task.
    adapt: Callable[[Network], None] = _unchanged
    # The layers to explain; where it finds none, the last stage is explained.
    layers: Callable[[nn.Module, Tensor], List[str]] = _no_layers
    # Whether the last map is passed over where it has a channel for each output, as the map that a
    # fully convolutional classifier averages.
    passes_over_map_of_outputs: bool = True
    # Chooses by an output the scalar that is explained when nobody says which.
    objective: Callable[[Any], Objective] = _best_output


def _first_value(_output: Any) -> Objective:
    return lambda value: value[0, 0]


def _most_frequent_class(output: Any) -> Objective:
    most = int(output[0].argmax(0).flatten().bincount().argmax())
    return lambda value: value[0, most].mean()


def _likeness(output: Any) -> Objective:
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


TASKS: Dict[str, Task] = {
    "classification": Task(
        allowed="one tensor of 1xCLASSES scores",
        fewest=2,
        names_activation=False,
    ),
    "multilabel": Task(
        allowed="one tensor of 1xCLASSES scores",
        usual_activation=_sigmoid,
        names_activation=False,
        options=("threshold",),
    ),
    "regression": Task(
        allowed="one tensor of 1xVALUES",
        counted="values",
        one_value_may_be_flat=True,
        usual_activation=_no_activation,
        objective=_first_value,
    ),
    "segmentation": Task(
        allowed="one tensor of 1xCLASSESxHxW scores",
        dimensions=4,
        usual_activation=lambda classes: "sigmoid" if classes == 1 else "softmax",
        objective=_most_frequent_class,
    ),
    "detection": Task(
        detects=True,
        options=("format", "decoded", "background", "threshold"),
        threshold=0.3,
        conventions=YOLO,
        layers=detector_layers,
        passes_over_map_of_outputs=False,
    ),
    "embedding": Task(
        allowed="one tensor of 1xCOMPONENTS",
        fewest=2,
        counted="components",
        why_no_labels="an embedding has no classes",
        usual_activation=_no_activation,
        adapt=drop_classifier,
        passes_over_map_of_outputs=False,  # an embedding is that map's mean
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
    """Makes a network of another task one of `task`, where that can be done."""
    if task is not None and task != network.task:
        TASKS[task].adapt(network)


def settle(network: Network, wanted: WantedTask) -> None:
    """Runs the network, checks that its output is what the task says, and notes in the network what
    the description will tell."""
    network.task = wanted.task or ("detection" if wanted.format else network.task)
    task = TASKS[network.task]
    _refuse_options_of_other_tasks(network.task, wanted)
    values = _answers(network)
    if task.one_value_may_be_flat and _is_flat(values[0]):
        give(network.module, lambda value: value.reshape(1, -1))
        values = _answers(network)
    if not all(_is_finite(value) for value in values):
        raise NetworkError(MODEL, f"{network.source}: gives scores that are not finite")
    if task.detects:
        box_formats.settle(network, wanted, values)
    else:
        _settle_scores(network, wanted, values)
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


def _settle_scores(network: Network, wanted: WantedTask, values: List[Any]) -> None:
    value, task = values[0], TASKS[network.task]
    good = isinstance(value, Tensor) and value.dim() == task.dimensions and value.shape[0] == 1
    if not good or value.shape[1] < task.fewest:
        said = "" if network.task == "classification" else f" for --task {network.task}"
        raise unfit(network, value, task.allowed, said)
    network.outputs = value.shape[1]
    usual = task.usual_activation(value.shape[1])
    found = wanted.activation or _found_activation(usual, values)
    if found != usual and wanted.activation is None:
        network.notes.append(f"{network.name}: --activation {found}, by the range of its scores")
    network.probabilities = network.task == "classification" and found == "none"
    if found != usual or task.names_activation:
        network.output["activation"] = found


def _found_activation(usual: str, values: List[Tensor]) -> str:
    """None where all pictures' scores are probabilities already."""
    if usual == "softmax":
        done = all(v.min() >= 0 and bool(((v.sum(1) - 1).abs() < 1e-3).all()) for v in values)
    else:
        done = usual == "sigmoid" and all(v.min() >= 0 and v.max() <= 1 for v in values)
    return "none" if done else usual


def objective(network: Network, output: Any) -> Objective:
    """The scalar that is explained when nobody says which: it is chosen by `output`, and then read
    from any output of the network."""
    task = TASKS[network.task]
    if task.detects:
        return box_formats.best_score(network.output, output)
    return task.objective(output)


def described(network: Network) -> Dict[str, Any]:
    """The description's keys about the output."""
    found: Dict[str, Any] = {"task": network.task}
    if network.output:
        found["output"] = network.output
    if network.threshold is not None:
        found["threshold"] = network.threshold
    return found
