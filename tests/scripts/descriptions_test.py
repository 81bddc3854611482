"""The descriptions in samples/descriptions against their networks: shapes, layers, and what the
networks say of pictures."""

from __future__ import annotations

import json
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradcam_tools.export import layer_outputs, verification
from gradcam_tools.networks import tasks
from gradcam_tools.networks.network import Network
from gradcam_tools.paths import ROOT, SHARED

SAMPLES = ROOT / "samples/descriptions"

FILES = {
    "yolox_nano": "yolox_nano/yolox_nano_416.torchscript.pt",
    "espnetv2_cityscapes": "espnetv2_cityscapes/espnetv2_cityscapes_512x256.torchscript.pt",
    "pilotnet_steering": "pilotnet_steering/pilotnet_66x200.torchscript.pt",
    "chest_xray": "chest_xray/chest_xray_mobilenetv2.torchscript.pt",
}


def description(name: str) -> Dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def network_of(name: str, about: Dict[str, Any]) -> Network:
    return Network(
        name=name,
        module=torch.nn.Identity(),
        labels=about["labels"],
        task=about["task"],
        output=about.get("output", {}),
        **{key: about[key] for key in ("input_size", "scale", "mean", "std", "color")},
        **{key: about[key] for key in ("source", "licence")},
    )


def picture(name: str, frame: int = 0) -> Image.Image:
    """A still, or a frame of a film."""
    path = SHARED / "media" / name
    if path.suffix != ".mp4":
        return Image.open(path).convert("RGB")
    with tempfile.TemporaryDirectory() as folder:
        still = Path(folder) / "still.png"
        chosen = ("-vf", f"select=eq(n\\,{frame})", "-frames:v", "1")
        subprocess.run(["ffmpeg", "-v", "error", "-i", path, *chosen, still], check=True)
        return Image.open(still).convert("RGB")


def framed(image: Image.Image, about: Dict[str, Any]) -> Tensor:
    """u8 RGB HxWx3 of the network's size, as the description says."""
    height, width = about["input_size"]
    top, left, bottom, right = about.get("crop", [0, 0, 1, 1])
    w, h = image.size
    image = image.crop((round(left * w), round(top * h), round(right * w), round(bottom * h)))
    canvas = Image.new("RGB", (width, height), (about.get("pad_value", 0),) * 3)
    if about["resize"] == "letterbox":
        ratio = min(width / image.width, height / image.height)
        width, height = round(image.width * ratio), round(image.height * ratio)
    canvas.paste(image.resize((width, height), Image.Resampling.BILINEAR))
    return torch.from_numpy(np.array(canvas))


@unittest.skipUnless(SHARED.exists(), "skipped: needs ../shared")
class Descriptions(unittest.TestCase):
    def answer(self, name: str, image: Image.Image) -> Tuple[Dict[str, Any], Tensor]:
        """The description and the output; every layer has a map that is not empty."""
        about = description(name)
        network = network_of(name, about)
        sample = network.normalise(framed(image, about)).requires_grad_()
        layers = about["layer"] if isinstance(about["layer"], list) else [about["layer"]]
        file = (SHARED / "models" / FILES[name]).read_bytes()
        output, activations = layer_outputs.run(file, layers, sample)
        explained = tasks.objective(network, output)(output)
        gradients = torch.autograd.grad(explained, activations)
        for layer, activation, gradient in zip(layers, activations, gradients):
            heat = verification.grad_cam(activation, gradient, None)
            self.assertGreater(min(heat.shape[1:]), 1, layer)
            self.assertGreater(heat.abs().max().item(), 0, layer)
        return about, output.detach()

    def test_each_has_its_file_here(self) -> None:
        self.assertEqual({path.stem for path in SAMPLES.glob("*.json")}, set(FILES))

    def test_yolox_finds_the_dog(self) -> None:
        about, output = self.answer("yolox_nano", picture("dog_and_cat_224.png"))
        self.assertEqual(tuple(output.shape), (1, 3549, 5 + len(about["labels"])))
        scores = output[0, :, 4:5] * output[0, :, 5:]
        row, best = divmod(int(scores.argmax()), scores.shape[1])
        self.assertEqual(about["labels"][best], "dog")
        self.assertGreater(scores[row, best].item(), 0.8)
        x, y, width, height = output[0, row, :4].tolist()
        self.assertTrue(150 < x < 300 and 80 < y < 220, (x, y))
        self.assertTrue(100 < width < 250 and 150 < height < 350, (width, height))

    def test_espnet_sees_sky_above_the_road(self) -> None:
        about, output = self.answer(
            "espnetv2_cityscapes", picture("highway_960x540_h264.mp4", frame=50)
        )
        self.assertEqual(tuple(output.shape), (1, len(about["labels"]), *about["input_size"]))
        classes = output[0].argmax(0)
        halves: List[Tensor] = [classes[:100], classes[180:]]
        found = [about["labels"][int(half.flatten().bincount().argmax())] for half in halves]
        self.assertEqual(found, ["sky", "road"])

    def test_pilotnet_steers_within_its_range(self) -> None:
        about, output = self.answer(
            "pilotnet_steering", picture("highway_960x540_h264.mp4", frame=50)
        )
        self.assertEqual((tuple(output.shape), about["labels"]), ((1, 1), ["steering"]))
        self.assertLess(abs(output.item()), 0.6)

    def test_pilotnet_knows_left_from_right(self) -> None:
        image = picture("highway_960x540_h264.mp4", frame=50)
        _, output = self.answer("pilotnet_steering", image)
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        self.assertGreater(self.answer("pilotnet_steering", mirrored)[1].item(), output.item())

    def test_chest_xray_of_a_healthy_chest(self) -> None:
        about, output = self.answer("chest_xray", picture("chest_xray_healthy.png"))
        self.assertEqual(tuple(output.shape), (1, len(about["labels"])))
        shares = output[0].softmax(0)
        self.assertEqual(about["labels"][int(shares.argmax())], "normal")
        self.assertGreater(shares.max().item(), 0.7)


if __name__ == "__main__":
    unittest.main()
