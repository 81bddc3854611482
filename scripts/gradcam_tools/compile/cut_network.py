"""Cuts a network at a layer into features, which need no gradient, and the head behind them."""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import Any, Dict, List

import torch
from torch import Tensor, fx, nn

from gradcam_tools.networks.network import MODEL, USAGE, NetworkError, first_line
from gradcam_tools.quiet import silence


class Head(nn.Module):
    """The part behind the layer. Its inputs are cloned: the part may write in place, and the
    activation is a leaf of autograd."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, *values: Tensor) -> Tensor:
        return self.graph(*(value.clone() for value in values))


@dataclasses.dataclass
class CutNetwork:
    """features(x) = (activation, *frontier); head(activation, *frontier) = the network's output.
    The frontier holds the values besides the activation that the head takes from the features, such
    as a residual branch.

    Where a linear layer ends the network and has the only matrix behind the cut, the features give
    the network's output as their last result: the program then differentiates the head without
    running that layer. Other heads have work that would be done twice."""

    features: fx.GraphModule
    head: Head
    gives_output: bool


def cut(module: nn.Module, sample: Tensor, layer: str) -> CutNetwork:
    """Cuts at the output of the last call of `layer`, along torch.export's graph, in which each node
    knows the modules it comes from."""
    try:
        with silence():
            graph_module = torch.export.export(module, (sample,), strict=False).module()
    except Exception as error:  # whatever the network's own code raises under export
        reason = first_line(error)
        raise NetworkError(MODEL, f"torch.export cannot take the network: {reason}") from None
    graph = graph_module.graph
    for node in list(graph.nodes):
        if node.op == "call_module" and not node.users:  # checks of the input's shape
            graph.erase_node(node)
    nodes = list(graph.nodes)
    named = [node for node in nodes if layer in _layers_of(node)]
    if not named:
        raise NetworkError(USAGE, f"--layer '{layer}': no operation of the network comes from it")
    activation = named[-1]
    behind = {activation}
    for node in nodes:
        if behind.intersection(node.all_input_nodes):
            behind.add(node)
    behind.discard(activation)
    if not any(node.op == "output" for node in behind):
        raise NetworkError(USAGE, f"--layer '{layer}': the output does not depend on it")
    frontier: List[fx.Node] = []
    for node in nodes:
        for value in node.all_input_nodes if node in behind else []:
            inside = value in behind or value is activation or value.op == "get_attr"
            if not inside and value not in frontier:
                frontier.append(value)
    values = [activation, *frontier]
    head = Head(_head(graph_module, behind, values))
    (output,) = nodes[-1].all_input_nodes  # one, as _head() has seen
    if not _has_the_only_matrix(graph_module, output, behind):
        return CutNetwork(_features(graph_module, behind, values), head, False)
    return CutNetwork(_features(graph_module, set(), [*values, output]), head, True)


def _has_the_only_matrix(whole: fx.GraphModule, last: fx.Node, behind: set) -> bool:
    """Whether `last` is a linear layer, and no other operation `behind` takes a weight of two or
    more dimensions, as convolutions, linear layers and all attention do."""
    if last.target is not torch.ops.aten.linear.default:
        return False
    weights = {value for node in behind - {last} for value in node.all_input_nodes}
    held = (attrgetter(value.target)(whole) for value in weights if value.op == "get_attr")
    return all(tensor.dim() < 2 for tensor in held)


def _layers_of(node: fx.Node) -> List[str]:
    stack: Dict[str, Any] = node.meta.get("nn_module_stack") or {}
    return [entry[0] for entry in stack.values()] if node.op == "call_function" else []


def _features(whole: fx.GraphModule, behind: set, results: List[fx.Node]) -> fx.GraphModule:
    graph = fx.Graph()
    copies: Dict[fx.Node, fx.Node] = {}
    for node in whole.graph.nodes:
        if node not in behind and node.op != "output":
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in results))
    return _module(whole, graph)


def _head(whole: fx.GraphModule, behind: set, inputs: List[fx.Node]) -> fx.GraphModule:
    graph = fx.Graph()
    copies = {node: graph.placeholder(f"value_{i}") for i, node in enumerate(inputs)}
    for node in whole.graph.nodes:
        if node.op == "get_attr":
            copies[node] = graph.node_copy(node, copies.__getitem__)
    for node in whole.graph.nodes:
        if node not in behind:
            continue
        if node.op == "output":
            outputs = list(node.all_input_nodes)
            if len(outputs) != 1:
                raise NetworkError(MODEL, f"gives {len(outputs)} tensors, not one")
            graph.output(copies[outputs[0]])
        else:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    return _module(whole, graph)


def _module(whole: fx.GraphModule, graph: fx.Graph) -> fx.GraphModule:
    part = fx.GraphModule(whole, graph)
    # Only now: a graph without its module does not know which operations have effects.
    part.graph.eliminate_dead_code()
    part.delete_all_unused_submodules()
    part.recompile()
    return part
