#!/usr/bin/env python3
"""The program on networks of other tasks than classification, with the descriptions of samples/."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import List, Tuple

import numpy as np
from PIL import Image

from program_case import ROOT, ProgramCase

SHARED = ROOT.parent / "shared"
HIGHWAY = SHARED / "media/highway_960x540_h264.mp4"
XRAY = SHARED / "media/chest_xray_healthy.png"
STRIDES = (8, 16, 32)


@unittest.skipUnless(SHARED.exists(), "needs ../shared")
class Tasks(ProgramCase):
    def model(self, name: str) -> Path:
        """The network of ../shared with its description beside it."""
        (file,) = (SHARED / "models" / name).glob("*.torchscript.pt")
        shutil.copy(file, self.folder / f"{name}.pt")
        shutil.copy(ROOT / f"samples/descriptions/{name}.json", self.folder)
        return self.folder / f"{name}.pt"

    def frame(self, second: float) -> Path:
        path = self.folder / f"frame_{second}.png"
        if path.exists():
            return path
        cut = ["ffmpeg", "-v", "error", "-ss", str(second), "-i", str(HIGHWAY), "-frames:v", "1"]
        subprocess.run([*cut, str(path)], check=True)
        return path

    def test_boxes_are_those_of_the_onnx_file(self) -> None:
        picture = self.frame(8)
        (line,) = self.lines(picture, "--model", self.model("yolox_nano"), "--target", "car")
        expected = onnx_boxes(picture)
        self.assertEqual(len(line["boxes"]), len(expected))
        self.assertGreaterEqual(len(expected), 3)
        for found, (box, index, score) in zip(line["boxes"], expected):
            self.assertEqual(found["class"], index)
            self.assertGreaterEqual(overlap(found["xyxy"], box), 0.99)
            self.assertLess(abs(found["score"] - score), 1e-3)
        self.assertEqual({target["label"] for target in line["targets"]}, {"car"})

    def test_boxes_keep_their_number_over_frames(self) -> None:
        lines = self.lines(HIGHWAY, "--model", self.model("yolox_nano"), "--start", 8, "--limit", 4)
        first = {box["id"]: box for box in lines[0]["boxes"]}
        last = {box["id"]: box for box in lines[-1]["boxes"]}
        common = first.keys() & last.keys()
        self.assertGreaterEqual(len(common), 2)
        for number in common:
            self.assertEqual(first[number]["label"], last[number]["label"])

    def test_heat_kept_inside_the_box(self) -> None:
        maps = self.folder / "maps"
        options = ("--model", self.model("yolox_nano"), "--inside-boxes", "--maps", maps)
        (line,) = self.lines(self.frame(8), *options)
        heat = np.asarray(Image.open(maps / "000000.tiff"))
        left, top, right, bottom = line["boxes"][0]["xyxy"]
        outside = heat.copy()
        outside[int(top) - 3 : int(bottom) + 4, int(left) - 3 : int(right) + 4] = 0
        self.assertGreater(heat.max(), 0.9)
        self.assertLess(outside.max(), 1e-6)

    def test_road_scene(self) -> None:
        model = self.model("espnetv2_cityscapes")
        (line,) = self.lines(self.frame(2), "--model", model, "--target", "car", "--tint")
        shares = {entry["label"]: entry["score"] for entry in line["top"]}
        self.assertGreater(shares["road"], 0.25)
        self.assertGreater(shares["sky"], 0.25)
        self.assertEqual(line["targets"][0]["label"], "car")
        left, top = line["cam"]["peak"]  # the red car at the left edge of the road
        self.assertLess(left, 200)
        self.assertTrue(240 < top < 360, top)

    def test_steering_turns_with_the_picture(self) -> None:
        model = self.model("pilotnet_steering")
        picture = self.frame(2)
        mirrored = self.folder / "mirrored.png"
        Image.open(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored)
        value, other = (
            self.lines(path, "--model", model)[0]["top"][0]["score"] for path in (picture, mirrored)
        )
        self.assertTrue(-1 <= value <= 1)
        self.assertLess(value, other)

    def test_what_pushes_the_wheel_left_is_not_what_pushes_it_right(self) -> None:
        model = self.model("pilotnet_steering")
        heats = {}
        for push in ("up", "down", "keep"):
            maps = self.folder / push
            self.lines(self.frame(2), "--model", model, "--target", push, "--maps", maps)
            heats[push] = np.asarray(Image.open(maps / "000000.tiff"))
        self.assertLess(np.corrcoef(heats["up"].ravel(), heats["down"].ravel())[0, 1], 0.5)
        np.testing.assert_array_equal(heats["keep"], heats["down"])  # it steers left

    def test_chest_picture(self) -> None:
        out = self.folder / "scan.png"
        model = self.model("chest_xray")
        preset = ROOT / "config/xray.yaml"
        done = self.run_program(XRAY, "--model", model, "--config", preset, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        index, label, share = done.stdout.splitlines()[0].split()[:3]
        self.assertEqual((index, label), ("0", "normal"))
        self.assertGreater(float(share), 80)
        with Image.open(out) as drawn, Image.open(XRAY) as original:
            self.assertGreater(drawn.width, 2 * original.width)

    def test_verifying_gives_figures_of_trust(self) -> None:
        stats = self.folder / "stats.json"
        options = ("--model", self.model("chest_xray"), "--verify", 1, "--stats", stats)
        (line,) = self.lines(XRAY, *options)
        expected = {"drop", "increase", "deletion", "insertion", "randomised"}
        self.assertEqual(set(line["trust"]), expected)
        self.assertEqual(json.loads(stats.read_text())["streams"][0]["trust"]["maps"], 1)

    def test_verifying_is_not_thinned_by_frames_that_are_not_explained(self) -> None:
        lines = self.lines(
            *("test:64x48@30", "--limit", 8, "--every", 3, "--verify", 4, "--every-frame"),
            *("--model", self.model("chest_xray")),
        )
        self.assertEqual([line["frame"] for line in lines if "trust" in line], [0, 6])

    def test_what_does_not_go_together_is_one_line(self) -> None:
        boxes, value = self.model("yolox_nano"), self.model("pilotnet_steering")
        picture = self.frame(2)
        broken = self.folder / "broken.pt"
        shutil.copy(value, broken)
        for options, code, words in (
            (("--model", boxes, "--target", "caar"), 2, "car"),
            (("--model", boxes, "--target", "box:0"), 2, "box:ID"),
            (("--model", value, "--target", "top:2"), 2, "keep, up, down"),
            (("--model", value, "--method", "finercam"), 2, "finercam"),
            (("--model", value, "--verify", 5), 2, "--verify"),
            (("--model", boxes, "--smooth", "aug"), 2, "--smooth aug"),
            (("--model", value, "--reference", picture), 2, "--reference"),
            (("--model", value, "--layer", "net.11"), 2, "net.11"),
            (("--model", value, "--region", "0.5,0,0.2,1"), 2, "LEFT,TOP,RIGHT,BOTTOM"),
            (("--model", value, "--method", "gradkam"), 2, "gradcam"),
            (("--model", broken), 4, "broken.pt"),
        ):
            with self.subTest(options=options[2:]):
                self.refused(code, words, picture, *options, "-o", self.folder / "out.png")
                self.assertFalse((self.folder / "out.png").exists())


Box = List[float]


def onnx_boxes(picture: Path) -> List[Tuple[Box, int, float]]:
    """Box in pixels of the picture, class and score by the ONNX file, best first."""
    import openvino

    image = Image.open(picture).convert("RGB")
    scale = min(416 / image.width, 416 / image.height)
    size = (round(image.width * scale), round(image.height * scale))
    padded = np.full((416, 416, 3), 114, np.float32)
    padded[: size[1], : size[0]] = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    file = SHARED / "models/yolox_nano/yolox_nano.onnx"
    network = core.compile_model(core.read_model(file), "CPU", options)
    output = network([padded[None, :, :, ::-1].transpose(0, 3, 1, 2).copy()])[0][0]
    cells = [(x, y, s) for s in STRIDES for y in range(416 // s) for x in range(416 // s)]
    grid = np.array(cells, np.float32)
    centres = (output[:, :2] + grid[:, :2]) * grid[:, 2:]
    sizes = np.exp(output[:, 2:4]) * grid[:, 2:]
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1) / scale
    corners = corners.clip(0, [image.width, image.height] * 2)
    scores = output[:, 4:5] * output[:, 5:]
    kept: List[Tuple[Box, int, float]] = []
    for row in np.argsort(-scores.max(1)):
        index, score = int(scores[row].argmax()), float(scores[row].max())
        box = corners[row].tolist()
        covered = any(index == c and overlap(box, other) > 0.45 for other, c, _ in kept)
        if score >= 0.3 and not covered:
            kept.append((box, index, score))
    return kept


def overlap(one: Box, other: Box) -> float:
    def area(box: Box) -> float:
        return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])

    common = [max(one[0], other[0]), max(one[1], other[1])]
    common += [min(one[2], other[2]), min(one[3], other[3])]
    return area(common) / (area(one) + area(other) - area(common))


if __name__ == "__main__":
    sys.exit(unittest.main())
