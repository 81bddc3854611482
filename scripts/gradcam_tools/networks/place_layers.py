"""Finds the layer of a network whose activations are tokens, or maps with channels last: the last one
that is about places of the picture."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from gradcam_tools.networks.network import Network
from gradcam_tools.networks.outputs import tensors
from gradcam_tools.networks.tasks import TASKS, objective

MOST_DROPPED = 16  # class, distillation and register tokens
COUNTS = 1e-6  # of the strongest gradient: a place with less does not count
MOST_PLACES = 0.9  # share of the places that must count


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the places of the picture lie in an activation: "map" 1xCxhxw, "channels-last" 1xhxwxC,
    "tokens" 1x(drop + h w)xC."""

    kind: str
    grid: Tuple[int, int]
    drop: int = 0

    def described(self) -> Dict[str, Any]:
        """The description's `tokens`."""
        return {"drop": self.drop, "grid": list(self.grid)}


@dataclasses.dataclass
class Call:
    name: str
    layer: nn.Module
    value: Tensor
    layout: Optional[Layout]
    counts: bool = False  # nearly all of its places have a gradient

    @property
    def is_norm(self) -> bool:
        return "Norm" in type(self.layer).__name__


def in_proportion(rows: int, columns: int, size: Sequence[int]) -> bool:
    """Whether a grid has the proportions of a picture [H, W], but for rounding."""
    skew = abs(rows * size[1] - columns * size[0])
    return rows * columns > 1 and skew < max(size)


def layout_of(shape: Sequence[int], size: Sequence[int]) -> Optional[Layout]:
    """That of an activation of a picture of `size` [H, W]; None if it is about no places."""
    if len(shape) == 4 and shape[0] == 1:
        if in_proportion(shape[2], shape[3], size):
            return Layout("map", (shape[2], shape[3]))
        if in_proportion(shape[1], shape[2], size):
            return Layout("channels-last", (shape[1], shape[2]))
    if len(shape) == 3 and shape[0] == 1:
        rows = math.isqrt(shape[1] * size[0] // size[1])
        columns = rows * size[1] // size[0]
        drop = shape[1] - rows * columns
        if rows > 1 and columns > 1 and 0 <= drop <= MOST_DROPPED:
            return Layout("tokens", (rows, columns), drop)
    return None


def place_layer(network: Network, sample: Tensor, after: Optional[str]) -> Optional[Dict[str, Any]]:
    """The description's `layer` and `tokens`; None if no layer behind `after` (the last map) will do.
    If something goes past `after`, it may lie in front of that, too.

    A layer will do if nearly each of its places moves the explained score (behind the last block of
    a vision transformer only the class token does). Of these the last is taken that everything goes
    through, or the first norm behind it, as pytorch-grad-cam advises for vision transformers (norm1
    of the last block); if everything goes through none, the last norm that will do."""
    calls, output, picture = _run(network, sample)
    last_map = max((i for i, call in enumerate(calls) if call.name == after), default=-1)
    if last_map >= 0 and not _all_goes_through(output, picture, calls[last_map].value):
        last_map = -1
    good = [i for i, call in enumerate(calls) if _will_do(call, _classes(network))]
    chosen = None
    for i in reversed(good):
        if i <= last_map:
            break
        if _all_goes_through(output, picture, calls[i].value):
            chosen = _norm_behind(calls, good, i)
            break
    if chosen is None:
        norms = [i for i in good if i > last_map and calls[i].is_norm]
        chosen = norms[-1] if norms else None
    if chosen is None:
        return None
    call = calls[chosen]
    assert call.layout is not None
    return {"layer": _outermost(calls, call), "tokens": call.layout.described()}


def _run(network: Network, sample: Tensor) -> Tuple[List[Call], Any, Tensor]:
    """The calls of all named layers that gave a tensor, in the order in which they ended, with the
    gradient of the explained scalar noted; the output; and the picture."""
    calls: List[Call] = []
    size = network.input_size

    def note(name: str, layer: nn.Module, value: Any) -> None:
        if isinstance(value, Tensor) and value.requires_grad:
            calls.append(Call(name, layer, value, layout_of(value.shape, size)))

    handles = [
        layer.register_forward_hook(lambda layer, _, value, name=name: note(name, layer, value))
        for name, layer in network.module.named_modules()
        if name
    ]
    picture = sample.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            output = network.module(picture)
            scalar = objective(network, output)(output)
    finally:
        for handle in handles:
            handle.remove()
    _leave_out_chance_grids(calls)
    if network.task == "detection":
        _leave_out_queries(calls, output)
    placed = [call for call in calls if call.layout is not None]
    gradients = torch.autograd.grad(scalar, [c.value for c in placed], allow_unused=True)
    for call, gradient in zip(placed, gradients):
        call.counts = gradient is not None and _counts(gradient, call.layout)
    return calls, output, picture


def _leave_out_chance_grids(calls: List[Call]) -> None:
    """Tokens lie as the maps of convolutions do that they were made of, or as these halved a few times;
    others have such a number by chance."""
    grids = {
        call.layout.grid
        for call in calls
        if isinstance(call.layer, nn.Conv2d) and call.layout and call.layout.kind == "map"
    }
    known = set(grids)
    for rows, columns in grids:
        while max(rows, columns) > 1:
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
            known.add((rows, columns))
    for call in calls:
        if known and call.layout and call.layout.kind == "tokens" and call.layout.grid not in known:
            call.layout = None


def _leave_out_queries(calls: List[Call], output: Any) -> None:
    """A DETR has a token for each box, which is no place, in as many as a grid by chance."""
    boxes = {size for value in tensors(output) for size in value.shape[1:]}
    for call in calls:
        if call.layout and call.layout.kind == "tokens" and call.value.shape[1] in boxes:
            call.layout = None


def _counts(gradient: Tensor, layout: Any) -> bool:
    if layout.kind == "map":
        strength = gradient.abs().sum(1).flatten()
    else:
        strength = gradient.abs().sum(-1).flatten()[layout.drop :]
    peak = float(strength.max())
    return peak > 0 and float((strength > COUNTS * peak).float().mean()) >= MOST_PLACES


def _classes(network: Network) -> Optional[int]:
    """As many channels a classifier's own map has, which is then averaged."""
    return network.outputs if TASKS[network.task].skips_map_of_outputs else None


def _will_do(call: Call, classes: Optional[int]) -> bool:
    """Not a map: those are layers.default_layer's. An Identity gives nothing in a trace."""
    if call.layout is None or call.layout.kind == "map" or not call.counts:
        return False
    if call.value.shape[-1] == classes:
        return False
    return not isinstance(call.layer, nn.Identity) and not is_pooling(call.layer)


def is_pooling(layer: nn.Module) -> bool:
    """By the name of its class; the parts of a PoolFormer are no pooling."""
    return re.search(r"Pool(?!Former)", type(layer).__name__) is not None


def _norm_behind(calls: List[Call], good: List[int], at: int) -> int:
    """The next norm behind call `at` that will do and has as many places."""
    for i in good:
        if i > at and calls[i].is_norm and calls[i].layout == calls[at].layout:
            return i
    return at


def _outermost(calls: List[Call], call: Call) -> str:
    """Of the layers that gave this very value, and nothing else later, the outermost one's name."""
    last = {c.name: c.value for c in calls}
    same = [
        c.name
        for c in calls
        if c.value is call.value and last[c.name] is c.value and not isinstance(c.layer, nn.Identity)
    ]
    return min(reversed(same or [call.name]), key=lambda name: name.count("."))


def _all_goes_through(output: Any, picture: Tensor, value: Tensor) -> bool:
    """Whether every way from the output to the picture leads through `value`."""
    starts = [t.grad_fn for t in tensors(output) if isinstance(t, Tensor)]
    return all(
        getattr(node, "variable", None) is not picture for node in _behind(starts, value.grad_fn)
    )


def _behind(starts: List[Any], stop: Any) -> Iterator[Any]:
    """The nodes of autograd's graph that `starts` come from, without going beyond `stop`."""
    waiting = [node for node in starts if node is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        if node is stop:
            continue
        for before, _ in node.next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                waiting.append(before)
