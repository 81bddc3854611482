"""An ONNX file in int8 as quantisers for ONNX Runtime write it: QuantizeLinear and DequantizeLinear in
front of each convolution and linear layer (QDQ)."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import onnx
import openvino
from onnx import helper, numpy_helper

LAYERS = ("Conv", "Gemm")
LARGEST = 127


def ranges_of(path: Path, names: List[str], pictures: List[np.ndarray]) -> Dict[str, float]:
    """The largest magnitude that each tensor has on the pictures."""
    model = openvino.Core().read_model(path)
    by_name = {}
    for name in names:
        output = model.add_outputs(name)[0] if name not in _input_names(model) else None
        if output is not None:
            by_name[name] = output.index
    compiled = openvino.compile_model(model, "CPU")
    found = {name: 0.0 for name in names}
    for picture in pictures:
        results = compiled([picture])
        for name in names:
            values = results[by_name[name]] if name in by_name else picture
            found[name] = max(found[name], float(np.abs(values).max()))
    return found


def _input_names(model: openvino.Model) -> List[str]:
    return [name for port in model.inputs for name in port.get_names()]


def quantise(source: Path, target: Path, pictures: List[np.ndarray]) -> int:
    """Writes the file; how many layers are in int8. `pictures`: as the network takes them."""
    model = onnx.load(source)
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers = [node for node in graph.node if node.op_type in LAYERS and node.input[1] in weights]
    inputs = sorted({node.input[0] for node in layers})
    ranges = ranges_of(source, inputs, pictures)
    nodes, done = [], {}
    for node in graph.node:
        if any(node is layer for layer in layers):
            for place in (0, 1):
                name = node.input[place]
                if name not in done:
                    is_weight = place == 1
                    scale, axis = scale_of(weights[name], node) if is_weight else (ranges[name], None)
                    added, done[name] = through_int8(graph, name, scale, axis)
                    nodes += added
                node.input[place] = done[name]
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)
    return len(layers)


def scale_of(weight: np.ndarray, node: onnx.NodeProto) -> Tuple[np.ndarray, int]:
    """The largest magnitude of each output channel, and their axis."""
    transposed = any(a.name == "transB" and a.i == 1 for a in node.attribute)
    axis = 0 if node.op_type == "Conv" or transposed else 1
    others = tuple(i for i in range(weight.ndim) if i != axis)
    return np.abs(weight).max(axis=others), axis


def through_int8(
    graph: onnx.GraphProto, name: str, largest: object, axis: object
) -> Tuple[List[onnx.NodeProto], str]:
    scale = np.maximum(np.asarray(largest, np.float32), 1e-6) / np.float32(LARGEST)
    zero = np.zeros(scale.shape, np.int8)
    for suffix, value in (("scale", scale), ("zero", zero)):
        graph.initializer.append(numpy_helper.from_array(value, f"{name}/{suffix}"))
    extra = {} if axis is None else {"axis": axis}
    numbers = [f"{name}/scale", f"{name}/zero"]
    return [
        helper.make_node("QuantizeLinear", [name, *numbers], [f"{name}/int8"], **extra),
        helper.make_node("DequantizeLinear", [f"{name}/int8", *numbers], [f"{name}/back"], **extra),
    ], f"{name}/back"
