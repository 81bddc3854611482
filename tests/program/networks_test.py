#!/usr/bin/env python3
"""The program on TorchScript files as people save them: hand-set weights, so that the right scores
and the right place of the heat are known."""

from __future__ import annotations

import json
import unittest
import warnings
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from program_case import ProgramCase

HEIGHT, WIDTH = 64, 96  # not square on purpose
SQUARE = (16, 24)  # top, left of the red square of 16 pixels


def features() -> nn.Sequential:
    """How red, green, blue each field of 8 pixels is."""
    conv = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        conv.weight.copy_((1.5 * torch.eye(3) - 0.5).view(3, 3, 1, 1))
        conv.bias.fill_(-0.2)
    return nn.Sequential(conv, nn.ReLU(), nn.AvgPool2d(8))


class Spot(nn.Module):
    """Which colour, and where. Others differ from it in one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.features = features()
        self.fc = nn.Linear(3, 3)
        with torch.no_grad():
            self.fc.weight.copy_(20 * torch.eye(3))
            self.fc.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))


class Flattening(Spot):
    """A linear layer that knows places, behind a view."""

    def __init__(self, minus_one: bool) -> None:
        super().__init__()
        self.minus_one = minus_one
        fields = HEIGHT // 8 * (WIDTH // 8)
        self.fc = nn.Linear(3 * fields, 3)
        with torch.no_grad():
            weight = torch.eye(3).repeat_interleave(fields, 1) * 20 / fields
            self.fc.weight.copy_(weight * torch.linspace(0.5, 1.5, 3 * fields))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        if self.minus_one:
            return self.fc(x.view(-1, 3 * x.size(2) * x.size(3)))
        return self.fc(x.view(x.size(0), -1))


class Optional2(Spot):
    def forward(self, x: Tensor, mask: Optional[Tensor] = None, factor: float = 0.5) -> Tensor:
        y = self.fc(self.features(x).mean((2, 3))) * factor
        return y if mask is None else y + mask


class Trained(Spot):
    """Norm and dropouts, to be saved in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.drop2d = nn.Dropout2d(0.5)
        self.drop = nn.AlphaDropout(0.5)
        with torch.no_grad():
            self.norm.running_mean.fill_(0.05)
            self.norm.running_var.fill_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop2d(self.norm(self.features(x))).mean((2, 3))
        return self.fc(functional.dropout(self.drop(x), 0.3, self.training))


class Depth(Spot):
    """Stochastic depth, traced in training mode."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.fc((x * x.new_empty(1, 3, 1, 1).bernoulli_(0.5)).mean((2, 3)))


class ChannelsLast(Spot):
    """Maps 1xHxWxC, as timm's Swin gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.LayerNorm(3, elementwise_affine=False)
        self.scale = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x).permute(0, 2, 3, 1)
        return self.fc((x + 0.01 * self.last(x)).mean((1, 2)))


class Gray(nn.Module):
    """One channel: how bright, how dark."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.fc = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.conv.bias.copy_(torch.tensor([0.0, 1.0]))
            self.fc.weight.copy_(4 * torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


class Transformer(nn.Module):
    """Patches, and one block of PyTorch's own, which a plain trace in eval mode fuses."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.patch = nn.Conv2d(3, 16, 16, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.fc = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        return self.fc(self.attention(x, x, x, need_weights=False)[0].mean(1))


class Networks(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        warnings.filterwarnings("ignore")
        pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
        top, left = SQUARE
        pixels[top : top + 16, left : left + 16] = (250, 30, 20)
        self.picture = self.folder / "red.png"
        Image.fromarray(pixels).save(self.picture)
        self.input = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    def save(self, module: nn.Module, how: str = "trace", **description: Any) -> Path:
        path = self.folder / f"{type(module).__name__}_{how}.pt"
        if how == "script":
            made = torch.jit.script(module)
        else:
            with torch.no_grad():
                made = torch.jit.trace(module, self.input[:, : channels_of(module)], check_trace=False)
        made.save(str(path))
        said: Dict[str, Any] = {"input_size": [HEIGHT, WIDTH], "mean": [0, 0, 0], "std": [1, 1, 1]}
        path.with_suffix(".json").write_text(json.dumps({**said, **description}))
        return path

    def explained(self, path: Path, *options: Any) -> Dict[str, Any]:
        (line,) = self.lines(self.picture, "--model", path, "--precision", "fp32", *options)
        return line

    def assert_shares(self, line: Dict[str, Any], scores: Tensor, within: float = 1e-3) -> None:
        expected = scores.detach().float().softmax(1)[0]
        self.assertEqual(len(line["top"]), len(expected))
        for entry in line["top"]:
            self.assertAlmostEqual(entry["score"], expected[entry["class"]].item(), delta=within)

    def assert_on_square(self, line: Dict[str, Any]) -> None:
        x, y = line["cam"]["centroid"]
        top, left = SQUARE
        self.assertLess(abs(x - (left + 7.5)), 3)
        self.assertLess(abs(y - (top + 7.5)), 3)

    def test_flattening_by_a_view(self) -> None:
        for minus_one in (False, True):
            module = Flattening(minus_one).eval()
            for how in ("trace", "script"):
                line = self.explained(self.save(module, how))
                self.assert_shares(line, module(self.input))
                self.assert_on_square(line)

    def test_further_inputs_with_defaults(self) -> None:
        module = Optional2().eval()
        line = self.explained(self.save(module, "script"))
        self.assert_shares(line, module(self.input))
        self.assert_on_square(line)

    def test_other_number_formats(self) -> None:
        expected = Spot()(self.input)
        for module in (Spot().half(), Spot().bfloat16(), Spot().double()):
            line = self.explained(self.save(module, "script"))
            self.assert_shares(line, expected, within=0.01)
            self.assert_on_square(line)

    def test_left_in_training(self) -> None:
        module = Trained().train()
        path = self.save(module)  # which moves its running statistics
        expected = module.eval()(self.input)
        for _ in range(2):
            done = self.run_program(
                self.picture, "--model", path, "--precision", "fp32", "--jsonl", "-"
            )
            self.assert_shares(json.loads(done.stdout), expected)
            self.assertIn("was saved in training mode: batch_norm of norm, dropout of ", done.stderr)

    def test_random_numbers_are_refused_by_their_name(self) -> None:
        said = self.refused(4, "aten::bernoulli_", self.picture, "--model", self.save(Depth()))
        self.assertIn("eval()", said)

    def test_channels_last_maps(self) -> None:
        module = ChannelsLast().eval()
        path = self.save(module)
        for method in ("gradcam", "eigencam", "recipro-cam"):
            line = self.explained(path, "--layer", "last", "--method", method)
            self.assert_shares(line, module(self.input))

    def test_one_channel(self) -> None:
        module = Gray().eval()
        luma = torch.from_numpy(np.array(Image.open(self.picture).convert("L")))[None, None] / 255
        for said in ({}, {"color": "gray", "mean": 0, "std": 1}):
            line = self.explained(self.save(module, **said), "--target", "0")
            self.assert_shares(line, module(luma))
            self.assert_on_square(line)

    def test_a_teaching_network_of_four_pixels(self) -> None:
        small = self.folder / "small.png"
        pixels = (np.arange(16, dtype=np.uint8) * 17).reshape(4, 4)
        Image.fromarray(pixels).save(small)
        module = Gray().eval()
        path = self.save(module, input_size=[4, 4])
        (line,) = self.lines(small, "--model", path, "--precision", "fp32", "--target", "0")
        self.assert_shares(line, module(torch.from_numpy(pixels)[None, None] / 255))
        self.assertEqual(line["cam"]["peak"], [3, 3])

    def test_fused_attention(self) -> None:
        module = Transformer().eval().requires_grad_(False)
        path = self.save(module)
        self.assertIn("_native_multi_head_attention", str(torch.jit.load(str(path)).inlined_graph))
        for method in ("eigencam", "fem", "kpcacam", "scorecam", "recipro-cam", "ablationcam"):
            line = self.explained(path, "--layer", "patch", "--method", method)
            self.assert_shares(line, module(self.input))
        layer = (self.picture, "--model", path, "--layer", "patch")
        said = self.refused(2, "methods without a gradient: eigencam", *layer)
        self.assertIn("set_fastpath_enabled(False)", said)


def channels_of(module: nn.Module) -> int:
    return 1 if isinstance(module, Gray) else 3


if __name__ == "__main__":
    unittest.main()
