"""A network to export, what it wants as input, and the errors that a user can act on."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor, nn

USAGE, MODEL, OUTPUT = 2, 4, 5


class NetworkError(Exception):
    """One line for the user, and the exit code that goes with it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


def first_line(error: BaseException) -> str:
    """What a library's error says, short enough for the one line of a NetworkError."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


@dataclasses.dataclass
class Framing:
    """How a frame becomes a picture of the network's size, in the words of the description."""

    resize: str = "stretch"  # or letterbox, center-crop
    antialias: bool = True
    pad_value: int = 114
    pad_align: str = "center"  # or top-left
    crop: Optional[List[float]] = None  # [top, left, bottom, right], fractions of the frame

    def described(self) -> Dict[str, Any]:
        """The description's keys, those of padding only where there is any."""
        found: Dict[str, Any] = {"resize": self.resize, "antialias": self.antialias}
        if self.resize == "letterbox":
            found.update(pad_value=self.pad_value, pad_align=self.pad_align)
        if self.crop:
            found["crop"] = self.crop
        return found


@dataclasses.dataclass
class Network:
    """A network in eval mode, its parameters without gradients, and what it wants as input:
    x = (pixel / scale - mean) / std for pixels 0..255 of `input_size` [H, W], whose channels, and
    those of mean and std, are in the order of `color` (rgb or bgr; gray: one channel, for which the
    means of mean and std count)."""

    name: str
    module: nn.Module
    input_size: List[int]
    scale: float
    mean: List[float]
    std: List[float]
    labels: Optional[List[str]]
    source: str
    licence: str
    color: str = "rgb"
    framing: Framing = dataclasses.field(default_factory=Framing)
    task: str = "classification"
    output: Dict[str, Any] = dataclasses.field(default_factory=dict)  # the description's
    threshold: Optional[float] = None
    outputs: Optional[int] = None  # classes, values or components; None: not known
    # Shapes of the tensors that --select leaves out, by their names; filled by a run.
    left_out: Dict[str, List[int]] = dataclasses.field(default_factory=dict)
    notes: List[str] = dataclasses.field(default_factory=list)  # what was assumed or found out

    @property
    def channels(self) -> int:
        return 1 if self.color == "gray" else 3

    def normalise(self, pixels: Tensor) -> Tensor:
        """u8 or float RGB HxWx3 in 0..255 → float 1xCxHxW as the network wants it."""
        return normalised(pixels, self.scale, self.mean, self.std, self.color)


def normalised(
    pixels: Tensor, scale: float, mean: List[float], std: List[float], color: str
) -> Tensor:
    """As Network.normalise() of a network with these."""
    offset, width = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))
    channels = pixels.permute(2, 0, 1).float()
    if color == "gray":
        luma = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)  # as Pillow's convert("L")
        channels = (channels * luma).sum(0, keepdim=True).round()
        offset, width = offset.mean(0, keepdim=True), width.mean(0, keepdim=True)
    if color == "bgr":
        channels = channels.flip(0)
    return ((channels / scale - offset) / width)[None].contiguous()


def pattern(height: int, width: int) -> Tensor:
    """A picture made by a formula, u8 HxWx3, the same one that the C++ tests make."""
    y, x, c = torch.meshgrid(*(torch.arange(n) for n in (height, width, 3)), indexing="ij")
    return ((x * 7 + y * 13 + c * 101 + (x * y) % 17 * 3) % 256).to(torch.uint8)


def noise(height: int, width: int) -> Tensor:
    """A seeded picture of noise, float HxWx3 in 0..255."""
    return torch.rand(height, width, 3, generator=torch.Generator().manual_seed(1)) * 255


def source_of(own: str, weights: Optional[object], random_weights: bool) -> str:
    """Where the weights come from, for the description."""
    if random_weights:
        return "random weights, seed 0"
    return own if weights is None else f"weights of {getattr(weights, 'name', weights)}"
