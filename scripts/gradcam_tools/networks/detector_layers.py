"""Finds the layers of a detector that its predictions come from: one map per level, behind the
neck."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Callable, Dict, Iterable, Iterator, List, Set, Tuple

import torch
from torch import Tensor, nn

from gradcam_tools.networks.outputs import tensors

Node = Any  # of autograd's graph
Size = Tuple[int, int]


@dataclasses.dataclass
class Map:
    name: str
    size: Size


def detector_layers(module: nn.Module, sample: Tensor) -> List[str]:
    """The neck's outputs, large maps first; empty if the network is not built that way.

    For each size at which the detector predicts, this is the last map that all predictions of that
    size come from and that another size uses, too. No other size uses a map of the last size: there
    the map is chosen that lies as many maps in front of the predictions as those of the other
    sizes. All this is read from autograd's graph of one run."""
    maps, outputs = _run(module, sample)
    starts = [output.grad_fn for output in outputs]
    # Without another convolution or matrix product: from there on a network only decodes and
    # rearranges.
    predictions = set(_behind(starts, _mixes_channels))
    ends: Dict[Size, List[Node]] = {}  # the last maps in front of the output
    for node in _behind(starts, maps.__contains__):
        if node in maps:
            ends.setdefault(maps[node].size, []).append(node)
    levels: Dict[Size, List[Node]] = {}
    for size in sorted(ends, reverse=True):
        shared = _shared(ends[size], predictions, maps)
        if shared:
            levels[size] = shared
    places: Dict[Size, int] = {}
    for size, shared in levels.items():
        others = [node for other in levels if other != size for node in ends[other]]
        taken = set(_behind(others, lambda _: False))
        found = [place for place, node in enumerate(shared) if node in taken]
        if found:
            places[size] = found[0]
    usual = min(places.values(), default=0)
    chosen = [s[min(places.get(size, usual), len(s) - 1)] for size, s in levels.items()]
    return [maps[node].name for node in chosen]


def _shared(ends: List[Node], predictions: Set[Node], maps: Dict[Node, Map]) -> List[Node]:
    """The maps of the same size that all of `ends` come from, the last first, without predictions.
    Those are not told by their channels: a neck may have as many as a branch of the head."""
    size = maps[ends[0]].size
    return [
        node
        for node in reversed(maps)
        if maps[node].size == size
        and node not in predictions
        and _all_come_from(ends, node, maps)
    ]


def _mixes_channels(node: Node) -> bool:
    """Whether it is a convolution or matrix product."""
    return re.match(r".*[Cc]onv|(Add|Baddb|B)mm|Mm|Linear", node.name()) is not None


def _run(module: nn.Module, sample: Tensor) -> Tuple[Dict[Node, Map], List[Tensor]]:
    """Runs the module. Returns the maps with the picture's proportions that its layers gave, in the
    order of the calls, each under the node of autograd's graph that made it; and the output."""
    maps: Dict[Node, Map] = {}

    def note(name: str, value: Any) -> None:
        if not isinstance(value, Tensor) or value.dim() != 4 or value.grad_fn is None:
            return
        _, _, height, width = value.shape
        skew = abs(height * sample.shape[3] - width * sample.shape[2])
        if height * width > 1 and skew <= max(sample.shape[2:]):
            known = maps.get(value.grad_fn)
            if known is None or name.count(".") <= known.name.count("."):
                maps[value.grad_fn] = Map(name, (height, width))

    handles = [
        layer.register_forward_hook(lambda _, __, value, name=name: note(name, value))
        for name, layer in module.named_modules()
        if name and not isinstance(layer, nn.Identity)  # a trace leaves nothing of it
    ]
    try:
        with torch.enable_grad():
            output = module(sample.detach().clone().requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    return maps, tensors(output)


def _behind(starts: Iterable[Node], stops: Callable[[Node], bool]) -> Iterator[Node]:
    """`starts` and the nodes that they come from; the search ends at nodes that `stops` says yes
    to."""
    waiting = [node for node in starts if node is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        if stops(node):
            continue
        for before, _ in node.next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                waiting.append(before)


def _all_come_from(ends: List[Node], node: Node, maps: Dict[Node, Map]) -> bool:
    """Whether every way from `ends` to the input or a map of another size leads through `node`."""
    size = maps[node].size
    for found in _behind(ends, lambda other: other is node):
        if found is node:
            continue
        elsewhere = found in maps and maps[found].size != size
        if elsewhere or not found.next_functions:
            return False
    return True
