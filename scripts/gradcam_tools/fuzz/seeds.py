"""Sound network files, each of some operations that the reader has rules for: tiny, so that reading
one takes a moment."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import List

import numpy as np
import onnx
import openvino
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from gradcam_tools.fuzz import tiny_tflite
from gradcam_tools.quiet import silence

EXAMPLE = torch.rand(1, 3, 32, 32)
DESCRIPTION = {"gradcam.json": '{"input_size": [32, 32]}'}  # a TorchScript file tells no size


class Plain(nn.Module):
    """A classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU6(),
            nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Hardswish(), nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(6, 8, 1), nn.PReLU(8), nn.AvgPool2d(2),
        )  # fmt: skip
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(self.fc(self.features(x).mean((2, 3))), 1)


class Boxes(nn.Module):
    """A detector's neck and head: maps of two sizes, decoded boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=4, padding=1)
        self.down = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.fine = nn.Conv2d(12, 7, 1)
        self.coarse = nn.Conv2d(8, 7, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = functional.silu(self.stem(x))
        b = functional.leaky_relu(self.down(a), 0.1)
        wide = functional.interpolate(b, scale_factor=2.0, mode="nearest")
        a = torch.cat([a, self.up(b) + wide[:, :6]], 1)
        rows = [map_.flatten(2) for map_ in (self.fine(a), self.coarse(b))]
        numbers = torch.cat(rows, 2)
        place, size, scores = numbers.split((2, 2, 3), 1)
        return torch.cat([place.sigmoid() * 32, size.exp() * 8, scores.sigmoid()], 1)


class Tokens(nn.Module):
    """One block of a transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 12, 8, 8)
        self.first = nn.Parameter(torch.randn(1, 1, 12))
        self.norm = nn.LayerNorm(12)
        self.qkv = nn.Linear(12, 36)
        self.fc = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1)
        q, k, v = self.qkv(self.norm(x)).reshape(1, 17, 3, 2, 6).permute(2, 0, 3, 1, 4).unbind(0)
        attention = (q @ k.transpose(-2, -1) * 0.4).softmax(-1)
        x = x + (attention @ v).transpose(1, 2).reshape(1, 17, 12)
        return self.fc(functional.gelu(x)[:, 0])


class Places(nn.Module):
    """A segmentation: of squeezed channels, by another way to enlarge."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=2, dilation=2)
        self.squeeze = nn.Conv2d(8, 8, 1)
        self.norm = nn.InstanceNorm2d(8, affine=True)
        self.head = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.elu(self.norm(self.stem(x)))
        x = x * functional.hardsigmoid(self.squeeze(functional.adaptive_avg_pool2d(x, 1)))
        x = functional.pad(x, (1, 1, 1, 1), mode="reflect").clamp(-1, 1) ** 2
        return functional.interpolate(
            self.head(x), size=(32, 32), mode="bilinear", align_corners=False
        )


def quantised(model: onnx.ModelProto) -> onnx.ModelProto:
    """The first input and weights through int8 and back, as a quantiser writes it."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    first = next(node for node in graph.node if node.op_type == "Conv")
    for name, value in (("q_scale", np.float32(0.02)), ("q_zero", np.int8(3))):
        graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    nodes = []
    for place, source in enumerate(first.input[:2]):
        nodes.append(helper.make_node("QuantizeLinear", [source, "q_scale", "q_zero"], [f"q{place}"]))
        nodes.append(
            helper.make_node("DequantizeLinear", [f"q{place}", "q_scale", "q_zero"], [f"dq{place}"])
        )
        first.input[place] = f"dq{place}"
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
    return made


def with_selection() -> onnx.ModelProto:
    """Boxes that the file itself chooses among, and a branch on a constant."""
    def constant(name: str, value: np.ndarray) -> onnx.TensorProto:
        return numpy_helper.from_array(value, name)

    rng = np.random.default_rng(2)
    initializers = [
        constant("w", rng.normal(0, 0.3, (6, 3, 8, 8)).astype(np.float32)),
        constant("rows", np.array([1, 6, 16], np.int64)),
        constant("four", np.array([4, 2], np.int64)),
        constant("most", np.array([5], np.int64)),
        constant("iou", np.array([0.5], np.float32)),
        constant("score", np.array([0.1], np.float32)),
    ]
    nodes = [
        helper.make_node("Conv", ["picture", "w"], ["map"], strides=[8, 8], name="conv"),
        helper.make_node("Reshape", ["map", "rows"], ["numbers"]),
        helper.make_node("Split", ["numbers", "four"], ["raw", "logits"], axis=1),
        helper.make_node("Transpose", ["raw"], ["boxes"], perm=[0, 2, 1]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
        helper.make_node(
            "NonMaxSuppression", ["boxes", "scores", "most", "iou", "score"], ["chosen"]
        ),
    ]
    graph = helper.make_graph(
        nodes, "selection",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [
            helper.make_tensor_value_info("chosen", TensorProto.INT64, ["n", 3]),
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 16, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 16]),
        ],
        initializers,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def export(net: nn.Module, path: Path, dynamo: bool, opset: int) -> onnx.ModelProto:
    with silence(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (EXAMPLE,), str(path), opset_version=opset, dynamo=dynamo)
    model = onnx.load(path)  # with what the newer exporter lays beside it
    for data in path.parent.glob(path.name + ".data"):
        data.unlink()
    onnx.save(model, path)
    return model


def write_seeds(folder: Path) -> List[Path]:
    """All of them, in `folder`; those that are there are taken as they are."""
    done = folder / "complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
        done.touch()
    return sorted(
        path for path in folder.iterdir() if path.suffix in (".onnx", ".xml", ".tflite", ".pt")
    )


def make(folder: Path) -> None:
    torch.manual_seed(1)
    newer = importlib.util.find_spec("onnxscript") is not None
    if not newer:
        print("fuzz: no onnxscript in this Python: seeds of torch's older ONNX exporter alone")
    for net in (Plain(), Boxes(), Tokens(), Places()):
        net.eval().requires_grad_(False)
        name = type(net).__name__.lower()
        with silence(), torch.no_grad():
            traced = torch.jit.trace(net, EXAMPLE, check_trace=False)
            torch.jit.save(traced, str(folder / f"{name}.pt"), _extra_files=DESCRIPTION)
        model = export(net, folder / f"{name}_17.onnx", dynamo=False, opset=17)
        export(net, folder / f"{name}_12.onnx", dynamo=False, opset=12)
        if newer:
            export(net, folder / f"{name}_new.onnx", dynamo=True, opset=18)
        onnx.save(quantised(model), folder / f"{name}_int8.onnx")
        read = openvino.convert_model(str(folder / f"{name}_17.onnx"))
        openvino.save_model(read, str(folder / f"{name}.xml"), compress_to_fp16=True)
    onnx.save(with_selection(), folder / "selection.onnx")
    (folder / "tiny.tflite").write_bytes(tiny_tflite.network())
