"""A network to export, what it wants as input, and the errors that a user can act on."""

from __future__ import annotations

import dataclasses
from typing import List, Optional

import torch
from torch import Tensor, nn

USAGE, MODEL, OUTPUT = 2, 4, 5


class NetworkError(Exception):
    """One line for the user, and the exit code that goes with it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


def first_line(error: BaseException) -> str:
    """What somebody else's code said, short enough for the one line of a NetworkError."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


@dataclasses.dataclass
class Network:
    """A network in eval mode, its parameters without gradients, and what it wants as input:
    x = (pixel / scale - mean) / std for RGB pixels 0..255 of `input_size` [H, W]."""

    name: str
    module: nn.Module
    input_size: List[int]
    scale: float
    mean: List[float]
    std: List[float]
    labels: Optional[List[str]]
    source: str
    licence: str
    probabilities: bool = False  # its output has gone through softmax already

    def normalise(self, pixels: Tensor) -> Tensor:
        """u8 or float HxWx3 in 0..255 → float 1x3xHxW as the network wants it."""
        mean = torch.tensor(self.mean).view(3, 1, 1)
        std = torch.tensor(self.std).view(3, 1, 1)
        return ((pixels.permute(2, 0, 1).float() / self.scale - mean) / std)[None].contiguous()


def pattern(height: int, width: int) -> Tensor:
    """A picture made by a formula, u8 HxWx3, the same one that the C++ tests make."""
    y, x, c = torch.meshgrid(*(torch.arange(n) for n in (height, width, 3)), indexing="ij")
    return ((x * 7 + y * 13 + c * 101 + (x * y) % 17 * 3) % 256).to(torch.uint8)


def source_of(own: str, weights: Optional[object], random_weights: bool) -> str:
    """Where the weights come from, for the description."""
    if random_weights:
        return "random weights, seed 0"
    return own if weights is None else f"weights of {getattr(weights, 'name', weights)}"
