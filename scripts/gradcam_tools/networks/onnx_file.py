"""An ONNX file as a PyTorch module, by onnx2torch."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor, fx, nn

from gradcam_tools.networks.network import MODEL, USAGE, NetworkError, first_line
from gradcam_tools.networks.outputs import give_all, number_of
from gradcam_tools.openvino_model import Compiled

TOLERANCE = 1e-3  # of the largest score
# Versions of the operators to try, None for those of the file: the converter has no newer ones.
OPERATOR_SETS = (None, 17, 16, 13)


def read(
    path: Path, select: Optional[str] = None
) -> Tuple[nn.Module, Optional[List[int]], Dict[str, List[int]]]:
    """The module, [H, W] if the file fixes them, and the shapes of the outputs that are left out.
    `select`, a name or a number, chooses one of several outputs; without it the module gives
    all."""
    import onnx

    if not path.is_file():
        raise NetworkError(MODEL, f"'{path}': no such file")
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and ONNX's own errors have no common class
        raise NetworkError(MODEL, f"'{path}': not a sound ONNX file: {first_line(error)}") from None
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise NetworkError(MODEL, f"'{path}': has {len(inputs)} inputs; allowed: one")
    left_out = {} if select is None else _keep_output(path, model, select)
    size = _size(path, inputs[0])
    module = _convert(path, model)
    give_all(module)
    return module, size, left_out


def _keep_output(path: Path, model: Any, select: str) -> Dict[str, List[int]]:
    outputs = list(model.graph.output)
    at = number_of(select, [value.name for value in outputs])
    if at is None:
        known = ", ".join(value.name for value in outputs)
        raise NetworkError(USAGE, f"--select {select}: '{path}' gives {known}")
    del model.graph.output[:]
    model.graph.output.append(outputs[at])
    del outputs[at]
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in outputs
    }


def _size(path: Path, value: Any) -> Optional[List[int]]:
    shape = [d.dim_value or None for d in value.type.tensor_type.shape.dim]
    if len(shape) != 4 or shape[0] not in (1, None) or shape[1] not in (1, 3, None):
        found = "x".join(str(size or "?") for size in shape)
        raise NetworkError(MODEL, f"'{path}': takes {found}; allowed: 1x3xHxW or 1x1xHxW")
    height, width = shape[2:]
    return [height, width] if height and width else None


def _convert(path: Path, model: Any) -> nn.Module:
    import onnx2torch
    from onnx import version_converter

    # The warning is about its Slice; compare() checks the result.
    warnings.filterwarnings("ignore", message="Using a non-tuple sequence")

    reasons: List[str] = []
    for version in OPERATOR_SETS:
        try:
            same = model if version is None else version_converter.convert_version(model, version)
            return _with_fixed_shapes(onnx2torch.convert(_simplified(same)))
        except Exception as error:  # each of the two has its own ways to say no
            reasons.append(first_line(error))
    raise NetworkError(
        MODEL,
        f"'{path}': onnx2torch cannot take it: {reasons[0]}; gradcam-live takes the file itself",
    )


def _simplified(model: Any) -> Any:
    """A copy without two harmless things that onnx2torch refuses: Identity in front of weights (how
    torch shares equal ones), and Reshape's allowzero where the shape holds no zero."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    results = {value.name for value in graph.output}
    same: Dict[str, str] = {}
    for node in list(graph.node):
        if node.op_type == "Identity" and node.output[0] not in results:
            same[node.output[0]] = same.get(node.input[0], node.input[0])
            graph.node.remove(node)
    constants = _constants(graph)
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        if node.op_type == "Reshape" and constants.get(node.input[1], torch.zeros(1)).all():
            for attribute in [a for a in node.attribute if a.name == "allowzero"]:
                node.attribute.remove(attribute)
    return copy


def _constants(graph: Any) -> Dict[str, Tensor]:
    """Small tensors that the file holds: shapes."""
    from onnx import numpy_helper

    held = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            held[node.output[0]] = node.attribute[0].t
    return {
        name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for name, tensor in held.items()
        if tensor.data_type == tensor.INT64
    }


class Reshape(nn.Module):
    """ONNX's Reshape to a shape known beforehand: 0 keeps a dimension."""

    def __init__(self, shape: List[int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, value: Tensor) -> Tensor:
        return value.reshape([size or value.shape[i] for i, size in enumerate(self.shape)])


def _with_fixed_shapes(module: fx.GraphModule) -> nn.Module:
    """onnx2torch's own Reshape looks at its shape while it runs, which torch.export refuses."""
    from onnx2torch.node_converters import OnnxReshape

    for node in module.graph.nodes:
        if node.op != "call_module" or node.args[1:] == () or node.args[1].op != "get_attr":
            continue
        if isinstance(module.get_submodule(node.target), OnnxReshape):
            value, shape = node.args
            parent, _, name = shape.target.rpartition(".")
            held = getattr(module.get_submodule(parent), name)
            module.set_submodule(node.target, Reshape(held.tolist()))
            node.args = (value,)
    module.recompile()
    return module


def compare(path: Path, sample: Tensor, found: List[Tensor], select: Optional[str] = None) -> None:
    """Raises if the converted module does not give what the file gives under OpenVINO."""
    import openvino

    try:
        file = openvino.Core().read_model(path)
        expected = Compiled(file, "f32")(sample)
    except RuntimeError as error:  # OpenVINO's own errors are such
        raise NetworkError(MODEL, f"'{path}': OpenVINO cannot: {first_line(error)}") from None
    at = number_of(select, [port.get_any_name() for port in file.outputs])
    if at is not None:
        expected = [expected[at]]
    for ours, theirs in zip(found, expected):
        worst = (ours - theirs).abs().max().item()
        largest = theirs.abs().max().item()
        if not worst <= TOLERANCE * largest:
            raise NetworkError(
                MODEL,
                f"'{path}': onnx2torch's module differs from the file by {worst:.3g} (scores up to "
                f"{largest:.3g}, allowed {TOLERANCE:g} of that); gradcam-live takes the file itself",
            )
