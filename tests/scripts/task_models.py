"""Networks for other tasks than classification, for the tests of the exporter: small, seeded."""

from __future__ import annotations

from pathlib import Path
from typing import List

SIDE = 64
LAYERS = {"detector": ["neck.3", "neck.4"]}
# A detector with a neck that goes up and down again, and a head with a stem on each level.
MODULE = """
import torch
from torch import nn
from torch.nn import functional

def block(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.SiLU())

class Neck(nn.ModuleDict):
    def __init__(self):
        super().__init__({
            "0": block(3, 8, 8), "1": block(8, 16, 2), "2": nn.Conv2d(16, 8, 1),
            "3": block(16, 12), "down": block(12, 12, 2), "4": block(20, 12),
        })

    def forward(self, x):
        fine = self["0"](x)
        coarse = self["2"](self["1"](fine))
        up = functional.interpolate(coarse, scale_factor=2.0)
        first = self["3"](torch.cat([fine, up], 1))
        second = self["4"](torch.cat([self["down"](first), coarse], 1))
        return first, second

class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.neck = Neck()
        self.stem = nn.ModuleList(block(12, 10) for _ in range(2))
        self.boxes = nn.ModuleList(nn.Conv2d(10, 4, 1) for _ in range(2))
        self.scores = nn.ModuleList(nn.Conv2d(10, 4, 1) for _ in range(2))

    def forward(self, x):
        stems = [stem(value) for stem, value in zip(self.stem, self.neck(x))]
        return [
            torch.cat([boxes(v), scores(v)], 1)
            for boxes, scores, v in zip(self.boxes, self.scores, stems)
        ]

class Detector(Heads):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        flat = torch.cat([v.flatten(2) for v in super().forward(x)], 2)
        if self.kind == "raw-heads":
            return torch.cat([flat[:, :4], 9 * flat[:, 4:]], 1).transpose(1, 2)
        flat = torch.cat([flat[:, :2] * 8 + 40, flat[:, 2:4], flat[:, 4:].sigmoid()], 1)
        return flat if self.kind == "yolov8" else flat.transpose(1, 2)

class Pixels(nn.Module):
    def __init__(self, classes):
        super().__init__()
        torch.manual_seed(4)
        self.body = block(3, 8, 4)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        x = functional.interpolate(self.head(self.body(x)), size=x.shape[2:], mode="bilinear")
        return {"out": 5 * x, "other": x.mean((2, 3))}

class Otherwise(nn.Module):
    # Is traced otherwise than it runs.
    def __init__(self):
        super().__init__()
        self.body = block(3, 8, 4)

    def forward(self, x):
        value = self.body(x).mean((2, 3))[:, :1]
        return value + 1 if torch.jit.is_tracing() else value

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 16, 16)
        self.weights = nn.Softmax(-1)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        weights = self.weights((tokens @ tokens.transpose(1, 2)).unsqueeze(1))
        return self.head((weights @ tokens.unsqueeze(1)).flatten(1, 2)).mean(1)

class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = block(3, 8, 4)

    def forward(self, x):
        return 0 * self.body(x).mean((2, 3))[:, :1] + 1

class Steering(nn.Module):
    def __init__(self, activation=None):
        super().__init__()
        torch.manual_seed(5)
        self.body = nn.Sequential(block(3, 8, 4), block(8, 6, 2))
        self.head = nn.Linear(6, 1 if activation is None else 3)
        self.activation = activation

    def forward(self, x):
        x = self.head(self.body(x).mean((2, 3)))
        return x.squeeze(1) if self.activation is None else self.activation(x)

class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(6)
        self.body = block(3, 24, 4)

    def forward(self, x):
        return functional.normalize(self.body(x).mean((2, 3)))

class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(7)
        self.patch = nn.Conv2d(3, 16, 16, 16)
        self.first = nn.Parameter(torch.randn(1, 1, 16))
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=True)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        places = self.patch(x).flatten(2).transpose(1, 2)
        return self.head(self.block(torch.cat([self.first, places], 1))[:, 0])

class Apart(Detector):
    # Boxes (cx, cy, w, h in 0..1) and class scores apart, as DETR and its kin give them.
    def forward(self, x):
        found = super().forward(x)
        return {"logits": found[:, :, 2:], "pred_boxes": found[:, :, :4].sigmoid(), "more": x}

class Joined(nn.Module):
    # The same, joined as raw-heads wants them.
    def __init__(self):
        super().__init__()
        self.apart = Apart("raw-heads")

    def forward(self, x):
        found = self.apart(x)
        centre, size = found["pred_boxes"].split(2, -1)
        scale = torch.tensor([x.shape[3], x.shape[2]])
        corners = [(centre - size / 2) * scale, (centre + size / 2) * scale]
        return torch.cat([*corners, found["logits"]], -1)

def apart():
    return Apart("raw-heads")

def joined():
    return Joined()

def sign():
    return nn.Sequential(Steering(), nn.Unflatten(0, (-1, 1)))

def share():
    return nn.Sequential(sign(), nn.Sigmoid())

class Corners(Detector):
    def forward(self, x):
        found = super().forward(x)
        one, other, scores = found[:, :, :2], found[:, :, 2:4], found[:, :, 4:]
        return torch.cat([torch.minimum(one, other), torch.maximum(one, other) + 1, scores], -1)

def corners():
    return Corners("raw-heads")

def no_corners():
    return Detector("raw-heads")

def detector():
    return Detector("yolov8")

def rows():
    return Detector("yolov5")

def pixels():
    return Pixels(4)

def otherwise():
    return Otherwise()

def constant():
    return Constant()

def attention():
    return Attention()

def steering():
    return Steering()

def findings():
    return Steering(torch.sigmoid)

def embedding():
    return Embedding()

def tokens():
    return Tokens()
"""


def write_module(folder: Path) -> Path:
    path = folder / "networks_of_mine.py"
    path.write_text(MODULE)
    return path


def write_labels(path: Path, count: int) -> List[str]:
    labels = [f"class {index}" for index in range(count)]
    path.write_text("\n".join(labels) + "\n")
    return labels
