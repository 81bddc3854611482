#!/usr/bin/env python3
"""scripts/compile_model.py: what it makes and tells, and the program on that. Run by ctest."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

import numpy as np
import openvino
import torch
from PIL import Image

import compile_model
import own_models
from gradcam_tools import sample_clip
from gradcam_tools.compile import agreement, frames, network_file, quantize, torchscript_file
from gradcam_tools.compile.network_file import Pictures
from gradcam_tools.compile.program import Explained, Known
from gradcam_tools.export import torchscript
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.network import Framing, NetworkError
from gradcam_tools.networks.wanted import WantedInput
from gradcam_tools.openvino_model import Compiled
from gradcam_tools.quiet import quiet

WITH_OPENVINO = os.environ.get("WITH_OPENVINO", "1") == "1"
SIDE = own_models.SIDE
# How the networks of own_models take pictures, as the program tells it.
TAKEN: Dict[str, Any] = {
    "input_size": [SIDE, SIDE],
    "resize": "stretch",
    "antialias": True,
    "color": "rgb",
    "scale": 255.0,
    "mean": [0.0] * 3,
    "std": [1.0] * 3,
}
GOOD = agreement.Agreement(3, 1.0, 3, 1.0, 0.999, 0.998)
POOR = agreement.Agreement(2, 0.5, 2, 0.5, 0.9, 0.8)


def weights_of(convolution: Any) -> Any:
    """As they lie in the file."""
    weights = convolution.input_value(1).get_node()
    while weights.get_type_name() != "Constant":
        weights = weights.input_value(0).get_node()
    return weights


def is_int8(operation: Any) -> bool:
    """Its weights lie in the file as i8, its input is rounded."""
    stored = weights_of(operation).get_element_type().get_type_name()
    rounded = operation.input_value(0).get_node().get_type_name() == "FakeQuantize"
    return (stored, rounded) == ("i8", True)


def in_int8(model: Any) -> List[bool]:
    """Of the convolutions in their order, and of the matrix at the end."""
    operations = [op for op in model.get_ordered_ops() if quantize.weighs(op)]
    return [is_int8(op) for op in operations]


def traced(network: torch.nn.Module, side: int) -> Any:
    with quiet():
        return torch.jit.trace(network, torch.zeros(1, 3, side, side))


class OwnFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "made" / "net_int8.xml"
        self.output.parent.mkdir()

    def vnni(self, there: bool) -> None:
        """As on a processor with VNNI, or without."""
        for place in ("quantize", "int8_file"):
            patch = mock.patch(f"gradcam_tools.compile.{place}.has_vnni", return_value=there)
            patch.start()
            self.addCleanup(patch.stop)

    def network(self, function: str = "depthwise") -> torch.nn.Module:
        own = f"{own_models.write_module(self.folder)}:{function}"
        wanted = WantedInput([SIDE] * 2, [0.0] * 3, [1.0] * 3, 255.0)
        return build_network(own, wanted=wanted).module

    def torchscript(self, **description: Any) -> Path:
        """A file with a description inside."""
        path = self.folder / "net.pt"
        torchscript.write(traced(self.network(), SIDE), description, path)
        return path

    def compile(self, *arguments: object) -> Tuple[int, str]:
        """Exit code, and what was printed on either stream."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = compile_model.main([*map(str, arguments), "-o", str(self.output)])
        return code, said.getvalue()


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class WithTheProgram(OwnFolder):
    def test_a_torchscript_file_becomes_one_in_int8_that_the_program_takes(self) -> None:
        self.vnni(False)
        (self.folder / "names.txt").write_text("a\nb\nc\nd\ne\n")
        description = {**TAKEN, "layer": "body", "labels_file": "names.txt", "licence": "mine"}
        net = self.torchscript(**description)
        mine = own_models.write_pictures(self.folder / "mine", 9, seed=1)
        other = own_models.write_pictures(self.folder / "other", 6, seed=2)
        code, said = self.compile(net, "--int8", mine, "--int8-check", other)
        self.assertEqual(code, 0, said)
        self.assertIn(f"{self.output}: net.pt in int8, layer body\n", said)
        self.assertIn("int8: kept first layers in floats\n", said)
        self.assertIn("int8, other: 6 frames, same top-1 100.0%", said)
        self.assertNotIn("VNNI", said)
        made = openvino.Core().read_model(self.output)
        carried = json.loads(made.get_rt_info(["gradcam.json"]).value)
        self.assertEqual((carried["layer"], carried["licence"]), ("body", "mine"))
        self.assertEqual(carried["labels"], ["a", "b", "c", "d", "e"])
        stamp = json.loads(made.get_rt_info(["gradcam_int8"]).value)
        self.assertEqual((stamp["needs_vnni"], stamp["agrees"]), (False, True))
        self.assertEqual(stamp["calibrated"], {"source": "mine", "frames": 5})
        rows = [(row["source"], row["frames"]) for row in stamp["agreement"]]
        self.assertEqual(rows, [("mine (held out)", 4), ("other", 6)])
        # Stem; two depthwise, of which the first is a first layer; body; what is behind the layer.
        self.assertEqual(in_int8(made), [False, False, True, True, False])
        sample = torch.rand(1, 3, SIDE, SIDE)
        (precise,) = self.network()(sample)
        (found,) = Compiled(self.output, "f32")(sample)
        off = float((found - precise).abs().max() / precise.abs().max())
        self.assertTrue(0 < off < 0.1, off)
        left = sorted(path.name for path in self.output.parent.iterdir())
        self.assertEqual(left, ["net_int8.bin", "net_int8.xml"])


class FakeProgram:
    """Knows each file as TAKEN says, and explains nothing."""

    def __init__(self, _folder: Path) -> None:
        pass

    def known(self, _model: Path, *_options: str) -> Known:
        return Known(["body"], TAKEN)


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class BadInput(OwnFolder):
    def test_ends_in_one_line(self) -> None:
        few = own_models.write_pictures(self.folder / "few", 3, seed=1)
        text = self.folder / "text.mp4"
        text.write_text("hello\n")
        net = self.torchscript(**TAKEN)
        noise = self.folder / "noise.pt"
        noise.write_bytes(b"noise" * 100)
        enough = own_models.write_pictures(self.folder / "enough", 4, seed=1)
        with mock.patch("gradcam_tools.compile.int8_file.Program", FakeProgram):
            for code, mentions, *arguments in (
                (2, "no such film", net, "--int8", self.folder / "none.mp4"),
                (2, "no such film", net, "--int8", few, "--int8-check", self.folder / "none"),
                (2, "--int8", net),
                (2, "has 3 pictures; allowed: 4 or more", net, "--int8", few),
                (2, "has 3 pictures", net, "--int8", enough, "--int8-check", few),
                (2, "not a film", net, "--int8", text),
                (4, "no such file", self.folder / "none.onnx", "--int8", few),
                (4, "not a TorchScript file", noise, "--int8", enough),
            ):
                found, said = self.compile(*arguments)
                self.assertEqual((found, said.count("\n")), (code, 1), said)
                self.assertIn(mentions, said)
                self.assertEqual(list(self.output.parent.iterdir()), [])

    def test_the_output_is_an_xml_file_of_its_own_in_a_folder(self) -> None:
        few = own_models.write_pictures(self.folder / "few", 4, seed=1)
        net = self.folder / "net.xml"
        net.touch()
        for code, mentions, output in (
            (2, "allowed: FILE.xml", self.folder / "net.onnx"),
            (5, "not a file in an existing folder", self.folder / "no/net.xml"),
            (2, "is read here", net),
        ):
            self.output = output
            found, said = self.compile(net, "--int8", few)
            self.assertEqual((found, said.count("\n")), (code, 1), said)
            self.assertIn(mentions, said)


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class Recipes(OwnFolder):
    def setUp(self) -> None:
        super().setUp()
        self.model = torchscript_file.convert(self.torchscript(), 3, [SIDE, SIDE])
        random = np.random.default_rng(0)
        self.samples = [random.random((1, 3, SIDE, SIDE), np.float32) for _ in range(3)]

    def tried(self, found: agreement.Agreement, *layers: str) -> List[quantize.Int8]:
        return quantize.try_recipes(self.model, self.samples, layers, lambda _: found)

    def test_with_vnni_all_layers_are_int8_of_eight_bits(self) -> None:
        self.vnni(True)
        (best,) = self.tried(GOOD, "body")
        self.assertEqual(best.recipe, quantize.ALL)
        self.assertEqual(in_int8(best.model), [True, True, True, True, False])
        stem = next(op for op in best.model.get_ordered_ops() if quantize.weighs(op))
        self.assertEqual(np.abs(weights_of(stem).get_data().astype(int)).max(), 127)
        noted = best.model.get_rt_info(["nncf", "quantization", "advanced_parameters"]).value
        self.assertIn("'overflow_fix': 'disable'", noted)  # as the program reads it

    def test_ranges_are_of_whole_tensors(self) -> None:
        # Ranges per channel clip what the film at hand happened not to show in a channel.
        self.vnni(False)
        (best,) = self.tried(GOOD, "body")
        ranges = [op for op in best.model.get_ordered_ops() if op.get_type_name() == "FakeQuantize"]
        self.assertGreaterEqual(len(ranges), 2)
        for op in ranges:
            self.assertEqual([np.prod(list(op.input(i).get_shape())) for i in (1, 2)], [1, 1])

    def test_the_next_recipe_follows_where_one_disagrees(self) -> None:
        self.vnni(False)
        tried = self.tried(POOR, "body")
        # The network has no additions: of the three recipes two differ.
        names = [int8.recipe for int8 in tried]
        self.assertEqual(names, [quantize.RECIPES[1][0], quantize.RECIPES[3][0]])
        self.assertEqual(in_int8(tried[-1].model), [False, False, False, True, False])
        self.assertFalse(quantize.best_of(tried).agrees())

    def test_a_form_that_the_program_refuses_is_left_out(self) -> None:
        self.vnni(False)
        refusal = NetworkError(4, "gradcam-live: cannot run it")
        outcomes = [refusal, GOOD]

        def agreement_of(_: Any) -> agreement.Agreement:
            outcome = outcomes.pop(0)
            if isinstance(outcome, NetworkError):
                raise outcome
            return outcome

        (best,) = quantize.try_recipes(self.model, self.samples, ["body"], agreement_of)
        self.assertEqual(best.recipe, quantize.RECIPES[3][0])
        outcomes = [refusal, refusal]
        with self.assertRaisesRegex(NetworkError, "cannot run it"):
            quantize.try_recipes(self.model, self.samples, ["body"], agreement_of)

    def test_a_head_that_is_most_of_the_network_is_quantised(self) -> None:
        self.vnni(False)
        (best,) = self.tried(GOOD, "stem")
        self.assertEqual(in_int8(best.model), [False, False, True, True, True])
        self.assertEqual(quantize.layers_behind(self.model, ["nowhere"]), set())

    def test_layers_are_found_by_both_kinds_of_names(self) -> None:
        for name, place in (
            ("__module.layer4.1.relu/aten::relu_/Relu", ("layer4.1.relu", "Relu")),
            ("/layer4/layer4.1/relu_1/Relu", ("layer4.1.relu_1", "Relu")),
            ("Relu_31", ("", "Relu_31")),
        ):
            self.assertEqual(quantize.place_of(name), place)


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class Files(OwnFolder):
    def test_operations_of_a_torchscript_file_have_the_names_of_its_modules(self) -> None:
        class Lists(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.blocks = torch.nn.ModuleList(
                    torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.ReLU()) for _ in "ab"
                )

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                for block in self.blocks:
                    x = block(x)
                return x

        path = self.folder / "lists.pt"
        traced(Lists(), 8).save(str(path))
        model = torchscript_file.convert(path, 3, [8, 10])
        relus = [op for op in model.get_ordered_ops() if op.get_type_name() == "Relu"]
        self.assertEqual(
            [quantize.place_of(op.get_friendly_name())[0] for op in relus],
            ["blocks.0.1", "blocks.1.1"],
        )
        self.assertEqual(model.input().partial_shape.to_string(), "[?,3,8,10]")

    def test_the_description_beside_wins_and_is_carried_whole(self) -> None:
        path = self.folder / "net.onnx"
        own_models.write_onnx(path)
        import onnx

        model = onnx.load(str(path))
        model.metadata_props.add(key="gradcam.json", value='{"name": "inside"}')
        model.metadata_props.add(key="task", value="classify")
        onnx.save(model, str(path))
        taken = Pictures.of(TAKEN)
        inside = network_file.read(path, taken, None).get_rt_info(["gradcam.json"])
        self.assertEqual(inside.value, '{"name": "inside"}')
        (self.folder / "anchors.json").write_text("[[1, 2, 3, 4]]")
        beside = {"name": "beside", "layer": "x", "output": {"anchors": "anchors.json"}}
        (self.folder / "net.json").write_text(json.dumps(beside))
        found = network_file.read(path, taken, "a,b")
        for keys in (["framework", "gradcam.json"], ["gradcam.json"]):
            carried = json.loads(found.get_rt_info(keys).value)
            self.assertEqual((carried["name"], carried["layer"]), ("beside", ["a", "b"]))
            self.assertEqual(carried["output"], {"anchors": [[1, 2, 3, 4]]})
        self.assertEqual(found.get_rt_info(["framework", "task"]).value, "classify")

    def test_what_ultralytics_notes_is_carried(self) -> None:
        path = self.folder / "yolo.pt"
        notes = {"config.txt": '{"task": "detect", "imgsz": [64, 64], "names": {"0": "cat"}}'}
        traced(self.network(), SIDE).save(str(path), _extra_files=notes)
        model = network_file.read(path, Pictures.of(TAKEN), None)
        self.assertFalse(model.has_rt_info(["gradcam.json"]))
        self.assertEqual(model.get_rt_info(["framework", "task"]).value, "detect")
        self.assertEqual(model.get_rt_info(["framework", "imgsz"]).value, "[64, 64]")
        self.assertEqual(model.get_rt_info(["framework", "names"]).value, "{'0': 'cat'}")

    def test_pictures_are_brought_into_the_networks_own_form(self) -> None:
        pixels = torch.arange(24, dtype=torch.uint8).reshape(2, 4, 3)

        def sample(shape: List[int], element: Any, **other: Any) -> np.ndarray:
            parameter = openvino.opset13.parameter(shape, element)
            model = openvino.Model([openvino.opset13.relu(parameter)], [parameter])
            return Pictures.of({**TAKEN, "scale": 1.0, **other}).sample(pixels, model)

        planes = pixels.permute(2, 0, 1)[None].float().numpy()
        found = sample([1, 3, 2, 4], np.float32, mean=[1.0] * 3, std=[2.0] * 3, color="bgr")
        np.testing.assert_allclose(found, (planes[:, ::-1] - 1) / 2)
        last = sample([1, 2, 4, 3], np.int32)
        self.assertEqual((last.dtype, last.shape), (np.dtype(np.int32), (1, 2, 4, 3)))
        np.testing.assert_array_equal(last[0], pixels.numpy())


class Frames(OwnFolder):
    @unittest.skipIf(sample_clip.path() is None, "skipped: needs the sample clip")
    def test_film_is_sampled_over_its_whole_length(self) -> None:
        film = sample_clip.path()
        every = [np.asarray(picture) for picture in frames.read(film, 1000)]
        self.assertEqual(len(every), 250)
        self.assertEqual(every[0].shape, (272, 640, 3))
        some = [np.asarray(picture) for picture in frames.read(film, 7)]
        self.assertEqual(len(some), 7)
        places = [next(i for i, e in enumerate(every) if np.array_equal(e, s)) for s in some]
        steps = np.diff(places)
        self.assertEqual((places[0], steps.min() >= 35, steps.max() <= 36), (0, True, True))

    def test_pictures_are_upright_and_stretched_as_pil_does(self) -> None:
        random = np.random.default_rng(0)
        upright = Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8))
        turned = upright.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # "turn it right by 90 degrees"
        turned.save(self.folder / "turned.png", exif=exif)
        (self.folder / "notes.txt").write_text("no picture\n")
        expected = np.asarray(upright.resize((16, 20), Image.Resampling.BILINEAR))
        for source in (self.folder, self.folder / "turned.png"):
            (picture,) = frames.read(source, 5)
            found = frames.to_tensor(picture, [20, 16], Framing())
            self.assertEqual(np.abs(found.numpy().astype(int) - expected).max(), 0)

    def test_pictures_are_framed_as_the_description_says(self) -> None:
        # The left half is red, the right half blue, and a tenth at the top white.
        picture = Image.new("RGB", (40, 20), (255, 0, 0))
        picture.paste((0, 0, 255), (20, 0, 40, 20))
        picture.paste((255, 255, 255), (0, 0, 40, 2))

        def at(framing: Framing, *places: Tuple[int, int]) -> List[Tuple[int, ...]]:
            found = frames.frame(picture, (10, 10), framing)
            self.assertEqual(found.size, (10, 10))
            return [found.getpixel(place) for place in places]

        red, blue, grey = (255, 0, 0), (0, 0, 255), (114, 114, 114)
        boxed = Framing(resize="letterbox")
        self.assertEqual(at(boxed, (0, 1), (0, 5), (9, 5), (9, 8)), [grey, red, blue, grey])
        corner = Framing(resize="letterbox", pad_align="top-left", pad_value=0)
        self.assertEqual(at(corner, (0, 3), (0, 6)), [red, (0, 0, 0)])
        middle = Framing(resize="center-crop")
        self.assertEqual(at(middle, (0, 5), (9, 5)), [red, blue])
        right = Framing(crop=[0.5, 0.5, 1.0, 1.0])
        self.assertEqual(at(right, (0, 0), (9, 9)), [blue, blue])
        plain = Framing(resize="center-crop", antialias=False)
        self.assertEqual(at(plain, (0, 5), (9, 5)), [red, blue])


def compared(expected: List[Explained], found: List[Explained]) -> agreement.Agreement:
    return agreement.summary(agreement.pairs(expected, found))


class Agreement(OwnFolder):
    def frame(self, best: int, lead: Optional[float], heat: List[float]) -> Explained:
        path = self.folder / f"{len(list(self.folder.iterdir()))}.tiff"
        Image.fromarray(np.array([heat], np.float32)).save(path)
        return Explained(best, None, lead, path)

    def test_borderline_frames_are_told_apart(self) -> None:
        up, down, flat = [0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [1.0, 1.0, 1.0]
        expected = [self.frame(7, 0.01, up), self.frame(7, 0.3, up), self.frame(7, 0.3, up)]
        found = [self.frame(8, 0.01, down), self.frame(7, 0.2, up), self.frame(7, 0.2, flat)]
        both = compared(expected, found)
        self.assertEqual((both.frames, both.top1), (3, 2 / 3))
        self.assertEqual((both.leading_frames, both.leading_top1), (2, 1.0))
        self.assertAlmostEqual(both.map_median, 0.5)  # of 1 and 0: the third has another class
        self.assertAlmostEqual(both.map_p5, 0.05)
        self.assertEqual(compared(expected[:1], found[:1]).map_median, 0)
        self.assertIsNone(compared(expected[:1], found[:1]).leading_top1)
        self.assertAlmostEqual(compared(expected, expected).map_p5, 1)

    def test_boxes_are_the_same_where_they_overlap(self) -> None:
        def boxed(*box: float) -> Explained:
            return dataclasses.replace(self.frame(2, None, [0.0, 1.0]), box=list(box))

        here, near, there = boxed(0, 0, 10, 10), boxed(0, 1, 10, 11), boxed(20, 0, 30, 10)
        self.assertAlmostEqual(agreement.intersection_over_union(here.box, near.box), 90 / 110)
        self.assertEqual(compared([here, here], [near, there]).top1, 0.5)
        none = dataclasses.replace(here, best=None, box=None, map_file=None)
        self.assertEqual(compared([here, none], [none, none]).top1, 0.5)
        self.assertEqual(compared([none], [none]).map_median, 1)

    def test_flat_maps_agree_only_with_flat_maps(self) -> None:
        flat, slope = torch.zeros(2, 2), torch.tensor([[0.0, 1.0], [2.0, 3.0]])
        self.assertEqual(agreement.correlation(flat, flat), 1.0)
        self.assertEqual(agreement.correlation(flat, slope), 0.0)
        self.assertAlmostEqual(agreement.correlation(-slope, slope), -1.0, places=5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
