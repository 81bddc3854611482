"""The map that PyTorch computes at the layer that the program explained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from gradcam_tools.networks.network import Network
from gradcam_tools.networks.outputs import tensors

Scalar = Callable[[Any], Tensor]  # of an output of the network
SAME = 1e-3  # of a value's peak: two values that differ less are one


class NoReference(Exception):
    """Why there is no map to compare with."""


class _Record(TorchFunctionMode):
    """Keeps what operations of PyTorch give, as autograd knows it, if it has one of `sizes`."""

    def __init__(self, sizes: List[int]) -> None:
        super().__init__()
        self.sizes, self.kept = set(sizes), []

    def __torch_function__(self, function, types, args=(), kwargs=None):  # type: ignore
        result = function(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(value, Tensor) and value.numel() in self.sizes and value.grad_fn:
                self.kept.append(value)
        return result


def layer_values(
    network: Network, sample: Tensor, layers: List[str], file: Path
) -> Tuple[Any, List[Tensor], List[str]]:
    """The network's output, for each of `layers` its value in PyTorch, and how that was found: by a
    hook of the module of that name, else as the value that PyTorch computed and that is equal to
    what OpenVINO gives for the node of that name."""
    modules = dict(network.module.named_modules())
    hooked: Dict[str, Tensor] = {}

    def keep(name: str, value: Any) -> Any:
        if not isinstance(value, Tensor) or not value.requires_grad:
            return None
        hooked[name] = value
        return value.clone()  # an in-place operation behind the layer writes there

    nodes = {name: value_of_node(file, name, sample) for name in layers if name not in modules}
    wanted = [value.numel() for value in nodes.values() if value is not None]
    handles = [
        modules[name].register_forward_hook(lambda _, __, value, name=name: keep(name, value))
        for name in layers
        if name in modules
    ]
    try:
        with torch.enable_grad(), _Record(wanted) as record:
            output = _run(network, sample)
    finally:
        for handle in handles:
            handle.remove()
    values, how = [], []
    for name in layers:
        if name in hooked:
            values.append(hooked[name])
            how.append("hooks")
            continue
        node = nodes.get(name)
        if node is None:
            raise NoReference(f"layer {name}: neither a module nor a node with a value")
        values.append(_equal_value(name, node, record.kept))
        how.append("equal value")
    return output, values, how


def _run(network: Network, sample: Tensor) -> Any:
    """In channels-last, if the network takes it: of other tensors PyTorch 2.15 derives batch
    normalisation wrongly on the CPU where their gradient is of channels-last and strange strides, as
    in RT-DETR."""
    last = torch.channels_last
    try:
        network.module.to(memory_format=last)
        return network.module(sample.clone(memory_format=last).requires_grad_())
    except RuntimeError:  # view() of what does not lie in a row
        network.module.to(memory_format=torch.contiguous_format)
        return network.module(sample.clone().requires_grad_())


def value_of_node(file: Path, name: str, sample: Tensor) -> Optional[Tensor]:
    """What OpenVINO gives for the node `name` of an ONNX or IR file; None if there is none."""
    if file.suffix not in (".onnx", ".xml"):
        return None
    import openvino

    model = openvino.Core().read_model(file)
    nodes = [node for node in model.get_ops() if node.get_friendly_name() == name]
    if not nodes:
        nodes = [node for node in model.get_ops() if name in node.output(0).get_names()]
    if not nodes:
        return None
    cut = openvino.Model([nodes[0].output(0)], model.get_parameters(), "cut")
    fp32 = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(cut, "CPU", fp32)
    return torch.from_numpy(compiled([sample.numpy()])[0].copy())


def _equal_value(name: str, node: Tensor, kept: List[Tensor]) -> Tensor:
    """The last of `kept` that is equal to `node`, whichever way its dimensions lie."""
    peak = node.abs().max().item() or 1.0
    for value in reversed(kept):
        flat = value.detach()
        for turned in _layouts(flat):
            if turned.shape == node.shape and (turned - node).abs().max().item() < SAME * peak:
                return value
    raise NoReference(f"layer {name}: PyTorch computes no value that is equal to the node's")


def _layouts(value: Tensor) -> List[Tensor]:
    if value.dim() == 4:
        return [value, value.permute(0, 2, 3, 1), value.permute(0, 3, 1, 2)]
    if value.dim() == 3:
        return [value, value.transpose(1, 2), value.transpose(0, 1)]
    return [value]


def places(value: Tensor, size: List[int]) -> Tensor:
    """A map, or tokens, of a picture of `size` [H, W] → 1xCxhxw."""
    height, width = size
    if value.dim() == 4:
        if _like(value.shape[2], value.shape[3], size):
            return value
        if _like(value.shape[1], value.shape[2], size):
            return value.permute(0, 3, 1, 2)
    if value.dim() == 3:
        if value.shape[1] == 1:
            value = value.transpose(0, 1)
        count = value.shape[1]
        rows = math.isqrt(count * height // width)
        columns = rows * width // height
        drop = count - rows * columns
        if rows and 0 <= drop <= 8 and _like(rows, columns, size):
            return value[:, drop:].transpose(1, 2).unflatten(2, (rows, columns))
    raise NoReference(f"{'x'.join(map(str, value.shape))} are no places of a picture")


def _like(rows: int, columns: int, size: List[int]) -> bool:
    """Whether a grid has the picture's proportions."""
    return rows * columns > 1 and abs(rows * size[1] - columns * size[0]) <= max(size)


def cam(
    network: Network, output: Any, values: List[Tensor], scalar: Scalar, method: str
) -> np.ndarray:
    """The mean over layers of the raw maps of `method` (gradcam or hirescam), before any ReLU, at the
    size of the network's input."""
    gradients = torch.autograd.grad(scalar(output), values, allow_unused=True)
    heats = []
    for value, gradient in zip(values, gradients):
        if gradient is None:
            raise NoReference("the output does not depend on the layer")
        activation = places(value.detach(), network.input_size)
        slopes = places(gradient, network.input_size)
        if method == "gradcam":
            slopes = slopes.mean((2, 3), keepdim=True)
        heat = (activation * slopes).sum(1, keepdim=True)
        heats.append(functional.interpolate(heat, network.input_size, mode="bilinear"))
    return torch.stack(heats).mean(0)[0, 0].numpy()


def scalar_of(network: Network, output: Any, line: Dict[str, Any], reference: Any) -> Scalar:
    """What the program explained, by its JSON line."""
    index = line["targets"][0]["class"]
    if network.task == "segmentation":
        mask = output[0].argmax(0) == index
        return lambda value: value[0, index][mask].mean()
    if network.task == "embedding":
        other = reference.detach().flatten()
        return lambda value: functional.cosine_similarity(value.flatten(), other, 0)
    if network.task == "detection":
        return _best_box(network, output, line)
    return lambda value: value.reshape(-1)[index]


def _best_box(network: Network, output: Any, line: Dict[str, Any]) -> Scalar:
    """The score of the box that the program explained: of its class, and nearest to its corners and
    its score."""
    target = line["targets"][0]
    wanted = next(box for box in line["boxes"] if box.get("explained", True))["xyxy"]
    boxes, scores, explained = _boxes_of(network, output)
    column = scores[:, min(target["class"], scores.shape[1] - 1)]
    corners = torch.tensor(wanted, dtype=boxes.dtype)
    distance = (boxes - corners).abs().sum(1) / max(network.input_size)
    best = int((distance + (column - target["score"]).abs()).argmin())
    index = min(target["class"], explained.shape[1] - 1)
    return lambda value: _boxes_of(network, value)[2][best, index]


def _boxes_of(network: Network, output: Any) -> Tuple[Tensor, Tensor, Tensor]:
    """BOXESx4 corners in pixels, BOXESxCLASSES shares, and what is explained of each: of scores that a
    softmax follows the score before it."""
    form, activation = network.output.get("format"), network.output.get("activation")
    found = tensors(output)[0][0]
    if form == "yolov8" and found.shape[0] < found.shape[1]:
        found = found.T
    box, rest = found[:, :4], found[:, 4:]
    height, width = network.input_size
    if box.max() <= 2:  # shares of the picture
        box = box * torch.tensor([width, height, width, height])
    if form not in ("raw-heads", "end-to-end") or network.output.get("boxes") == "centre":
        centre, half = box[:, :2], box[:, 2:] / 2
        box = torch.cat([centre - half, centre + half], 1)
    if form == "end-to-end":
        return box.detach(), rest[:, :1].detach(), rest[:, :1]
    if form in ("yolox", "yolov5"):
        rest = rest[:, :1] * rest[:, 1:]
    rest = rest[:, : network.output.get("classes") or rest.shape[1]]
    if activation == "softmax":
        return box.detach(), rest.softmax(1).detach(), rest
    shares = rest.sigmoid() if activation == "sigmoid" else rest
    return box.detach(), shares.detach(), shares


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Pearson's; of maps that are constant 0."""
    if ours.shape != theirs.shape:
        raise NoReference(f"the maps are {ours.shape} and {theirs.shape}")
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    both = float(np.sqrt((ours**2).sum() * (theirs**2).sum()))
    return float((ours * theirs).sum()) / both if both > 0 else 0.0
