"""Runs an exported file and gives what some of its layers gave, for comparing it with hooks."""

from __future__ import annotations

import io
import re
from typing import Any, List, Sequence, Tuple

import torch
from torch import Tensor

from gradcam_tools.networks.network import MODEL, NetworkError
from gradcam_tools.quiet import quiet

LAYER = "gradcam_layer"  # marks the clone behind what a layer gave
STEP = re.compile(r"([^.()]+)\(")  # layer4(Sequential).1(BasicBlock)


def run(file: bytes, layers: Sequence[str], sample: Tensor) -> Tuple[Any, List[Tensor]]:
    """Output of a TorchScript file, and what the last call of each layer gave, as the program marks
    it (stages/explain/graph/graph_marks.cpp). `sample` requires a gradient, so that they have one."""
    with quiet():
        loaded: Any = torch.jit.load(io.BytesIO(file))
    parts = dict(loaded.named_modules())
    for layer in layers:
        if layer not in parts:
            raise NetworkError(MODEL, f"layer {layer}: lost in the export")
        _mark(parts[layer], layer)
    graph = loaded.inlined_graph
    marked = [_last_call(graph, layer).inputsAt(0) for layer in layers]
    results = [*graph.outputs(), *marked]
    both = graph.create("prim::TupleConstruct", results, 1)
    both.output().setType(torch._C.TupleType([value.type() for value in results]))
    graph.appendNode(both)
    _return(graph, both)
    function = torch._C._create_function_from_graph("marked", graph)
    # Without optimisation the operations behind a layer stay single ones, as in eager.
    with torch.jit.optimized_execution(False):
        output, *values = function(loaded._c, sample)
    return output, values


def _mark(module: Any, layer: str) -> None:
    """Puts a clone behind the module's output; later operations that work in place then leave the
    output itself as it was."""
    for name in module._c._method_names():
        if not name.startswith("forward"):
            continue
        graph = module._c._get_method(name).graph
        none = graph.create("prim::Constant", [], 1)
        none.output().setType(torch._C.NoneType.get())
        graph.appendNode(none)
        clone = graph.create("aten::clone", [*graph.outputs(), none.output()], 1)
        clone.s_(LAYER, layer)
        graph.appendNode(clone)
        _return(graph, clone)


def _return(graph: Any, node: Any) -> None:
    graph.eraseOutput(0)
    graph.registerOutput(node.output())


def _last_call(graph: Any, layer: str) -> Any:
    clones = graph.findAllNodes("aten::clone", True)
    marks = [n for n in clones if n.hasAttribute(LAYER) and n.s(LAYER) == layer]
    # Scripted modules of one class share their code, and so the marks.
    calls = [mark for mark in marks if _path(mark) == layer] or marks
    if not calls:
        raise NetworkError(MODEL, f"layer {layer}: never called in the export")
    return calls[-1]


def _path(node: Any) -> str:
    """The sub-module that a node comes from, in Python's words."""
    return ".".join(name for name in STEP.findall(node.getModuleHierarchy()) if name != "SELF")
