#!/usr/bin/env python3
"""The program on ONNX, OpenVINO and quantised files of networks whose TorchScript file it explains,
too: the same scores, the same heat, the same layers."""

from __future__ import annotations

import copy
import functools
import json
import os
import subprocess
import tempfile
import unittest
import warnings
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import onnx
import openvino
import torch
from onnx import helper
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gradcam_tools.fuzz import tiny_tflite
from program_case import PROGRAM, QUICK, ProgramCase

HEIGHT, WIDTH = 64, 96  # not square on purpose
NAMES = ["red", "green", "blue"]


class Block(nn.Module):
    """With a way around, whose sum is the block's output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)) + x)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU6())
        self.stages = nn.Sequential(Block(8), nn.MaxPool2d(2), Block(8))
        self.fc = nn.Linear(8, 3)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.stages(self.stem(x)).mean((2, 3))) * 3


class OneActivation(nn.Module):
    """One SiLU for all blocks, as Ultralytics' networks have it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        act = nn.SiLU()
        channels = (3, 8, 8, 12)
        self.blocks = nn.ModuleList(Shared(*pair, act) for pair in zip(channels, channels[1:]))
        self.fc = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3))) * 9


class Shared(nn.Module):
    def __init__(self, before: int, behind: int, act: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, behind, 3, stride=2, padding=1)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x))


def describe(path: Path) -> Path:
    description = {"input_size": [HEIGHT, WIDTH], "labels": NAMES, "name": "net"}
    path.with_suffix(".json").write_text(json.dumps(description))
    return path


def map_in(folder: Path) -> np.ndarray:
    (file,) = folder.iterdir()
    return np.array(Image.open(file))


@functools.cache
def exported(net: Net, kind: str) -> bytes:
    """The usual files of a network: made once for all tests."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = Path(folder) / f"net.{kind}"
        if kind == "pt":
            torch.jit.save(torch.jit.trace(net, EXAMPLE), str(path))
        else:
            torch.onnx.export(net, (EXAMPLE,), str(path), opset_version=17, dynamo=False)
        return path.read_bytes()


NET = Net().eval()
EXAMPLE = torch.rand(1, 3, HEIGHT, WIDTH)


class Formats(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.net = NET
        rng = np.random.default_rng(3)
        pixels = (rng.random((HEIGHT, WIDTH, 3)) * 255).astype(np.uint8)
        pixels[16:32, 24:56] = (230, 30, 20)
        self.picture = self.folder / "picture.png"
        Image.fromarray(pixels).save(self.picture)

    def torchscript(self) -> Path:
        path = describe(self.folder / "net.pt")
        path.write_bytes(exported(self.net, "pt"))
        return path

    def onnx(self, name: str = "net.onnx") -> Path:
        path = self.folder / name
        path.write_bytes(exported(self.net, "onnx"))
        return path

    def read(self, model: Path, *options: Any) -> Tuple[Dict[str, float], np.ndarray]:
        """Scores by label, and the map."""
        maps = self.folder / f"maps_{model.name}"
        (line,) = self.lines(
            self.picture, "-m", model, *QUICK, "--maps", maps, "-y", "--target", "red", *options
        )
        return {top["label"]: top["score"] for top in line["top"]}, map_in(maps)

    def expect_same(self, model: Path, reference: Path, *options: Any, within: float = 2e-5) -> None:
        scores, heat = self.read(model, *options)
        expected, expected_heat = self.read(reference)
        self.assertEqual(scores.keys(), expected.keys())
        for label, score in expected.items():
            self.assertAlmostEqual(scores[label], score, delta=within)
        self.assertGreater(float(expected_heat.max()), 0)
        self.assertLess(float(np.abs(heat - expected_heat).max()), 50 * within)

    def layers(self, model: Path) -> List[str]:
        return [line.split()[0] for line in self.told("layers", model).splitlines()]

    def told(self, command: str, model: Path) -> str:
        cache = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run(
            [PROGRAM, command, model], capture_output=True, text=True, env=cache, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_onnx_is_explained_as_the_torchscript_file_is(self) -> None:
        self.expect_same(describe(self.onnx()), self.torchscript())

    def test_layers_have_the_names_of_the_modules(self) -> None:
        names = self.layers(describe(self.onnx()))
        of_modules = self.layers(self.torchscript())
        for name in ("stem.0", "stem", "stages.0.conv", "stages.0", "stages.1", "stages.2", "stages"):
            self.assertIn(name, of_modules)
            self.assertIn(name, names)
        reference = self.read(self.folder / "net.pt", "--layer", "stages.0")[1]
        heat = self.read(self.folder / "net.onnx", "--layer", "stages.0")[1]
        self.assertLess(float(np.abs(heat - reference).max()), 1e-3)

    def test_layers_end_behind_an_activation_that_they_share(self) -> None:
        self.net = OneActivation().eval()
        reference = self.read(self.torchscript(), "--layer", "blocks.1")[1]
        self.assertGreater(float(reference.max()), 0)
        path = describe(self.folder / "net.xml")
        openvino.save_model(
            openvino.convert_model(self.net, example_input=EXAMPLE), path, compress_to_fp16=False
        )
        for model in (self.onnx(), path):
            with self.subTest(model.name):
                self.assertIn("blocks.1.act", self.layers(model))
                heat = self.read(model, "--layer", "blocks.1")[1]
                self.assertLess(float(np.abs(heat - reference).max()), 1e-3)

    def test_tensorflow_lite_against_numbers_worked_out_here(self) -> None:
        path = self.folder / "net.tflite"
        path.write_bytes(tiny_tflite.network())
        pixels = np.random.default_rng(4).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.picture)
        (line,) = self.lines(
            *(self.picture, "-m", path, *QUICK, "--maps", self.folder / "maps"),
            *("--target", "index:2", "--style", "raw"),
        )
        w = {name: torch.tensor(values) for name, values in tiny_tflite.weights().items()}
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = ((torch.tensor(pixels) / 255 - mean) / std).permute(2, 0, 1)[None]
        for layer in ("1", "2"):
            x = functional.pad(x, (0, 1, 0, 1))
            x = functional.conv2d(x, w[f"w{layer}"].permute(0, 3, 1, 2), w[f"b{layer}"], stride=2)
            if layer == "1":
                x = x.relu()
        shares = (w["w3"] @ x.mean((2, 3))[0] + w["b3"]).softmax(0)
        # d share_2 / d A, the mean over places of A and then a softmax: the same at each place.
        gradient = shares[2] * (w["w3"][2] - shares @ w["w3"]) / 64
        heat = (gradient[:, None, None] * x[0]).sum(0)[None, None]  # raw: with its sign
        heat = functional.interpolate(heat, (32, 32), mode="bilinear")[0, 0].numpy()
        for top in line["top"]:
            self.assertAlmostEqual(top["score"], float(shares[top["class"]]), delta=1e-5)
        self.assertGreater(float(heat.max()), 1e-4)
        found = map_in(self.folder / "maps")
        self.assertLess(float(np.abs(found - heat).max()), 1e-4 * float(heat.max()))

    def test_methods_that_need_the_whole_network_or_many_pictures(self) -> None:
        model = describe(self.onnx())
        self.net = copy.deepcopy(NET)
        for block in (self.net.stages[0], self.net.stages[2]):  # the exporter has folded the norms
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = nn.Identity()
        reference = self.torchscript()
        for method in ("scorecam", "fullgrad", "gradcam++", "layercam"):
            with self.subTest(method):
                heat = self.read(model, "--method", method)[1]
                expected = self.read(reference, "--method", method)[1]
                self.assertLess(float(np.abs(heat - expected).max()), 2e-3)

    def test_openvino_files_of_16_and_32_bits(self) -> None:
        reference = self.torchscript()
        network = openvino.Core().read_model(self.onnx("for_ir.onnx"))
        for name, half, within in (("full", False, 2e-5), ("half", True, 5e-3)):
            with self.subTest(name):
                path = self.folder / f"{name}.xml"
                openvino.save_model(network, path, compress_to_fp16=half)
                self.expect_same(describe(path), reference, within=within)

    def test_both_engines_agree(self) -> None:
        model = describe(self.onnx())
        maps = {}
        for engine in ("torchscript", "openvino"):
            folder = self.folder / engine
            self.lines(
                *(self.picture, "-m", model, "--engine", engine, "--precision", "fp32"),
                *("--maps", folder, "--target", "red"),
            )
            maps[engine] = map_in(folder)
        self.assertLess(float(np.abs(maps["torchscript"] - maps["openvino"]).max()), 1e-4)

    def test_a_size_that_the_file_leaves_open_is_said_by_an_option(self) -> None:
        proto = onnx.load(self.onnx())
        for place, name in ((0, "batch"), (2, "height"), (3, "width")):
            proto.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
        model = self.folder / "open.onnx"
        onnx.save(proto, model)
        labels = self.folder / "labels.txt"
        labels.write_text("\n".join(NAMES))
        size = ("--input-size", f"{HEIGHT}x{WIDTH}", "--labels", labels)
        self.expect_same(model, self.torchscript(), *size)

    def test_another_size_than_the_files_is_refused(self) -> None:
        path = self.folder / "fixed.onnx"
        shape = [1, 3, 8, 8]
        weight = np.ones((2, 192), np.float32)
        nodes = [
            helper.make_node("Reshape", ["x", "shape"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight"], ["y"], transB=1),
        ]
        graph = helper.make_graph(
            nodes,
            "fixed",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 2])],
            [
                onnx.numpy_helper.from_array(np.array([1, 192], np.int64), "shape"),
                onnx.numpy_helper.from_array(weight, "weight"),
            ],
        )
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        words = "takes pictures of 1x3x8x8, and not of 1x3x16x16: it would give an output of 4x2"
        self.refused(4, words, self.picture, "-m", path, "--input-size", "16")

    def test_weights_beside_the_file(self) -> None:
        proto = onnx.load(self.onnx("whole.onnx"))
        path = describe(self.folder / "apart.onnx")
        onnx.save(
            proto, path, save_as_external_data=True, location="apart.data", size_threshold=16
        )
        self.expect_same(path, self.torchscript())

    def test_a_description_inside_an_onnx_file(self) -> None:
        path = self.onnx("inside.onnx")
        proto = onnx.load(path)
        entry = proto.metadata_props.add()
        entry.key = "gradcam.json"
        entry.value = json.dumps({"labels": NAMES})
        onnx.save(proto, path)
        self.expect_same(path, self.torchscript())

    def test_info_tells_the_format(self) -> None:
        told = self.told("info", describe(self.onnx()))
        self.assertRegex(told, r"(?m)^kind +ONNX$")
        self.assertRegex(told, rf"(?m)^input +{HEIGHT}x{WIDTH} ")
        self.assertRegex(told, r"(?m)^layer +stages$")

    def test_what_is_no_network_is_refused_in_one_line(self) -> None:
        noise = np.random.default_rng(1).bytes(200_000)
        cut = self.onnx().read_bytes()[:-200]
        for name, content in (("a.onnx", noise), ("a.xml", noise), ("a.tflite", noise), ("b.onnx", cut)):
            with self.subTest(name):
                path = self.folder / name
                path.write_bytes(content)
                said = self.refused(4, f"'{path}'", self.picture, "-m", path)
                self.assertLess(len(said), 800)


if __name__ == "__main__":
    unittest.main()
