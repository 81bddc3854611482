#!/usr/bin/env python3
"""How the program reads what networks give: scores that are held against PyTorch's.

Channel 0 of the networks' feature map is how red a place is, 1 how green, 2 how blue, so that the
right class, its score and its place are known without training."""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from program_case import ProgramCase

HEIGHT, WIDTH = 96, 160
PIXELS = {"input_size": [HEIGHT, WIDTH], "mean": [0, 0, 0], "std": [1, 1, 1]}
COLOURS = ["red", "green", "blue"]
SQUARE = (slice(32, 64), slice(96, 128))  # rows and columns of the coloured square
End = Callable[[Tensor], Tensor]


class Spot(nn.Module):
    """Which colour, and where. `rows`: the weights of its linear layer, one row for each output."""

    def __init__(self, rows: List[List[float]], end: End) -> None:
        super().__init__()
        conv, self.fc = nn.Conv2d(3, 3, 1), nn.Linear(3, len(rows))
        with torch.no_grad():
            conv.weight.copy_((1.5 * torch.eye(3) - 0.5).view(3, 3, 1, 1))
            conv.bias.fill_(-0.2)
            self.fc.weight.copy_(torch.tensor(rows))
            self.fc.bias.zero_()
        self.features = nn.Sequential(conv, nn.ReLU(), nn.AvgPool2d(8))
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.fc(self.features(x).mean((2, 3))))


class Mask(Spot):
    """Above 0 where it is red, at an eighth of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return self.end(8 * self.features(x)[:, :1] - 2)


EYE = [[20.0, 0, 0], [0, 20.0, 0], [0, 0, 20.0]]
RED_OR_GREEN = [[40.0, -40.0, 0]]


def plain(x: Tensor) -> Tensor:
    return x


class Outputs(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "both").mkdir()

    def red_and_green(self, model: Path, *options: object) -> List[Dict[str, Any]]:
        """The lines of both pictures, by one run."""
        for number, colour in enumerate(("red", "green")):
            self.picture(colour).rename(self.folder / f"both/{number}.png")
        return self.lines(self.folder / "both", "-m", model, "--precision", "fp32", *options)

    def picture(self, colour: str) -> Path:
        pixels = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        pixels[SQUARE] = [230 if name == colour else 20 for name in COLOURS]
        path = self.folder / f"{colour}.png"
        Image.fromarray(pixels).save(path)
        return path

    def network(
        self,
        module: nn.Module,
        description: Optional[Dict[str, Any]] = None,
        extra: Optional[Dict[str, str]] = None,
        size: tuple[int, int] = (HEIGHT, WIDTH),
    ) -> Path:
        path = self.folder / "net.pt"
        with torch.no_grad():
            traced = torch.jit.trace(module.eval(), torch.rand(1, 3, *size))
        torch.jit.save(traced, str(path), _extra_files=extra or {})
        beside = path.with_suffix(".json")
        beside.unlink(missing_ok=True)
        if description is not None:
            beside.write_text(json.dumps({**PIXELS, **description}))
        return path

    @staticmethod
    def answer(module: nn.Module, picture: Path) -> Tensor:
        """What PyTorch makes of the picture."""
        pixels = torch.tensor(np.asarray(Image.open(picture).convert("RGB")))
        with torch.no_grad():
            return module.eval()(pixels.permute(2, 0, 1)[None].float() / 255)

    def line(self, picture: Path, model: Path, *options: object) -> Dict[str, Any]:
        (line,) = self.lines(picture, "-m", model, "--precision", "fp32", *options)
        return line

    def assert_scores(self, line: Dict[str, Any], expected: Dict[int, float]) -> None:
        found = {entry["class"]: entry["score"] for entry in line["top"]}
        self.assertEqual(set(found), set(expected))
        for index, score in expected.items():
            self.assertAlmostEqual(found[index], score, delta=1e-4)

    def test_one_number_is_a_class_and_its_contrary(self) -> None:
        for end in (plain, torch.sigmoid, lambda x: x.squeeze(1)):
            module = Spot(RED_OR_GREEN, end)
            model = self.network(module, {"labels": ["red"]})
            for side, line in enumerate(self.red_and_green(model)):
                value = self.answer(module, self.folder / f"both/{side}.png").flatten()[0]
                share = float(value if end is torch.sigmoid else value.sigmoid())
                self.assert_scores(line, {0: share, 1: 1 - share})
                labels = {entry["class"]: entry["label"] for entry in line["top"]}
                self.assertEqual(labels, {0: "red", 1: "not red"})
                self.assertEqual((share > 0.5, line["targets"][0]["class"]), (side == 0, side))

    def test_the_side_that_won_is_explained_by_what_speaks_for_it(self) -> None:
        model = self.network(Spot(RED_OR_GREEN, plain), {"labels": ["red"]})
        for method in ("gradcam", "finercam", "scorecam", "ablationcam"):
            for line in self.red_and_green(model, "--method", method):
                with self.subTest(frame=line["frame"], method=method):
                    self.assertAlmostEqual(line["cam"]["centroid"][0], 111.5, delta=4)
                    self.assertAlmostEqual(line["cam"]["centroid"][1], 47.5, delta=4)
        against = self.line(self.picture("green"), model, "--target", "red")
        self.assertEqual(against["cam"]["coverage"], 0)

    def test_one_number_speaks_for_the_second_of_two_labels(self) -> None:
        module = Spot(RED_OR_GREEN, plain)
        model = self.network(module, {"labels": ["green", "red"]})
        share = float(self.answer(module, self.picture("red")).sigmoid())
        line = self.line(self.picture("red"), model)
        self.assert_scores(line, {1: share, 0: 1 - share})
        self.assertEqual(line["targets"][0]["label"], "red")

    def test_shares_are_shown_as_the_network_gives_them(self) -> None:
        ends: List[End] = [
            lambda x: x.softmax(1),
            lambda x: x.log_softmax(1).exp(),
            lambda x: x.exp() / x.exp().sum(1, keepdim=True),
            torch.sigmoid,
        ]
        for end in ends:
            module = Spot(EYE, end)
            picture = self.picture("green")
            expected = self.answer(module, picture)[0].tolist()
            model = self.network(module, {"labels": COLOURS})
            done = self.run_program(picture, "-m", model, "--precision", "fp32", "--jsonl", "-")
            self.assert_scores(json.loads(done.stdout), dict(enumerate(expected)))
            self.assertIn("shares already", done.stderr)
        log = Spot(EYE, lambda x: x.log_softmax(1))
        expected = self.answer(log, picture)[0].exp().tolist()
        model = self.network(log, {"labels": COLOURS})
        self.assert_scores(self.line(picture, model), dict(enumerate(expected)))

    def test_shares_of_several_labels(self) -> None:
        picture = self.picture("blue")
        for end in (torch.sigmoid, lambda x: 1 / (1 + (-x).exp())):
            module = Spot(EYE, end)
            expected = self.answer(module, picture)[0].tolist()
            model = self.network(module, {"labels": COLOURS, "task": "multilabel"})
            self.assert_scores(self.line(picture, model), dict(enumerate(expected)))

    def test_a_classifier_of_ultralytics(self) -> None:
        module = Spot([[75.0, 0, 0], [0, 75.0, 0]], lambda x: x.softmax(1))
        config = {"task": "classify", "imgsz": [HEIGHT, HEIGHT], "names": {0: "red", 1: "green"}}
        extra = {"config.txt": json.dumps(config)}
        model = self.network(module, None, extra, (HEIGHT, HEIGHT))
        picture = self.picture("red")
        with Image.open(picture) as whole:
            whole.crop((32, 0, 128, 96)).save(self.folder / "middle.png")
        expected = self.answer(module, self.folder / "middle.png")[0].tolist()
        self.assertGreater(expected[0], 0.99)
        line = self.line(picture, model)
        self.assert_scores(line, dict(enumerate(expected)))
        self.assertEqual(line["top"][0]["label"], "red")

    def test_a_mask_of_one_channel_is_the_share_that_it_covers(self) -> None:
        # Red are 16 of 240 places.
        for end in (plain, torch.sigmoid):
            description: Dict[str, Any] = {"task": "segmentation", "labels": ["red"]}
            model = self.network(Mask(EYE, end), description)
            red, green = self.red_and_green(model)
            self.assert_scores(red, {0: 16 / 240})
            self.assertAlmostEqual(red["cam"]["centroid"][0], 111.5, delta=4)
            self.assert_scores(green, {0: 0})
        module, picture = Mask(EYE, plain), self.picture("red")
        highest = float(self.answer(module, picture).max().sigmoid())
        for threshold, expected in ((highest - 1e-3, 16 / 240), (highest + 1e-3, 0)):
            model = self.network(module, {"task": "segmentation", "threshold": threshold})
            self.assert_scores(self.line(picture, model), {0: expected})

    def test_a_map_without_heat_points_nowhere(self) -> None:
        module = Spot([[-20.0, -1, -1], [-1, -20.0, -1], [-1, -1, -20.0]], plain)
        line = self.line(self.picture("red"), self.network(module, {"labels": COLOURS}))
        self.assertEqual(set(line["cam"]), {"coverage", "entropy"})
        self.assertEqual(line["cam"]["coverage"], 0)

    def test_doubtful_targets_are_told_or_asked_for(self) -> None:
        picture = self.picture("red")
        for labels, target, code, words in (
            (["crane", "spoon, wooden", "crane"], "crane", 0, "class 0 is explained, index:2 is"),
            (["1", "2", "3"], "2", 2, "label:2 or index:2"),
        ):
            model = self.network(Spot(EYE, plain), {"labels": labels})
            done = self.run_program(picture, "-m", model, "-o", "null", "--target", target)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(words, done.stderr)
        for target, index in (("index:2", 2), ("label:2", 1)):
            config = self.folder / "config.yaml"
            config.write_text(f"target: {target}\n")
            for options in (("--target", target), ("--config", config)):
                line = self.line(picture, model, *options)
                self.assertEqual(line["targets"][0]["class"], index)


if __name__ == "__main__":
    sys.exit(unittest.main())
