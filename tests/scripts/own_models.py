"""Networks as users bring them, for the tests of the exporters: small, seeded, made on the fly."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

SIDE = 64
CLASSES = 5
# Imports a neighbour that is named like one of the project's commands.
MODULE = """
import torch
from export_model import block
from torch import nn

class Net(nn.Module):
    def __init__(self, depthwise=False):
        super().__init__()
        torch.manual_seed(3)
        self.stem = block(3, 8)
        self.body = block(8, 16)
        for _ in range(2 if depthwise else 0):
            self.body.insert(0, nn.Conv2d(8, 8, 3, padding=1, groups=8))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        return 20 * self.head(self.body(self.stem(x)).mean((2, 3)))

def net():
    return Net()

def depthwise():
    return Net(depthwise=True)

def chances():
    return nn.Sequential(Net(), nn.Softmax(1))

def number():
    return 3

def broken():
    raise ValueError("out of\\nluck")
"""
NEIGHBOUR = """
from torch import nn

def block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1), nn.ReLU(inplace=True))
"""


def write_module(folder: Path) -> Path:
    (folder / "export_model.py").write_text(NEIGHBOUR)
    path = folder / "mine.py"
    path.write_text(MODULE)
    return path


def write_onnx(path: Path, outputs: int = 1) -> Callable[[Tensor], Tensor]:
    """A classifier in operators as today's torch.onnx writes them (set 20, Identity in front of
    shared weights, Reshape with allowzero); returns what it computes."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    torch.manual_seed(4)
    kernel, bias = torch.randn(8, 3, 3, 3), torch.randn(8)
    last = torch.randn(CLASSES, 8)
    held = {"kernel": kernel, "bias": bias, "last": last}
    weights = [numpy_helper.from_array(value.numpy(), name) for name, value in held.items()]
    weights.append(numpy_helper.from_array(np.array([1, 8]), "shape"))
    weights.append(numpy_helper.from_array(np.array([2, 3]), "places"))
    nodes = [
        helper.make_node("Identity", ["bias"], ["same"]),
        helper.make_node("Conv", ["x", "kernel", "same"], ["a"], strides=[2, 2], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], name="last_map"),
        helper.make_node("ReduceMean", ["b", "places"], ["c"], keepdims=1),
        helper.make_node("Reshape", ["c", "shape"], ["d"], allowzero=1),
        helper.make_node("Gemm", ["d", "last"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None])
            for name in ("y", "d")[:outputs]
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model)
    save(model, str(path))
    return lambda x: functional.conv2d(x, kernel, bias, 2, 1).relu().mean((2, 3)) @ last.T


def write_pictures(folder: Path, count: int, seed: int) -> Path:
    """Smooth pictures in all colours."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index in range(count):
        coarse = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((96, 80), Image.Resampling.BILINEAR)
        picture.save(folder / f"{index:02}.png")
    return folder
