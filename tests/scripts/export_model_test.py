"""Tests of scripts/export_model.py."""

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
from unittest import mock

import timm
import torch
import torchvision

import export_model
import own_models
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.layers import default_layer
from gradcam_tools.networks.network import Network, pattern
from gradcam_tools.networks.wanted import WantedInput
from gradcam_tools.paths import SCRIPTS
from gradcam_tools.quiet import quiet


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
        network = build_network("resnet18", random_weights=True)
        sample = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(5))
        with quiet(), torch.no_grad():
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
            network = build_network(name, random_weights=True)
            sample = network.normalise(pattern(*network.input_size))
            self.assertEqual(default_layer(network.module, sample), layer, name)

    def test_attention_keeps_its_gradient(self) -> None:
        self.assertEqual(self.run_export("vit_b_32", "--random-weights"), (0, ""))
        with quiet():
            loaded = torch.jit.load(str(self.output))
        self.assertNotIn("_native_multi_head_attention", str(loaded.inlined_graph))
        self.assertEqual(self.description()["tokens"], {"drop": 1, "grid": [7, 7]})

    def build(self, name: str, **wanted: Any) -> Network:
        with contextlib.redirect_stderr(io.StringIO()):
            return build_network(name, wanted=WantedInput(**wanted))

    def loaded(self) -> Any:
        with quiet():
            return torch.jit.load(str(self.output))

    def test_own_module_answers_like_eager_and_says_what_was_assumed(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        code, said = self.run_export(own, *("--input-size", "48,64"), "--mean=-1,0,0.5")
        self.assertEqual((code, said.count("\n")), (0, 1), said)
        self.assertIn("assumed --std 0.229,0.224,0.225 --scale 255 (", said)
        found = self.description()
        self.assertEqual((found["name"], found["layer"]), ("net", "body"))
        self.assertEqual((found["input_size"], found["mean"]), ([48, 64], [-1.0, 0.0, 0.5]))
        self.assertNotIn("output", found)
        network = self.build(own, input_size=[48, 64])
        sample = torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(5))
        self.assertTrue(torch.allclose(self.loaded()(sample), network.module(sample), atol=1e-5))
        self.assertEqual(Path(sys.modules["export_model"].__file__).parent, SCRIPTS)

    def test_conventions_follow_the_scale(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        pixels = pattern(224, 224)
        expected, found = (self.build(own, scale=scale).normalise(pixels) for scale in (None, 1.0))
        self.assertTrue(torch.allclose(found, expected, atol=1e-4))

    def test_weights_go_into_an_own_module(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        state = self.build(own).module.state_dict()
        weights = self.folder / "zeros.pth"
        torch.save({name: torch.zeros_like(value) for name, value in state.items()}, weights)
        self.assertEqual(self.run_export(own, "--weights", str(weights))[0], 0)
        self.assertEqual(self.loaded()(torch.ones(1, 3, 224, 224)).abs().max().item(), 0.0)

    def test_probabilities_get_no_second_softmax(self) -> None:
        own = own_models.write_module(self.folder)
        self.assertEqual(self.run_export(f"{own}:chances")[0], 0)
        self.assertEqual(self.description()["output"], {"activation": "none"})

    def test_onnx_file_answers_as_its_operators_say(self) -> None:
        path = self.folder / "net.onnx"
        eager = own_models.write_onnx(path)
        code, said = self.run_export(str(path), "--scale", "1")
        self.assertEqual(code, 0, said)
        self.assertIn("assumed --mean 123.7,116.3,103.5 --std 58.4,57.12,57.38 (", said)
        self.assertEqual(
            (self.description()["layer"], self.description()["name"]), ("last_map", "net")
        )
        self.assertEqual(self.description()["input_size"], [own_models.SIDE] * 2)
        sample = torch.randn(1, 3, own_models.SIDE, own_models.SIDE)
        self.assertTrue(torch.allclose(self.loaded()(sample), eager(sample), atol=1e-4))

    def test_a_conversion_that_answers_otherwise_is_refused(self) -> None:
        path = self.folder / "net.onnx"
        own_models.write_onnx(path)
        with mock.patch(
            "gradcam_tools.networks.onnx_file.Reshape.forward",
            lambda self, value: 2 * value.flatten(1),
        ):
            code, said = self.run_export(str(path))
        self.assertEqual(code, 4)
        self.assertIn("differs from the file", said)

    def test_timm_states_its_own_input(self) -> None:
        module = timm.create_model("test_resnet", num_classes=3)
        checkpoint = self.folder / "mine.pth"
        torch.save(module.state_dict(), checkpoint)
        arguments = (str(checkpoint), "--arch", "timm/test_resnet")
        self.assertEqual(self.run_export(*arguments), (0, ""))
        found = self.description()
        stated = module.pretrained_cfg
        self.assertEqual(found["input_size"], list(stated["input_size"][1:]))
        self.assertNotEqual(found["input_size"], [224, 224])
        self.assertEqual((found["mean"], found["std"]), ([*stated["mean"]], [*stated["std"]]))
        sample = torch.randn(1, 3, *found["input_size"])
        self.assertTrue(torch.allclose(self.loaded()(sample), module.eval()(sample), atol=1e-5))

    def test_timm_without_a_hub_names_the_ways_out(self) -> None:
        with (
            mock.patch("huggingface_hub.HfApi.model_info", side_effect=OSError("no route")),
            mock.patch("timm.create_model", side_effect=OSError("no route")),
        ):
            code, said = self.run_export("timm/test_resnet")
        self.assertEqual((code, said.count("\n")), (4, 1))
        self.assertIn("(no route); give --weights FILE (a state_dict), or --random-weights", said)

    def test_errors_of_own_networks_are_one_line(self) -> None:
        own, onnx = own_models.write_module(self.folder), self.folder / "net.onnx"
        own_models.write_onnx(onnx)
        double, text = self.folder / "double.onnx", self.folder / "text.onnx"
        own_models.write_onnx(double, outputs=2)
        text.write_text("hello\n")
        nothing = self.folder / "none"
        net = f"{own}:net"
        cases: List[Tuple[int, str, List[str]]] = [
            (2, "of Net, net, depthwise, chances, number, broken", [f"{own}:nett"]),
            (2, "FILE.py:FUNCTION", [str(own)]),
            (4, "no such file", [f"{nothing}.py:net"]),
            (4, "no such file", [f"{nothing}.onnx"]),
            (4, "gave int, no torch.nn.Module", [f"{own}:number"]),
            (4, "raised out of", [f"{own}:broken"]),
            (4, "not a sound ONNX file", [str(text)]),
            (4, "gives 2 values (1x5, 1x8); allowed: one tensor", [str(double)]),
            (2, "takes only 64,64", [str(onnx), "--input-size", "32,32"]),
            (2, "--weights", [str(onnx), "--weights", str(text)]),
            (2, "--random-weights", [net, "--random-weights"]),
            (2, "--arch", [net, "--arch", "resnet18"]),
            (2, "'0,1' is not three numbers", [net, "--mean", "0,1"]),
            (2, "'1,1,0' is not three numbers above 0", [net, "--std", "1,1,0"]),
            (2, "'x' is not a number above 0", [net, "--scale", "x"]),
            (2, "'0,224' is not H,W", [net, "--input-size", "0,224"]),
            (2, "--std goes with an ONNX file", ["resnet18", "--std", "1,1,1"]),
            (2, "near names: timm/test_resnet", ["timm/test_resne"]),
            (2, "Invalid pretrained tag", ["timm/test_resnet.none", "--random-weights"]),
        ]
        for code, part, arguments in cases:
            found, line = self.run_export(*arguments)
            self.assertEqual((found, line.count("\n")), (code, 1), (arguments, line))
            self.assertIn(part, line)
            self.assertFalse(self.output.exists())

    def test_user_errors_are_one_line_with_their_code(self) -> None:
        text, script = self.folder / "text.pth", self.folder / "script.pt"
        text.write_text("hello\n")
        empty = self.folder / "empty.pth"
        empty.touch()
        with quiet():
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
