#!/usr/bin/env python3
"""A bundle of scripts/compile_model.py against the TorchScript file it was made of, through the
program, and what becomes of damaged ones. Run by ctest."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, List, Optional

import numpy as np
import torch
from PIL import Image

import compile_model
import own_models
import task_models
from gradcam_tools import openvino_model, sample_clip
from gradcam_tools.compile import bundle, cut_network
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.wanted import WantedInput, WantedTask
from own_bundle import PLAIN, SMALL, WITH_OPENVINO, OwnFolder, run_program

FRAMES = 12


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.bundle = cls.folder / "net.bundle"
        code = compile_model.main(["efficientnet_lite0", "-o", str(cls.bundle)])
        assert code == 0, "no bundle was made"

    def run_program(self, *arguments: object) -> subprocess.CompletedProcess:
        return run_program(*arguments, cache=self.folder / "cache")

    def explained(self, model: Path, *arguments: object) -> Any:
        """JSON lines, maps and what was said of a few frames of the sample clip."""
        maps = self.folder / "maps"
        shutil.rmtree(maps, ignore_errors=True)
        done = self.run_program(
            *(sample_clip.path(), "--model", model, "--limit", FRAMES, "--maps", maps),
            *("--jsonl", "-", *arguments),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        lines: List[Any] = [json.loads(line) for line in done.stdout.splitlines()]
        heats = [np.asarray(Image.open(file)) for file in sorted(maps.glob("*.tiff"))]
        self.assertEqual((len(lines), len(heats)), (FRAMES, FRAMES))
        return lines, heats, done.stderr

    def same(self, found: Any, expected: Any, scores: float, heat: float) -> None:
        for ours, theirs in zip(found[0], expected[0]):
            self.assertEqual(ours["top"][0]["class"], theirs["top"][0]["class"])
            self.assertAlmostEqual(ours["top"][0]["score"], theirs["top"][0]["score"], delta=scores)
        for ours, theirs in zip(found[1], expected[1]):
            self.assertLessEqual(np.abs(ours - theirs).max(), heat)

    def test_maps_are_those_of_the_torchscript_file(self) -> None:
        fp32 = ("--precision", "fp32")
        expected = self.explained(self.bundle / "model.pt", *fp32)
        self.assertIn("torchscript fp32", expected[2])
        found = self.explained(self.bundle, "--precision", "fp32")
        self.assertIn("openvino fp32", found[2])
        self.same(found, expected, scores=1e-3, heat=0.01)
        # The same file under the same engine once more, by its name.
        again = self.explained(self.bundle, "--engine", "torchscript", *fp32)
        self.same(again, expected, scores=1e-4, heat=1e-3)

    def test_automatic_precision_is_remembered_and_agrees(self) -> None:
        beacon = ("--target", "beacon")  # the best class of some of these frames is a hair ahead
        first = self.explained(self.bundle, *beacon)
        again = self.explained(self.bundle, *beacon)
        self.assertIn("openvino", first[2])
        kind = [text[2].split(" classes, ")[1].split(" on ")[0] for text in (first, again)]
        self.assertEqual(kind[0], kind[1])
        self.assertTrue(list((self.folder / "cache/gradcam-live").glob("choice-*")))
        self.assertIn(" ms; ", again[2])  # with what it was measured against
        whole = self.explained(self.bundle / "model.pt", "--precision", "fp32", *beacon)
        for ours, theirs in zip(first[1], whole[1]):
            self.assertGreaterEqual(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1], 0.99)

    def test_another_layer_runs_from_the_torchscript_file(self) -> None:
        self.explained(self.bundle, "--layer", "_conv_head")
        alone = self.folder / "alone.bundle"
        shutil.copytree(self.bundle, alone)
        (alone / "model.pt").unlink()
        self.explained(alone)
        self.refused(2, "is cut at layer _swish", alone, "--layer", "_conv_head")
        self.refused(2, "made for layer _swish", alone, *("--layer", "_conv_head"), *self.openvino)

    openvino = ("--engine", "openvino")

    def refused(self, code: int, mentions: str, model: Path, *arguments: object) -> None:
        done = self.run_program("test", "-o", "null", "--limit", 2, "-m", model, *arguments)
        lines = [line for line in done.stderr.splitlines() if line.startswith("gradcam-live:")]
        self.assertEqual((done.returncode, len(lines)), (code, 1), done.stderr)
        self.assertIn(mentions, lines[0])

    def test_damage_falls_back_or_is_refused(self) -> None:
        for number, name in enumerate(("features.bin", "features.xml", "head.pt")):
            damaged = self.folder / f"{number}.bundle"
            shutil.copytree(self.bundle, damaged)
            with (damaged / name).open("r+b") as file:
                file.truncate(1000)
            self.assertIn("its model.pt is used instead", self.explained(damaged)[2])
            self.refused(4, name, damaged, "--precision", "int8")  # which only the bundle has
            (damaged / "model.pt").unlink()
            self.refused(4, name, damaged)

    def test_parts_of_another_model_are_found(self) -> None:
        mixed = self.folder / "mixed.bundle"
        shutil.copytree(self.bundle, mixed)
        content = bytearray((mixed / "features.bin").read_bytes())
        content[5000] ^= 1
        (mixed / "features.bin").write_bytes(content)
        self.refused(4, "of another model", mixed, "--precision", "int8")

    def test_the_first_depthwise_layer_stays_in_fp32(self) -> None:
        import openvino

        if openvino_model.fast_precision() != "bf16":
            self.skipTest("skipped: this processor does not compute in bf16")
        options = {"INFERENCE_PRECISION_HINT": "bf16"}
        network = openvino.Core().compile_model(self.bundle / "features.xml", "CPU", options)
        layers = [op.get_rt_info() for op in network.get_runtime_model().get_ordered_ops()]
        precisions = [
            str(layer["runtimePrecision"].value)
            for layer in layers
            if layer["layerType"].value == "Convolution"
        ]
        self.assertEqual((precisions[1], precisions.count("f32")), ("f32", 1), precisions)
        self.assertEqual(precisions.count("bf16"), len(precisions) - 1)

    def test_a_torchscript_file_runs_in_openvino_as_it_is(self) -> None:
        said = self.explained(self.bundle / "model.pt", *self.openvino)[2]
        self.assertIn("openvino fp32", said)
        self.explained(self.bundle, "--layer", "_conv_head", *self.openvino)
        self.refused(2, "no int8 form", self.bundle / "model.pt", "--precision", "int8")
        self.refused(2, "no int8 form", self.bundle, "--precision", "int8")
        self.refused(2, "needs a CUDA device", self.bundle, "--precision", "fp16")

    def test_bad_input_ends_in_one_line(self) -> None:
        other = self.folder / "other"
        other.mkdir()
        for code, *arguments in (
            (5, "efficientnet_lite0", "-o", str(other)),
            (5, "efficientnet_lite0", "-o", str(self.folder / "no/where")),
            (2, "efficientnet_lite0", "--layer", "_swosh", "-o", str(self.folder / "x.bundle")),
            (2, "effnet", "-o", str(self.folder / "x.bundle")),
            (2, "lraspp_mobilenet_v3_large", "--random-weights", "-o", str(self.folder / "x.bundle")),
        ):
            errors = io.StringIO()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
                found = compile_model.main(arguments)
            said = errors.getvalue().strip().splitlines()
            self.assertEqual((found, len(said)), (code, 1), errors.getvalue())
        self.assertEqual(list(self.folder.glob(".*.part")), [])


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class OwnNetworks(OwnFolder):
    def eager(self, own: str, output: Optional[WantedTask] = None) -> torch.nn.Module:
        wanted = WantedInput([own_models.SIDE] * 2, [0.0] * 3, [1.0] * 3, 255.0)
        return build_network(own, wanted=wanted, output=output).module

    def test_own_module_is_the_same_everywhere(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        self.assertEqual(self.compile(own, *SMALL, *PLAIN)[0], 0)
        self.same_everywhere(self.eager(own))
        self.assertNotIn("int8", self.description()["stamp"])

    def test_onnx_file_is_the_same_everywhere(self) -> None:
        eager = own_models.write_onnx(self.folder / "net.onnx")
        self.assertEqual(self.compile(self.folder / "net.onnx", *PLAIN)[0], 0)
        self.assertEqual(self.description()["layer"], "last_map")
        self.same_everywhere(eager)

    def test_one_of_several_outputs_is_taken(self) -> None:
        both = self.folder / "both.onnx"
        eager = own_models.write_onnx(both, outputs=2)
        code, said = self.compile(both, *PLAIN)
        self.assertEqual((code, "; --select NAME|NUMBER takes one" in said), (4, True), said)
        self.assertEqual(self.compile(both, *PLAIN, "--select", "y")[0], 0)
        self.same_everywhere(eager)
        own = f"{task_models.write_module(self.folder)}:pixels"
        self.assertEqual(self.compile(own, *SMALL, *PLAIN, "--select", "other")[0], 0)
        self.same_everywhere(self.eager(own, WantedTask(select="other")))

    def test_tokens_of_a_layer_are_told(self) -> None:
        own = f"{task_models.write_module(self.folder)}:tokens"
        layer = ("--layer", "block.norm1")
        code, said = self.compile(own, *SMALL, *PLAIN, *layer)
        self.assertEqual((code, "; --tokens DROP,H,W says" in said), (2, True), said)
        layer = (*layer, "--tokens", "1,4,4")
        self.assertEqual(self.compile(own, *SMALL, *PLAIN, *layer)[0], 0)
        self.assertEqual(self.description()["tokens"], {"drop": 1, "grid": [4, 4]})
        self.same_everywhere(self.eager(own))
        code, said = self.compile(own, *SMALL, *PLAIN, *layer, "--int8", self.folder)
        self.assertEqual((code, "gives tokens" in said), (2, True), said)

    def test_only_a_bundle_is_replaced_and_as_a_whole(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        self.bundle.mkdir()
        file = self.bundle / "model.json"
        for content in (None, "[]", "{", '{"name": "net"}'):
            if content is not None:
                file.write_text(content)
            code, said = self.compile(own, *SMALL, *PLAIN)
            self.assertEqual((code, "exists and is no bundle" in said), (5, True), said)
        file.write_text('{"stamp": {}}')  # as of one that lost its features.xml
        (self.bundle / "notes.txt").touch()
        self.assertEqual(self.compile(own, *SMALL, *PLAIN)[0], 0)
        names = sorted(path.name for path in self.bundle.iterdir())
        self.assertEqual(names, sorted((*bundle.FILES, "model.json")))
        file.unlink()
        self.assertEqual(self.compile(own, *SMALL, *PLAIN)[0], 0)
        self.assertTrue(file.exists())


class Cut(unittest.TestCase):
    def test_the_output_comes_along_where_no_work_is_done_twice(self) -> None:
        network = torch.nn.Sequential(
            *(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 5, 3)),
            *(torch.nn.BatchNorm2d(5), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()),
            torch.nn.Linear(5, 6),
        ).eval()
        sample = torch.rand(1, 3, 8, 8)
        for layer, gives_output in (("2", True), ("3", True), ("0", False), ("1", False)):
            parts = cut_network.cut(network, sample, layer)
            self.assertEqual(parts.gives_output, gives_output, layer)
            values = parts.features(sample)
            self.assertEqual(len(values), 1 + gives_output)
            self.assertTrue(torch.allclose(parts.head(values[0]), network(sample), atol=1e-6))
            if gives_output:
                self.assertTrue(torch.allclose(values[1], network(sample), atol=1e-6))


if __name__ == "__main__":
    unittest.main(verbosity=2)
