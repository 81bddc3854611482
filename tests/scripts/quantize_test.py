#!/usr/bin/env python3
"""Int8 forms of bundles: what compile_model.py --int8 makes and tells, and the program on it. Run by
ctest."""

from __future__ import annotations

import unittest
import zlib
from typing import Any, Callable, List, Tuple
from unittest import mock

import numpy as np
import openvino
import torch
from PIL import Image

import own_models
from gradcam_tools import processor, sample_clip
from gradcam_tools.compile import agreement, frames, quantize
from gradcam_tools.networks.network import Framing
from own_bundle import PLAIN, SMALL, WITH_OPENVINO, OwnFolder, run_program


def weights_of(convolution: Any) -> Any:
    """As they lie in the file."""
    weights = convolution.input_value(1).get_node()
    while weights.get_type_name() != "Constant":
        weights = weights.input_value(0).get_node()
    return weights


def is_int8(convolution: Any) -> bool:
    """Its weights lie in the file as i8, its input is rounded."""
    stored = weights_of(convolution).get_element_type().get_type_name()
    rounded = convolution.input_value(0).get_node().get_type_name() == "FakeQuantize"
    return (stored, rounded) == ("i8", True)


@unittest.skipUnless(WITH_OPENVINO, "skipped: built without OpenVINO")
class Int8(OwnFolder):
    def setUp(self) -> None:
        super().setUp()
        self.vnni(False)

    def vnni(self, there: bool) -> None:
        """As on a processor with VNNI, or without."""
        patch = mock.patch("gradcam_tools.compile.quantize.has_vnni", return_value=there)
        patch.start()
        self.addCleanup(patch.stop)

    def test_with_vnni_all_layers_are_int8_of_eight_bits(self) -> None:
        own = f"{own_models.write_module(self.folder)}:depthwise"
        pictures = own_models.write_pictures(self.folder / "some", 6, seed=1)
        good = agreement.Agreement(3, 1.0, 3, 1.0, 0.999, 0.998)
        self.vnni(True)
        with mock.patch("gradcam_tools.compile.quantize.compare", return_value=good):
            code, said = self.compile(own, *SMALL, *PLAIN, "--int8", pictures)
        self.assertEqual(code, 0, said)
        self.assertIn("int8: kept all layers in int8\n", said)
        self.assertTrue(self.description()["stamp"]["int8"]["needs_vnni"])
        model = openvino.Core().read_model(self.bundle / "features_int8.xml")
        stems = [op for op in model.get_ordered_ops() if op.get_type_name() == "Convolution"]
        self.assertTrue(is_int8(stems[0]))
        self.assertEqual(np.abs(weights_of(stems[0]).get_data().astype(int)).max(), 127)
        done = run_program("info", self.bundle, "--precision", "int8", cache=self.folder / "cache")
        if processor.has_vnni():
            self.assertIn("openvino int8", done.stdout)
        else:
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn("VNNI", done.stderr)

    def test_bundle_holds_both_forms_and_their_agreement(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        mine = own_models.write_pictures(self.folder / "mine", 9, seed=1)
        other = own_models.write_pictures(self.folder / "other", 6, seed=2)
        code, said = self.compile(
            *(own, *SMALL, *PLAIN, "--int8", mine, "--int8-check", other, "--int8-check", mine)
        )
        self.assertEqual(code, 0, said)
        self.assertIn("int8: kept first layers in floats\n", said)
        stamp = self.description()["stamp"]
        for name in quantize.FILES:
            content = (self.bundle / name).read_bytes()
            known = {"bytes": len(content), "crc32": zlib.crc32(content)}
            self.assertEqual(stamp["files"][name], known)
        figures = stamp["int8"]
        self.assertFalse(figures["needs_vnni"])
        self.assertEqual(figures["calibrated"], {"source": "mine", "frames": 5})
        rows = [(row["source"], row["frames"]) for row in figures["agreement"]]
        self.assertEqual(rows, [("mine (held out)", 4), ("other", 6), ("mine", 9)])
        for row in figures["agreement"]:
            self.assertGreaterEqual(row["map_median"], 0.99)
        sample = torch.rand(1, 3, *self.description()["input_size"])
        precise, int8 = (
            self.bundle_scores(name, sample) for name in ("features.xml", "features_int8.xml")
        )
        self.assertLess((int8 - precise).abs().max() / precise.abs().max(), 0.1)
        self.assertGreater((int8 - precise).abs().max(), 0)
        self.assertEqual(len(self.program_scores()), own_models.CLASSES)

    def test_first_layers_stay_precise_and_ranges_are_of_whole_tensors(self) -> None:
        own = f"{own_models.write_module(self.folder)}:depthwise"
        pictures = own_models.write_pictures(self.folder / "some", 6, seed=1)
        code, said = self.compile(own, *SMALL, *PLAIN, "--int8", pictures)
        self.assertEqual(code, 0, said)
        model = openvino.Core().read_model(self.bundle / "features_int8.xml")
        operations = model.get_ordered_ops()
        self.assertEqual(
            [is_int8(op) for op in operations if op.get_type_name().endswith("Convolution")],
            # stem; two depthwise, of which the first is a first layer; body
            [False, False, True, True],
        )
        # Ranges per channel clip what the film at hand happened not to show in a channel.
        ranges = [op for op in operations if op.get_type_name() == "FakeQuantize"]
        self.assertGreaterEqual(len(ranges), 2)
        for op in ranges:
            self.assertEqual([np.prod(list(op.input(i).get_shape())) for i in (1, 2)], [1, 1])

    def test_the_next_recipe_follows_where_one_disagrees(self) -> None:
        own = f"{own_models.write_module(self.folder)}:depthwise"
        pictures = own_models.write_pictures(self.folder / "some", 4, seed=1)
        poor = agreement.Agreement(2, 0.5, 2, 0.5, 0.9, 0.8)
        with mock.patch("gradcam_tools.compile.quantize.compare", return_value=poor):
            code, said = self.compile(own, *SMALL, *PLAIN, "--int8", pictures)
        self.assertEqual(code, 0, said)
        # The network has no additions: of the three recipes two differ.
        self.assertEqual(said.count("int8, tried "), 2)
        self.assertIn("does NOT agree well", said)
        self.assertFalse(self.description()["stamp"]["int8"]["agrees"])

    def test_bad_films_end_in_one_line(self) -> None:
        own = f"{own_models.write_module(self.folder)}:net"
        few = own_models.write_pictures(self.folder / "few", 3, seed=1)
        text = self.folder / "text.mp4"
        text.write_text("hello\n")
        settled = (own, *SMALL, *PLAIN, "--scale", "255")
        for mentions, *arguments in (
            ("no such film or folder", "--int8", self.folder / "none.mp4"),
            ("no such film or folder", "--int8", few, "--int8-check", self.folder / "none"),
            ("goes with --int8", "--int8-check", few),
            ("has 3 pictures; allowed: 4 or more", "--int8", few),
            ("not a film", "--int8", text),
        ):
            code, said = self.compile(*settled, *arguments)
            self.assertEqual((code, said.count("\n")), (2, 1), said)
            self.assertIn(mentions, said)
            self.assertFalse(self.bundle.exists())


class Frames(OwnFolder):
    @unittest.skipIf(sample_clip.path() is None, "skipped: needs the sample clip")
    def test_film_is_sampled_over_its_whole_length(self) -> None:
        film = sample_clip.path()
        every = frames.read(film, 1000, [34, 80], Framing())
        self.assertEqual(len(every), 250)
        self.assertEqual(tuple(every[0].shape), (34, 80, 3))
        some = frames.read(film, 7, [34, 80], Framing())
        self.assertEqual(len(some), 7)
        places = [next(i for i, e in enumerate(every) if torch.equal(e, s)) for s in some]
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
        (found,) = frames.read(self.folder, 5, [20, 16], Framing())
        expected = np.asarray(upright.resize((16, 20), Image.Resampling.BILINEAR))
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


class Agreement(unittest.TestCase):
    def test_map_is_relu_of_weighted_activation(self) -> None:
        activation = torch.tensor([[[[1.0, 2.0], [3.0, 5.0]], [[4.0, 0.0], [0.0, 0.0]]]])

        def head(value: torch.Tensor) -> torch.Tensor:
            first, second = value.mean((2, 3)).unbind(1)
            return torch.stack([first - second, second - first], 1)

        scores, heat = agreement.explain(lambda _: [activation], head, torch.zeros(1, 3, 2, 2))
        self.assertEqual(scores.tolist(), [1.75, -1.75])
        # Class 0: A0 - A1 = [[-3, 2], [3, 5]] / 4, without what is negative, to 0..1.
        expected = torch.tensor([[0.0, 0.4], [0.6, 1.0]])
        self.assertTrue(torch.allclose(heat, expected, atol=1e-5), heat)

    def test_borderline_frames_are_told_apart(self) -> None:
        inputs = [torch.full((1, 1, 2, 2), value) for value in (0.01, 0.01, 3.0)]

        def features(sign: float) -> Callable[[torch.Tensor], List[torch.Tensor]]:
            place = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
            return lambda x: [x * place * (sign if x.max() < 1 else 1.0)]

        def head(value: torch.Tensor) -> torch.Tensor:
            return torch.cat([value.mean((2, 3)), -value.mean((2, 3))], 1)

        found = agreement.compare(features(1.0), features(-1.0), head, inputs)
        self.assertAlmostEqual(found.top1, 1 / 3)
        self.assertEqual((found.leading_frames, found.leading_top1), (1, 1.0))
        self.assertLess(found.map_p5, found.map_median + 1e-9)
        itself = agreement.compare(features(1.0), features(1.0), head, inputs[:2])
        self.assertEqual((itself.top1, itself.leading_top1), (1.0, None))
        self.assertAlmostEqual(itself.map_median, 1.0, places=5)

    def test_flat_maps_agree_only_with_flat_maps(self) -> None:
        flat, slope = torch.zeros(2, 2), torch.tensor([[0.0, 1.0], [2.0, 3.0]])
        self.assertEqual(agreement.correlation(flat, flat), 1.0)
        self.assertEqual(agreement.correlation(flat, slope), 0.0)
        self.assertAlmostEqual(agreement.correlation(-slope, slope), -1.0, places=5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
