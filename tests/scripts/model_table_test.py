"""Tests of what scripts/model_table.py compares with, and of the table that it writes."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict

import numpy as np
import openvino
import torch
from openvino import opset13
from torch import nn
from torch.nn import functional

from gradcam_tools.networks.network import Network
from gradcam_tools.table import reference
from gradcam_tools.table.markdown import BEGIN, END, put_between_marks, summary, table
from gradcam_tools.table.reference import NoReference
from gradcam_tools.table.rows import rows
from gradcam_tools.table.trial import reason

SIDE = 16


class Small(nn.Module):
    """Has a value that no module gives: the product."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.conv = nn.Conv2d(3, 4, 4, 4)
        self.head = nn.Linear(4, 5)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        value = self.conv(picture)
        return self.head((value * value).mean((2, 3)))


def network(module: nn.Module) -> Network:
    module.eval().requires_grad_(False)
    names: Dict[str, Any] = {"labels": None, "source": "", "licence": ""}
    return Network("small", module, [SIDE, SIDE], 255.0, [0.0] * 3, [1.0] * 3, **names)


class Reference(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "net.xml"
        self.network = network(Small())
        self.sample = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))

    def write_file(self) -> None:
        """Of the part up to the product, whose node is called so."""
        conv: Any = self.network.module.conv
        picture = opset13.parameter([1, 3, SIDE, SIDE], np.float32, name="picture")
        kernel = opset13.constant(conv.weight.numpy())
        bias = opset13.constant(conv.bias.numpy().reshape(1, 4, 1, 1))
        value = opset13.convolution(picture, kernel, [4, 4], [0, 0], [0, 0], [1, 1])
        value = opset13.add(value, bias)
        product = opset13.multiply(value, value, name="product")
        openvino.save_model(openvino.Model([product], [picture], "net"), self.file, False)

    def heat(self, layer: str) -> np.ndarray:
        output, values, _ = reference.layer_values(self.network, self.sample, [layer], self.file)
        line = {"targets": [{"class": 2}]}
        scalar = reference.scalar_of(self.network, output, line, None)
        return reference.cam(self.network, output, values, scalar, "gradcam")

    def test_a_value_without_a_module_is_found_by_its_node(self) -> None:
        self.write_file()
        with torch.no_grad():
            value = self.network.module.conv(self.sample) ** 2
        weights = self.network.module.head.weight[2] / value[0, 0].numel()
        small = (weights.view(1, 4, 1, 1) * value).sum(1, keepdim=True)
        expected = functional.interpolate(small, (SIDE, SIDE), mode="bilinear")[0, 0].numpy()
        np.testing.assert_allclose(self.heat("product"), expected, atol=1e-6)
        self.assertLess(reference.correlation(self.heat("conv"), expected), 0.99)

    def test_a_layer_that_is_neither_is_told(self) -> None:
        self.write_file()
        with self.assertRaisesRegex(NoReference, "nowhere: neither a module nor a node"):
            self.heat("nowhere")

    def test_places_of_maps_and_tokens(self) -> None:
        for shape, expected in {
            (1, 8, 4, 4): (1, 8, 4, 4),
            (1, 4, 4, 8): (1, 8, 4, 4),
            (1, 18, 8): (1, 8, 4, 4),
            (16, 1, 8): (1, 8, 4, 4),
        }.items():
            self.assertEqual(reference.places(torch.zeros(shape), [SIDE, SIDE]).shape, expected)
        with self.assertRaises(NoReference):
            reference.places(torch.zeros(1, 8, 4, 7), [SIDE, SIDE])

    def test_correlation(self) -> None:
        ramp = np.arange(6.0).reshape(2, 3)
        self.assertAlmostEqual(reference.correlation(3 * ramp + 1, ramp), 1)
        self.assertAlmostEqual(reference.correlation(-ramp, ramp), -1)
        self.assertEqual(reference.correlation(ramp * 0, ramp), 0)


class Table(unittest.TestCase):
    def results(self) -> Any:
        good = {"runs": True, "correlation": 0.9999, "engine": "openvino fp32"}
        timed = {**good, "ms": {"plain": 10.04, "explained": 10.5}}
        poor = {**good, "correlation": 0.9, "bf16": {"correlation": 0.97}}
        refused = {"runs": False, "why": "Loop (a|b):\nno"}
        return [
            {"name": "one", "kind": "timm", "input_size": [8, 9], "forms": {"pt": timed, "onnx": poor}},
            {"name": "two", "kind": "yolo", "forms": {"pt": refused, "xml": refused}, "described": True},
            {"name": "face", "kind": "tflite", "forms": {"tflite": {"runs": True}}},
            {"name": "none", "kind": "timm", "forms": {}, "error": "cannot be built"},
        ]

    def test_lines_and_numbered_reasons(self) -> None:
        text = table(self.results())
        one = "| one | 8x9 | 0.9999 | **0.9000** | not tried | –/**0.9700**/– | openvino fp32 |"
        self.assertIn(one + " 10.0 → 10.5 |", text)
        self.assertIn("| two * | – | no (1) | not tried | no (1) |", text)
        self.assertIn("| face | – | runs |", text)
        self.assertIn("| none | – | no (2) | no (2) | no (2) |", text)
        self.assertTrue(text.endswith("1. Loop (a/b): no\n2. cannot be built"), text)

    def test_summary_counts_what_runs(self) -> None:
        said = summary(self.results())
        self.assertIn("1 of 3 run as `.pt` (1 of 1 maps equal PyTorch's)", said)
        self.assertIn("1 of 3 run as `.onnx` (0 of 1 maps", said)
        self.assertIn("1 of 1 run as `.tflite`", said)

    def test_only_what_is_between_the_marks_is_replaced(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "document.md"
            path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
            put_between_marks(path, "new")
            self.assertEqual(path.read_text(), f"before\n{BEGIN}\nnew\n{END}\nafter\n")
            path.write_text("no marks")
            with self.assertRaises(ValueError):
                put_between_marks(path, "new")

    def test_the_programs_own_line_is_the_reason(self) -> None:
        said = ["info: x", "gradcam-live: not this one", "terminated"]
        self.assertEqual(reason(4, said), "not this one")
        self.assertEqual(reason(-11, []), "exit -11: without a word")

    def test_there_are_sixty_networks_with_names_of_their_own(self) -> None:
        found = rows()
        self.assertGreaterEqual(sum(row.kind != "tflite" for row in found), 60)
        self.assertEqual(len({row.slug for row in found}), len(found))


if __name__ == "__main__":
    unittest.main()
