"""Tests of scripts/export_model.py; run with .venv/bin/python."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
import torchvision

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import export_model  # noqa: E402
import networks  # noqa: E402


class ExportModel(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "out.pt"

    def run_export(self, *arguments: str) -> Tuple[int, str]:
        """Exit code and what was printed on stderr."""
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            code = export_model.main([*arguments, "-o", str(self.output)])
        return code, errors.getvalue()

    def description(self) -> Dict[str, Any]:
        with zipfile.ZipFile(self.output) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith("/extra/gradcam.json")]
            return json.loads(archive.read(name))

    def test_default_network_is_described(self) -> None:
        self.assertEqual(self.run_export("efficientnet_lite0"), (0, ""))
        found = self.description()
        self.assertEqual(found["input_size"], [224, 224])
        self.assertEqual((found["scale"], found["mean"], found["std"]), (1.0, [127] * 3, [128] * 3))
        self.assertEqual((found["layer"], found["licence"]), ("_swish", "Apache-2.0"))
        self.assertEqual((len(found["labels"]), found["labels"][7]), (1000, "cock"))
        self.assertLessEqual(found["verified"]["max_abs_difference"], 1e-3)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["out.pt"])

    def test_scripted_file_answers_like_eager(self) -> None:
        self.assertEqual(self.run_export("resnet18", "--random-weights", "--script"), (0, ""))
        network = networks.build("resnet18", random_weights=True)
        sample = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(5))
        with export_model.quiet(), torch.no_grad():
            loaded = torch.jit.load(str(self.output))
            self.assertTrue(torch.allclose(loaded(sample), network.module(sample), atol=1e-5))

    def test_checkpoint_with_its_own_classes(self) -> None:
        module = torchvision.models.squeezenet1_1(num_classes=3)
        state = {f"module.{name}": value for name, value in module.state_dict().items()}
        checkpoint, labels = self.folder / "mine.pth", self.folder / "labels.txt"
        torch.save({"state_dict": state, "epoch": 7}, checkpoint)
        labels.write_text("cat\ndog\nbird\n")
        code, _ = self.run_export(
            str(checkpoint), "--arch", "squeezenet1_1", "--labels", str(labels)
        )
        self.assertEqual(code, 0)
        self.assertEqual(self.description()["labels"], ["cat", "dog", "bird"])

    def test_layer_defaults_to_the_last_stage(self) -> None:
        expected = {
            "resnet18": "layer4",
            "mobilenet_v2": "features",
            "densenet121": "features",
            "alexnet": "features.11",
            "squeezenet1_1": "features",
        }
        for name, layer in expected.items():
            network = networks.build(name, random_weights=True)
            sample = network.normalise(networks.pattern(*network.input_size))
            self.assertEqual(networks.default_layer(network.module, sample), layer, name)

    def test_attention_keeps_its_gradient(self) -> None:
        self.assertEqual(self.run_export("vit_b_32", "--random-weights"), (0, ""))
        with export_model.quiet():
            loaded = torch.jit.load(str(self.output))
        self.assertNotIn("_native_multi_head_attention", str(loaded.inlined_graph))
        self.assertEqual(self.description()["tokens"], {"drop": 1, "grid": [7, 7]})

    def test_user_errors_are_one_line_with_their_code(self) -> None:
        text, script = self.folder / "text.pth", self.folder / "script.pt"
        text.write_text("hello\n")
        empty = self.folder / "empty.pth"
        empty.touch()
        with export_model.quiet():
            torch.jit.save(torch.jit.script(torch.nn.ReLU()), script)
        cases: List[Tuple[int, str, List[str]]] = [
            (2, "near names: resnet50", ["resnet5"]),
            (2, "exclude each other", ["resnet18", "--random-weights", "--weights", str(text)]),
            (2, "--arch NAME", [str(text)]),
            (2, "near names: layer4", ["resnet18", "--random-weights", "--layer", "layr4"]),
            (2, "no map of places", ["resnet18", "--random-weights", "--layer", "fc"]),
            (2, "labels for 1000", ["resnet18", "--random-weights", "--labels", str(text)]),
            (2, "cannot be scripted", ["efficientnet_lite0", "--script"]),
            (4, "no such file", ["resnet18", "--weights", str(self.folder / "none.pth")]),
            (4, "not a PyTorch checkpoint", ["resnet18", "--weights", str(text)]),
            (4, "not a PyTorch checkpoint", ["resnet18", "--weights", str(empty)]),
            (4, "already TorchScript", ["resnet18", "--weights", str(script)]),
        ]
        for code, part, arguments in cases:
            found, line = self.run_export(*arguments)
            self.assertEqual((found, line.count("\n")), (code, 1), arguments)
            self.assertIn(part, line)
            self.assertFalse(self.output.exists())

    def test_missing_output_folder_is_named(self) -> None:
        self.output = self.folder / "nowhere" / "out.pt"
        code, line = self.run_export("resnet18", "--random-weights")
        self.assertEqual(code, 5)
        self.assertIn("nowhere", line)


if __name__ == "__main__":
    unittest.main()
