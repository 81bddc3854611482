"""Tests of scripts/export_model.py on networks of transformers, on layers that are no plain maps, and
of ONNX files. The networks are tiny and their weights random."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Tuple
from unittest import mock

import torch

import export_model
import task_models
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.layers import choose_layers
from gradcam_tools.networks.network import pattern
from gradcam_tools.networks.place_layers import Layout, layout_of
from gradcam_tools.networks.wanted import WantedInput
from gradcam_tools.openvino_model import Compiled

SIDE = 64
VIT = {
    "image_size": SIDE,
    "patch_size": 16,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
COLOURS = {"0": "red", "1": "green", "2": "blue"}
# Networks whose places lie otherwise than in maps with channels first.
MODULE = """
import torch
from torch import nn

class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.patch = nn.Conv2d(3, 8, 16, 16)
        self.mix = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.after = nn.Identity()
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        return self.head(self.after(self.norm(x + self.mix(x).tanh())).mean((1, 2)))

class Tokens(nn.Module):
    def __init__(self, extra):
        super().__init__()
        torch.manual_seed(4)
        self.patch = nn.Conv2d(3, 8, 16, 16)
        self.extra = nn.Parameter(torch.randn(1, extra, 8))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
            for _ in range(2)
        )
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.extra, x], 1)
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, 0] if self.extra.shape[1] else x.mean(1))

class Ends(nn.Module):
    # As timm's: the outermost layer that gives the last map is an Identity.
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.stages = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.ReLU())
        self.norm_pre = nn.Identity()
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.norm_pre(self.stages(x)).mean((2, 3)))

def channels_last():
    return ChannelsLast()

def class_token():
    return Tokens(2)

def mean_of_tokens():
    return Tokens(0)

def ends():
    return Ends()
"""


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "out.pt"

    def run_export(self, *arguments: object, tried: bool = False) -> Tuple[int, str]:
        """Exit code and what was printed on stderr. Only where it is `tried` is the program started,
        which takes a second."""
        errors = io.StringIO()
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(errors))
            if not tried:
                stack.enter_context(mock.patch("export_model.try_program", return_value=""))
            code = export_model.main([*map(str, arguments), "-o", str(self.output)])
        return code, errors.getvalue()

    def described(self, *arguments: object, tried: bool = False) -> Dict[str, Any]:
        code, said = self.run_export(*arguments, tried=tried)
        self.assertEqual(code, 0, said)
        with zipfile.ZipFile(self.output) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith("/extra/gradcam.json")]
            return json.loads(archive.read(name))


class Transformers(Case):
    def write(self, family: str, processor: Dict[str, Any], **config: Any) -> str:
        """A folder as the hub has it, without weights; how it is named."""
        folder = self.folder / family
        folder.mkdir()
        config = {"model_type": family, "id2label": COLOURS, **config}
        (folder / "config.json").write_text(json.dumps(config))
        if processor:
            (folder / "preprocessor_config.json").write_text(json.dumps(processor))
        return f"hf/{folder}"

    @staticmethod
    def of(architecture: str) -> Dict[str, Any]:
        return {"architectures": [architecture]}

    def test_classifier_is_described_by_its_files(self) -> None:
        processor = {
            "image_processor_type": "ViTImageProcessor",
            "size": {"height": SIDE, "width": SIDE},
            "image_mean": [0.1, 0.2, 0.3],
            "image_std": [0.5, 0.6, 0.7],
            "rescale_factor": 1 / 255,
        }
        architecture = self.of("ViTForImageClassification")
        name = self.write("vit", processor, **VIT, **architecture)
        found = self.described(name, "--random-weights")
        self.assertEqual((found["name"], found["task"]), ("vit", "classification"))
        self.assertEqual(found["labels"], list(COLOURS.values()))
        self.assertEqual((found["input_size"], found["resize"]), ([SIDE, SIDE], "stretch"))
        self.assertEqual((found["mean"], found["scale"]), ([0.1, 0.2, 0.3], 255))
        self.assertEqual(found["std"], [0.5, 0.6, 0.7])
        self.assertEqual(found["tokens"], {"drop": 1, "grid": [4, 4]})
        self.assertRegex(found["layer"], r"\.1\.layernorm_before$")
        self.assertLessEqual(found["verified"]["map_difference"], 1e-3)

    def test_crop_and_turned_channels_are_taken_over(self) -> None:
        processor = {
            "image_processor_type": "MobileViTImageProcessor",
            "size": {"shortest_edge": 80},
            "crop_size": {"height": SIDE, "width": SIDE},
            "do_center_crop": True,
            "do_flip_channel_order": True,
            "do_normalize": False,
        }
        name = self.write("vit", processor, **VIT)
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(name, random_weights=True)
        self.assertEqual((network.input_size, network.color), ([SIDE, SIDE], "bgr"))
        self.assertEqual(network.framing.resize, "center-crop")
        self.assertEqual((network.mean, network.std), ([0.0] * 3, [1.0] * 3))

    def test_detector_gives_boxes_and_scores_joined(self) -> None:
        size = {"image_size": [SIDE, SIDE]}
        architecture = self.of("YolosForObjectDetection")
        name = self.write("yolos", {}, **{**VIT, **size, **architecture}, num_detection_tokens=6)
        found = self.described(name, "--random-weights", tried=True)
        self.assertEqual(found["task"], "detection")
        expected = {"format": "detr", "decoded": True, "activation": "softmax", "background": 3}
        self.assertEqual(found["output"], expected)
        self.assertEqual(found["labels"], [*COLOURS.values(), "no object"])
        self.assertIn("tokens", found)

    def test_half_that_sees_gives_an_embedding(self) -> None:
        vision = {**VIT, "projection_dim": 12}
        name = self.write("clip", {}, architectures=["CLIPModel"], vision_config=vision)
        found = self.described(name, "--random-weights")
        self.assertEqual(found["task"], "embedding")
        self.assertEqual(found["tokens"], {"drop": 1, "grid": [4, 4]})
        self.assertNotIn("labels", found)

    def test_pixels_of_segformer(self) -> None:
        sizes = {"hidden_sizes": [8, 8, 8, 8], "depths": [1] * 4, "decoder_hidden_size": 8}
        architecture = self.of("SegformerForSemanticSegmentation")
        heads = {"num_attention_heads": [1, 1, 2, 2]}
        name = self.write("segformer", {}, **sizes, **architecture, **heads, image_size=SIDE)
        found = self.described(name, "--random-weights")
        self.assertEqual(found["task"], "segmentation")
        self.assertTrue(found["layer"].startswith("decode_head."), found["layer"])
        self.assertEqual(found["labels"], list(COLOURS.values()))

    def test_what_is_for_no_task_is_refused_in_one_line(self) -> None:
        cases: List[Tuple[int, str, str]] = [
            (2, "for none of the tasks", self.write("vit_mae", {}, **self.of("ViTMAEForPreTraining"))),
            (2, "takes input_ids", self.write("bert", {}, **self.of("BertModel"))),
            (4, "cannot read config.json", self.write("no_such_family", {})),
            (4, "cannot make it", self.write("deit", {}, **{**VIT, "num_attention_heads": 0})),
        ]
        for code, part, name in cases:
            found, line = self.run_export(name, "--random-weights")
            self.assertEqual((found, line.count("\n")), (code, 1), line)
            self.assertIn(part, line)
            self.assertFalse(self.output.exists())


class Places(Case):
    def chosen(self, function: str) -> Dict[str, Any]:
        own = self.folder / "mine.py"
        own.write_text(MODULE)
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(f"{own}:{function}", wanted=WantedInput([SIDE, SIDE]))
        return choose_layers(network, network.normalise(pattern(SIDE, SIDE)), None)

    def test_channels_last_maps_are_told_as_places(self) -> None:
        expected = {"layer": "norm", "tokens": {"drop": 0, "grid": [4, 4]}}
        self.assertEqual(self.chosen("channels_last"), expected)

    def test_layer_whose_every_place_counts_is_taken(self) -> None:
        """Behind the last block of a transformer with a class token only that has a gradient."""
        expected = {"layer": "blocks.1.norm1", "tokens": {"drop": 2, "grid": [4, 4]}}
        self.assertEqual(self.chosen("class_token"), expected)
        expected = {"layer": "blocks.1", "tokens": {"drop": 0, "grid": [4, 4]}}
        self.assertEqual(self.chosen("mean_of_tokens"), expected)

    def test_an_identity_is_never_taken(self) -> None:
        self.assertEqual(self.chosen("ends"), {"layer": "stages"})
        own = f"{self.folder / 'mine.py'}:ends"
        code, said = self.run_export(own, "--input-size", "64,64", "--layer", "norm_pre")
        self.assertEqual((code, "an Identity" in said), (2, True), said)

    def test_layouts(self) -> None:
        cases = [
            ((1, 64, 7, 7), (224, 224), Layout("map", (7, 7))),
            ((1, 7, 7, 64), (224, 224), Layout("channels-last", (7, 7))),
            ((1, 197, 64), (224, 224), Layout("tokens", (14, 14), 1)),
            ((1, 14 * 28 + 5, 64), (224, 448), Layout("tokens", (14, 28), 5)),
            ((1, 3, 8, 17), (256, 512), Layout("map", (8, 17))),
            ((1, 64, 7, 9), (224, 224), None),
            ((1, 64), (224, 224), None),
            ((4, 49, 64), (224, 224), None),
        ]
        for shape, size, expected in cases:
            self.assertEqual(layout_of(shape, size), expected, shape)


class Files(Case):
    def test_onnx_file_holds_its_description_and_names(self) -> None:
        import onnx

        own = task_models.write_module(self.folder)
        self.output = self.folder / "out.onnx"
        arguments = (f"{own}:steering", "--input-size", f"{SIDE},{SIDE}", "--task", "regression")
        code, said = self.run_export(*arguments, tried=True)
        self.assertEqual(code, 0, said)
        model = onnx.load(str(self.output))
        (text,) = [p.value for p in model.metadata_props if p.key == "gradcam.json"]
        found = json.loads(text)
        self.assertEqual((found["task"], found["layer"]), ("regression", "body"))
        self.assertLess(found["verified"]["max_abs_difference"], 1e-4)
        self.assertTrue(any(node.name.startswith("/body/") for node in model.graph.node))
        with contextlib.redirect_stderr(io.StringIO()):
            network = build_network(f"{own}:steering", wanted=WantedInput([SIDE, SIDE]))
        sample = network.normalise(pattern(SIDE, SIDE))
        (value,) = Compiled(str(self.output), "f32")(sample)
        self.assertTrue(torch.allclose(value, network.module(sample).reshape(1, 1), atol=1e-4))
        code, said = self.run_export(*arguments, "--script")
        self.assertEqual((code, "--script goes with" in said), (2, True), said)

    def test_boxes_and_scores_apart_are_joined(self) -> None:
        own = task_models.write_module(self.folder)
        how = ("--input-size", f"{SIDE},{SIDE}", "--format", "detr")
        found = self.described(f"{own}:apart", *how, "--select", "pred_boxes,logits")
        self.assertEqual(found["output"]["format"], "detr")
        code, said = self.run_export(f"{own}:apart", *how, "--select", "pred_boxes,more")
        self.assertEqual((code, "cannot be joined" in said), (2, True), said)

    def test_networks_of_films_are_refused_by_what_they_are(self) -> None:
        for name, part in (("r3d_18", "for films"), ("raft_small", "for optical flow")):
            code, said = self.run_export(name, "--random-weights")
            self.assertEqual((code, part in said, said.count("\n")), (2, True, 1), said)


if __name__ == "__main__":
    unittest.main()
