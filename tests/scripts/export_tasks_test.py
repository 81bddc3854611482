"""Tests of scripts/export_model.py for other tasks than classification."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sys
import tempfile
import types
import unittest
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Tuple
from unittest import mock

import torch
from torch import nn

import export_model
import task_models
from gradcam_tools.export import verification
from gradcam_tools.export.description import read_labels
from gradcam_tools.networks import detector_layers, layers
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.network import pattern
from gradcam_tools.networks.wanted import WantedInput, WantedTask
from gradcam_tools.paths import SHARED
from gradcam_tools.quiet import quiet

YOLOX = SHARED / "models/yolox_nano"

SMALL = ("--input-size", f"{task_models.SIDE},{task_models.SIDE}")


class ExportTasks(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "out.pt"
        self.own = task_models.write_module(self.folder)

    def run_export(self, *arguments: object) -> Tuple[int, str]:
        """Exit code and what was printed on stderr."""
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            code = export_model.main([*map(str, arguments), "-o", str(self.output)])
        return code, errors.getvalue()

    def described(self, function: str, *arguments: object) -> Dict[str, Any]:
        """What the export of a function of task_models says."""
        code, said = self.run_export(f"{self.own}:{function}", *SMALL, *arguments)
        self.assertEqual(code, 0, said)
        with zipfile.ZipFile(self.output) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith("/extra/gradcam.json")]
            found = json.loads(archive.read(name))
        self.assertLessEqual(found["verified"]["max_abs_difference"], 1e-4)
        self.assertLessEqual(found["verified"]["map_difference"], 1e-3)
        return found

    def test_detector_is_described(self) -> None:
        labels = task_models.write_labels(self.folder / "labels.txt", 4)
        found = self.described(
            "detector", "--format", "yolov8", "--labels", self.folder / "labels.txt"
        )
        self.assertEqual((found["task"], found["threshold"]), ("detection", 0.3))
        self.assertEqual(
            found["output"], {"format": "yolov8", "decoded": True, "activation": "none"}
        )
        self.assertEqual(found["layer"], task_models.LAYERS["detector"])
        self.assertEqual((found["resize"], found["pad_value"]), ("letterbox", 114))
        self.assertEqual((found["pad_align"], found["color"]), ("center", "rgb"))
        self.assertEqual((found["scale"], found["mean"], found["std"]), (255, [0] * 3, [1] * 3))
        self.assertEqual(found["labels"], labels)

    def test_conventions_of_yolox(self) -> None:
        found = self.described("rows", "--format", "yolox", "--threshold", "0.5")
        self.assertEqual((found["scale"], found["color"]), (1, "bgr"))
        self.assertEqual((found["pad_align"], found["threshold"]), ("top-left", 0.5))
        self.assertEqual(found["output"]["decoded"], True)

    def test_raw_heads_may_give_scores_before_the_sigmoid(self) -> None:
        found = self.described("corners", "--format", "raw-heads")
        expected = {"format": "raw-heads", "decoded": True, "activation": "sigmoid"}
        self.assertEqual(found["output"], expected)
        self.assertEqual(found["layer"], task_models.LAYERS["detector"])

    def test_boxes_that_may_be_none_are_told(self) -> None:
        code, said = self.run_export(f"{self.own}:no_corners", *SMALL, "--format", "raw-heads")
        self.assertEqual((code, "raw-heads wants corners" in said), (4, True), said)
        code, said = self.run_export(f"{self.own}:joined", *SMALL, "--format", "raw-heads")
        self.assertEqual((code, "are they corners" in said), (0, False), said)

    def test_one_number_is_a_classifier_of_two(self) -> None:
        labels = self.folder / "labels.txt"
        for function in ("steering", "sign"):  # 1 and 1x1
            for count, expected in ((1, 0), (2, 0), (3, 2)):
                task_models.write_labels(labels, count)
                own = f"{self.own}:{function}"
                code, said = self.run_export(own, *SMALL, "--labels", labels)
                self.assertEqual(code, expected, said)
                self.assertEqual("allowed: one label, or two" in said, expected > 0, said)
            self.assertEqual(self.described(function)["output"], {"activation": "sigmoid"})
        self.assertEqual(self.described("share")["output"], {"activation": "none"})

    def test_segmentation_takes_one_of_several_outputs(self) -> None:
        found = self.described("pixels", "--task", "segmentation", "--select", "out")
        self.assertEqual((found["layer"], found["resize"]), ("body", "stretch"))
        self.assertEqual(found["output"], {"activation": "softmax"})
        found = self.described("pixels", "--select", "other")
        self.assertEqual(found["task"], "classification")

    def test_regression_has_no_activation(self) -> None:
        found = self.described("steering", "--task", "regression", "--crop", "0.4,0,0.9,1")
        self.assertEqual((found["task"], found["output"]), ("regression", {"activation": "none"}))
        self.assertEqual((found["layer"], found["crop"]), ("body", [0.4, 0, 0.9, 1]))
        with quiet():
            value = torch.jit.load(str(self.output))(torch.rand(1, 3, 64, 64))
        self.assertEqual(tuple(value.shape), (1, 1))

    def test_finished_shares_of_several_labels_get_no_second_sigmoid(self) -> None:
        found = self.described("findings", "--task", "multilabel", "--resize", "center-crop")
        self.assertEqual(
            (found["output"], found["resize"]), ({"activation": "none"}, "center-crop")
        )

    def test_embedding_of_a_module_and_of_a_classifier(self) -> None:
        self.assertEqual(self.described("embedding", "--task", "embedding")["layer"], "body")
        code, said = self.run_export("resnet18", "--random-weights", "--task", "embedding")
        expected = "resnet18: layer fc is left out: an embedding is its input\n"
        self.assertEqual((code, said), (0, expected))
        with quiet():
            value = torch.jit.load(str(self.output))(torch.rand(1, 3, 224, 224))
        self.assertEqual(tuple(value.shape), (1, 512))

    def test_tokens_of_a_layer_are_told(self) -> None:
        found = self.described("tokens", "--layer", "block.norm1", "--tokens", "1,4,4")
        self.assertEqual(found["tokens"], {"drop": 1, "grid": [4, 4]})
        own = f"{self.own}:tokens"
        code, said = self.run_export(own, *SMALL, "--layer", "block.norm1")
        self.assertEqual((code, "--tokens DROP,H,W" in said), (2, True), said)

    def test_bgr_turns_the_channels(self) -> None:
        wanted = WantedInput([8, 8], [0.0] * 3, [1.0] * 3, 1.0, "bgr")
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(f"{self.own}:steering", wanted=wanted)
        pixels = pattern(8, 8)
        self.assertEqual(network.normalise(pixels)[0, 0, 2, 3], pixels[2, 3, 2])

    def test_a_map_that_differs_is_refused(self) -> None:
        own = (f"{self.own}:steering", *SMALL, "--task", "regression")
        for wrong, expected in ((1e-2, 4), (1e-4, 0)):
            calls = itertools.count()

            def off(*arguments: Any, wrong: float = wrong, calls: Any = calls) -> torch.Tensor:
                """The second map, which is the file's, a little larger."""
                return verification_map(*arguments) * (1 + wrong * (next(calls) % 2))

            verification_map = verification.grad_cam
            with mock.patch("gradcam_tools.export.verification.grad_cam", off):
                code, said = self.run_export(*own)
            self.assertEqual((code, "differs from that of hooks" in said), (expected, expected > 0))
            self.assertEqual(self.output.exists(), expected == 0)

    def test_scores_that_differ_are_refused(self) -> None:
        code, said = self.run_export(f"{self.own}:otherwise", *SMALL, "--task", "regression")
        self.assertEqual((code, "the export differs from eager" in said), (4, True), said)
        self.assertFalse(self.output.exists())

    def test_an_empty_map_proves_nothing_and_is_told(self) -> None:
        code, said = self.run_export(f"{self.own}:constant", *SMALL, "--task", "regression")
        self.assertEqual((code, "its map is empty" in said), (0, True), said)

    def test_torchvision_segmentation(self) -> None:
        code, said = self.run_export(
            *("lraspp_mobilenet_v3_large", "--random-weights", "--input-size", "128,128")
        )
        self.assertEqual((code, said), (0, ""))

    def test_own_checkpoint_with_its_own_input(self) -> None:
        import torchvision

        checkpoint = self.folder / "mine.pth"
        torch.manual_seed(1)
        module = torchvision.models.squeezenet1_1(num_classes=1)
        module.classifier[1].bias.data.fill_(1)  # behind it comes a ReLU
        torch.save(module.state_dict(), checkpoint)
        code, said = self.run_export(
            *(checkpoint, "--arch", "squeezenet1_1", "--task", "regression"),
            *("--input-size", "96,96", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"),
        )
        self.assertEqual((code, said), (0, ""))

    def test_ultralytics_is_told_where_it_is_missing(self) -> None:
        with mock.patch.dict(sys.modules, {"ultralytics": None}):
            code, said = self.run_export("ultralytics/yolo.pt")
        self.assertEqual((code, said.count("\n")), (2, 1), said)
        self.assertIn("install it yourself", said)

    def test_ultralytics_is_taken_where_it_is(self) -> None:
        module = nn.Module()
        with contextlib.redirect_stderr(io.StringIO()):
            module = build_network(
                f"{self.own}:detector", wanted=WantedInput([640, 640])
            ).module
        forward = module.forward
        setattr(module, "forward", lambda x: (forward(x), [x]))
        names = {index: f"class {index}" for index in range(4)}
        detector = types.SimpleNamespace(task="detect", model=module, names=names)
        fake: Any = types.ModuleType("ultralytics")
        fake.YOLO = lambda path: detector
        weights = self.folder / "yolo.pt"
        weights.touch()
        with mock.patch.dict(sys.modules, {"ultralytics": fake}):
            code, said = self.run_export(f"ultralytics/{weights}", "--input-size", "128,160")
        self.assertEqual((code, said.count("\n")), (0, 1), said)
        self.assertIn("was unpickled, which runs code in it", said)

    def test_errors_are_one_line(self) -> None:
        wrong = self.folder / "three.txt"
        task_models.write_labels(wrong, 3)
        cases: List[Tuple[int, str, List[object]]] = [
            (2, "--task detection needs --format", ["detector", "--task", "detection"]),
            (2, "--format goes with --task detection", self.of("pixels", "yolox", "segmentation")),
            (2, "--threshold goes with", ["pixels", "--select", "out", "--threshold", "0.5"]),
            (4, "gives 1x8x80; allowed for --task detection", self.of("detector", "yolov5")),
            (4, "1x80x8; allowed for --task detection --format yolov8", self.of("rows", "yolov8")),
            (4, "1x4x64x64; allowed", ["pixels", "--select", "out"]),
            (2, "boxes apart from it, in pred_boxes", self.of("apart", "raw-heads", select="logits")),
            (4, "a dict of out, other; allowed", ["pixels"]),
            (2, "--select in: networks_of_mine.py gives out, other", ["pixels", "--select", "in"]),
            (2, "nothing to choose from", ["steering", "--select", "0"]),
            (2, "its anchors are not known", [*self.of("detector", "yolov8"), "--no-decoded"]),
            (4, "gives 80 boxes; 64x64", [*self.of("rows", "yolox"), "--no-decoded"]),
            (2, "3 labels for 4 classes", [*self.of("detector", "yolov8"), "--labels", wrong]),
            (2, "--tokens goes with --layer", ["tokens", "--tokens", "1,4,4"]),
            (2, "--background goes with", [*self.of("detector", "yolov8"), "--background", 0]),
            (2, "--activation: goes", [*self.of("rows", "yolov5"), "--activation", "sigmoid"]),
            (2, "--background 4: one of 0..3", [*self.of("corners", "raw-heads"), "--background", 4]),
            (2, "go with --resize letterbox", ["steering", "--pad-value", "0"]),
            (2, "'0,0,2,1' is not T,L,B,R", ["steering", "--crop", "0,0,2,1"]),
            (2, "'300' is not a whole number", ["steering", "--pad-value", "300"]),
            (2, "'2' is not a number 0..1", ["steering", "--threshold", "2"]),
        ]
        for code, part, (function, *arguments) in cases:
            found, line = self.run_export(f"{self.own}:{function}", *SMALL, *arguments)
            self.assertEqual((found, line.count("\n")), (code, 1), (part, line))
            self.assertIn(part, line)
            self.assertFalse(self.output.exists())
        code, line = self.run_export("fasterrcnn_resnet50_fpn")
        self.assertEqual((code, line.count("\n")), (2, 1), line)
        self.assertIn("non-maximum suppression", line)

    def test_an_input_is_not_replaced(self) -> None:
        read = self.folder / "read.pth"
        labels = self.output.with_suffix(".json")
        for path in (read, labels):
            path.write_text("mine\n")
        self.output = read
        arguments = ("--arch", "resnet18", "--task", "regression")
        self.assertEqual(self.run_export(read, *arguments)[0], 2)
        self.assertEqual(self.run_export(f"ultralytics/{read}")[0], 2)
        self.output = labels.with_suffix(".pt")
        self.assertEqual(self.run_export("resnet18", "--labels", labels)[0], 2)
        self.assertEqual([path.read_text() for path in (read, labels)], ["mine\n"] * 2)

    def test_labels_are_read_as_the_program_reads_them(self) -> None:
        path = self.folder / "labels.txt"
        path.write_bytes(b"\xef\xbb\xbfcat\ndog\n\n")
        self.assertEqual(read_labels(path, 2), ["cat", "dog"])

    def test_attention_is_no_map_and_later_tokens_are_told(self) -> None:
        notes: List[str] = []
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(f"{self.own}:attention", wanted=WantedInput([64, 64]))
        sample = network.normalise(pattern(64, 64))
        self.assertEqual(layers.default_layer(network.module, sample, 3, notes), "patch")
        self.assertIn("layer patch: tokens follow", notes[0])

    @staticmethod
    def of(
        function: str, output_format: str, task: str = "detection", select: str = ""
    ) -> List[object]:
        selected = ["--select", select] if select else []
        return [function, "--format", output_format, "--task", task, *selected]


class WideNeck(nn.ModuleDict):
    """A neck that goes up and down again and gives as many channels as the boxes take; heads of
    boxes and scores as in YOLOv8, or of one branch as in YOLOv5."""

    def __init__(self, branches: List[str], activation: bool) -> None:
        convolutions = {"stem": (3, 4), "deep": (4, 5), "fine": (9, 8), "coarse": (13, 8)}
        heads = {f"{neck}_{b}": (8, 8) for neck in ("fine", "coarse") for b in branches}
        parts = {**convolutions, **heads}
        super().__init__({name: nn.Conv2d(*sizes, 3, padding=1) for name, sizes in parts.items()})
        self.branches = branches
        self.end = nn.Sigmoid() if activation else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = self["stem"](x)
        deep = self["deep"](nn.functional.max_pool2d(stem, 2))
        up = nn.functional.interpolate(deep, scale_factor=2.0)
        fine = self["fine"](torch.cat([stem, up], 1))
        coarse = self["coarse"](torch.cat([nn.functional.max_pool2d(fine, 2), deep], 1))
        return torch.cat([self.head("fine", fine), self.head("coarse", coarse)], 2)

    def head(self, neck: str, x: torch.Tensor) -> torch.Tensor:
        found = torch.cat([self[f"{neck}_{branch}"](x) for branch in self.branches], 1)
        return (self.end(found) if self.end else found).flatten(2)


class Necks(unittest.TestCase):
    def test_may_be_as_wide_as_a_prediction(self) -> None:
        sample = torch.zeros(1, 3, 16, 16)
        for branches, activation in itertools.product((["boxes", "scores"], ["all"]), (0, 1)):
            network = WideNeck(branches, bool(activation)).requires_grad_(False)
            found = detector_layers.detector_layers(network, sample)
            self.assertEqual(found, ["fine", "coarse"], (branches, activation))


class RealDetector(unittest.TestCase):
    @unittest.skipUnless(YOLOX.exists(), "skipped: needs ../shared")
    def test_yolox_finds_the_outputs_of_its_neck(self) -> None:
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            network = build_network(
                str(YOLOX / "yolox_nano.onnx"), output=WantedTask(format="yolox")
            )
        self.assertEqual((network.color, network.scale), ("bgr", 1.0))
        sample = network.normalise(pattern(*network.input_size))
        layers = detector_layers.detector_layers(network.module, sample)
        self.assertEqual(layers, ["Mul_246", "Mul_272", "Mul_298"])


class GradCam(unittest.TestCase):
    def test_tokens_are_laid_out_in_rows(self) -> None:
        activation = torch.arange(7.0).view(1, 7, 1)
        gradient = torch.full((1, 7, 1), 2.0)
        heat = verification.grad_cam(activation, gradient, {"drop": 1, "grid": [2, 3]})
        self.assertEqual(heat.tolist(), [[[2, 4, 6], [8, 10, 12]]])


if __name__ == "__main__":
    unittest.main()
