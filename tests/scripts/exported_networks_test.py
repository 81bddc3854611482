#!/usr/bin/env python3
"""The program on networks that the exporter makes, held against PyTorch: a detector of torchvision,
a network whose activations are tokens, and what the exporter itself asks the program."""

from __future__ import annotations

import contextlib
import io
import json
import unittest
from pathlib import Path
from typing import Any, Dict, List, Tuple
from unittest import mock

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

import export_model
import task_models
from gradcam_tools.export import verification
from gradcam_tools.networks import torchvision_detectors
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.wanted import WantedInput
from gradcam_tools.quiet import quiet
from program_case import ProgramCase

SSD = "ssdlite320_mobilenet_v3_large"
SIDE = 320
SURE = 0.5  # of two classes of one box only one can be above
OVERLAP = 0.45  # of two boxes that count as one, as in the program


class Exported(ProgramCase):
    def picture(self, side: int) -> Path:
        pixels = np.random.default_rng(8).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        path = self.folder / "picture.png"
        Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(path)
        return path

    def export(self, *arguments: Any) -> Path:
        path = self.folder / "net.pt"
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            code = export_model.main([*map(str, arguments), "-o", str(path)])
        self.assertEqual(code, 0, errors.getvalue())
        return path


class Detectors(Exported):
    def detector(self) -> Any:
        """With random weights, and scores that are far from each other."""
        torch.manual_seed(3)
        detector = torchvision.models.get_model(
            SSD, weights=None, weights_backbone=None, num_classes=7
        ).eval()
        with torch.no_grad():
            heads = [part[-1] for part in detector.head.classification_head.module_list]
            scores = torchvision_detectors.AllBoxes(detector)(torch.randn(1, 3, SIDE, SIDE))
            for head in heads:
                head.weight *= 6 / scores[0, :, 4:].std()
        return detector

    def expect_boxes_of(self, detector: Any, picture: Path, boxes: List[Dict[str, Any]]) -> None:
        """Torchvision's own postprocessing would clip before it suppresses, which YOLO's do not."""
        pixels = torch.from_numpy(np.asarray(Image.open(picture)).copy()).permute(2, 0, 1)
        with torch.no_grad():
            images, _ = detector.transform([pixels / 255.0])
            features = list(detector.backbone(images.tensors).values())
            raw = detector.head(features)
            anchors = detector.anchor_generator(images, features)[0]
            corners = detector.box_coder.decode_single(raw["bbox_regression"][0], anchors)
            scores, labels = raw["cls_logits"][0].softmax(1)[:, 1:].max(1)
        sure = scores > SURE
        corners, scores, labels = corners[sure], scores[sure], labels[sure] + 1
        kept = torchvision.ops.batched_nms(corners, scores, labels, OVERLAP)
        self.assertGreater(len(kept), 50)
        self.assertEqual(len(boxes), len(kept))
        for box, index in zip(boxes, kept.tolist()):
            self.assertEqual(box["class"], int(labels[index]))
            self.assertAlmostEqual(box["score"], float(scores[index]), delta=1e-3)
            expected = corners[index].clamp(0, SIDE).numpy()
            np.testing.assert_allclose(np.clip(box["xyxy"], 0, SIDE), expected, atol=0.5)

    def test_boxes_of_an_ssd_are_torchvisions(self) -> None:
        detector = self.detector()
        weights = self.folder / "ssd.pth"
        torch.save(detector.state_dict(), weights)
        model, picture = self.export(SSD, "--weights", weights), self.picture(SIDE)
        (line,) = self.lines(picture, "--model", model, "--conf", SURE)
        self.expect_boxes_of(detector, picture, line["boxes"])
        self.assertEqual(len(line["layer"]), 5)

    def test_offsets_become_boxes_by_the_anchors_of_the_description(self) -> None:
        detector = self.detector()
        boxes = torchvision_detectors.AllBoxes(detector)
        sample = torch.zeros(1, 3, SIDE, SIDE)
        anchors = boxes.anchors(sample, list(boxes.backbone(sample).values()))
        centres = torchvision.ops.box_convert(anchors, "xyxy", "cxcywh")
        (self.folder / "anchors.json").write_text(json.dumps(centres.tolist()))
        description = {
            "task": "detection",
            "input_size": [SIDE, SIDE],
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            "antialias": False,
            "output": {
                "select": ["bbox_regression", "cls_logits"],
                "format": "raw-heads",
                "decoded": False,
                "activation": "softmax",
                "background": 0,
                "anchors": "anchors.json",
                "variances": [0.1, 0.1, 0.2, 0.2],
            },
        }
        (self.folder / "raw.json").write_text(json.dumps(description))
        with quiet():
            traced = torch.jit.trace(Raw(boxes), sample, strict=False, check_trace=False)
            torch.jit.save(traced, str(self.folder / "raw.pt"))
        picture = self.picture(SIDE)
        (line,) = self.lines(picture, "--model", self.folder / "raw.pt", "--conf", SURE)
        self.expect_boxes_of(detector, picture, line["boxes"])

        description["output"] = {**description["output"], "anchors": [[1, 2, 3, 4]]}
        (self.folder / "raw.json").write_text(json.dumps(description))
        done = self.run_program(picture, "--model", self.folder / "raw.pt")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("N = 1, one for each of its anchors", done.stderr.splitlines()[-1])

    def test_layers_are_found_as_the_exporter_finds_them(self) -> None:
        own = task_models.write_module(self.folder)
        size = ("--input-size", f"{task_models.SIDE},{task_models.SIDE}")
        model = self.export(f"{own}:detector", *size, "--format", "yolov8")
        picture = self.picture(task_models.SIDE)
        (line,) = self.lines(picture, "--model", model, "--layer", "auto", "--conf", 0.01)
        self.assertEqual(line["layer"], task_models.LAYERS["detector"])


class Raw(nn.Module):
    """Offsets and logits, as the head gives them."""

    def __init__(self, boxes: Any) -> None:
        super().__init__()
        self.backbone, self.head = boxes.backbone, boxes.head

    def forward(self, picture: Tensor) -> Dict[str, Tensor]:
        found: Dict[str, Tensor] = self.head(list(self.backbone(picture).values()))
        return found


class Transformers(Exported):
    def test_the_map_of_tokens_is_pytorchs(self) -> None:
        own = task_models.write_module(self.folder)
        side = task_models.SIDE
        how = ("--layer", "block.norm1", "--tokens", "1,4,4")
        model = self.export(f"{own}:tokens", "--input-size", f"{side},{side}", *how)
        maps, picture = self.folder / "maps", self.picture(side)
        (line,) = self.lines(picture, "--model", model, "--style", "raw", "--maps", maps)
        (layer,) = line["layer"]
        expected, best = self.grad_cam(own, layer, picture)
        self.assertEqual(line["targets"][0]["class"], best)
        found = np.asarray(Image.open(maps / "000000.tiff"))
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())

    def grad_cam(self, own: Path, layer: str, picture: Path) -> Tuple[np.ndarray[Any, Any], int]:
        """Of a 4x4 grid of tokens behind one class token, at the picture's size."""
        size = [task_models.SIDE] * 2
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(f"{own}:tokens", wanted=WantedInput(size))
        kept: List[Tensor] = []
        torch.backends.mha.set_fastpath_enabled(False)
        self.addCleanup(torch.backends.mha.set_fastpath_enabled, True)
        network.module.get_submodule(layer).register_forward_hook(
            lambda _, __, value: kept.append(value)
        )
        pixels = torch.from_numpy(np.asarray(Image.open(picture)).copy())
        scores = network.module(network.normalise(pixels).requires_grad_())
        best = int(scores[0].argmax())
        (gradient,) = torch.autograd.grad(scores[0, best], kept)
        heat = verification.grad_cam(kept[0], gradient, {"drop": 1, "grid": [4, 4]})
        large = functional.interpolate(heat[None], size, mode="bilinear")
        return large[0, 0].numpy(), best


FLATTENING = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, channels):
        super().__init__()
        torch.manual_seed(4)
        self.conv = nn.Conv2d(channels, 4, 3, 2, 1)
        self.fc = nn.Linear(4 * 16 * 16, 5)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(x.view(x.size(0), -1))

def colour():
    return Net(3)

def gray():
    return Net(1)
"""


class TriedWithTheProgram(Exported):
    """The exporter promises no more than the program keeps."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder / "flattening.py"
        self.file.write_text(FLATTENING)
        self.arguments = ["--input-size", "32,32", "-o", str(self.folder / "net.pt")]

    def run_export(self, function: str) -> Tuple[int, str, str]:
        said, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
            code = export_model.main([f"{self.file}:{function}", *self.arguments])
        return code, said.getvalue(), errors.getvalue()

    def stand_in(self, script: str) -> None:
        """Another program in the place of ours."""
        path = self.folder / "stand_in"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        patched = mock.patch("gradcam_tools.export.program.PROGRAM", path)
        patched.start()
        self.addCleanup(patched.stop)

    def test_networks_that_flatten_by_a_view_are_taken(self) -> None:
        for function in ("colour", "gray"):
            code, said, errors = self.run_export(function)
            self.assertEqual(code, 0, errors)
            self.assertIn("taken by gradcam-live", said)
            with quiet():
                loaded = torch.jit.load(str(self.folder / "net.pt"))
            self.assertEqual(loaded.conv.weight.shape[1], 1 if function == "gray" else 3)

    def test_a_file_that_the_program_refuses_is_not_written(self) -> None:
        self.stand_in("echo 'gradcam-live: layer conv: not today' >&2; exit 2")
        code, _, errors = self.run_export("colour")
        self.assertEqual(code, 4)
        self.assertIn("gradcam-live refuses it: layer conv: not today", errors)
        self.assertFalse((self.folder / "net.pt").exists())

    def test_other_shares_are_refused(self) -> None:
        self.stand_in("""echo '{"top":[{"class":0,"score":0.9}]}'""")
        code, _, errors = self.run_export("colour")
        self.assertEqual(code, 4)
        self.assertIn("gives class 0 0.9000, PyTorch 0.", errors)
        self.assertFalse((self.folder / "net.pt").exists())

    def test_without_the_program_that_is_said(self) -> None:
        nowhere = self.folder / "none"
        with mock.patch("gradcam_tools.export.program.PROGRAM", nowhere):
            code, said, _ = self.run_export("colour")
        self.assertEqual(code, 0)
        self.assertIn(f"not tried with the program, which is not built ({nowhere})", said)


if __name__ == "__main__":
    unittest.main()
