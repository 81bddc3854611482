"""The pictures that networks are shown: of the size that they take, so that none is resized."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def picture(height: int, width: int, seed: int = 1) -> Tensor:
    """Smooth colours, u8 RGB HxWx3."""
    coarse = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(smooth).copy())


def write_picture(pixels: Tensor, path: Path) -> Path:
    Image.fromarray(pixels.numpy()).save(path)
    return path
