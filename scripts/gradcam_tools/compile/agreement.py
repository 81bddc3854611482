"""How well classes and maps of a faster form of a network agree with those of the precise form."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence

import numpy as np
from torch import Tensor

from gradcam_tools.compile.program import Explained

LEAD = 0.1  # of the first class over the second, from which a frame counts as not borderline
OVERLAP = 0.5  # of two boxes that count as the same


@dataclasses.dataclass
class Pair:
    """A frame by the precise form and by another one: whether the first class is the same (of a
    detector: the first box), by how much it leads, and how the maps correlate."""

    same: bool
    lead: float
    correlation: float


@dataclasses.dataclass
class Agreement:
    """Over `frames` frames: the share with the same first class; that share of the
    `leading_frames`, whose first class leads by LEAD or what summary() was given (None without such
    frames); and the correlation of maps, of frames with the same class alone, median and 5th
    percentile."""

    frames: int
    top1: float
    leading_frames: int
    leading_top1: Optional[float]
    map_median: float
    map_p5: float

    def __str__(self) -> str:
        points = f"{100 * LEAD:.0f} points"
        leading = f"no frame leads by {points}"
        if self.leading_top1 is not None:
            leading = f"{self.leading_top1:.1%} of {self.leading_frames} that lead by {points}"
        return (
            f"{self.frames} frames, same top-1 {self.top1:.1%} ({leading}), map correlation "
            f"{self.map_median:.4f} median, {self.map_p5:.4f} at the 5th percentile"
        )


def pairs(expected: Sequence[Explained], found: Sequence[Explained]) -> List[Pair]:
    """The same frames by the precise form and by another one."""
    return [
        Pair(_is_same(theirs, ours), theirs.lead or 0, _of_maps(theirs.heat(), ours.heat()))
        for theirs, ours in zip(expected, found, strict=True)
    ]


def summary(frames: Sequence[Pair], lead: float = LEAD) -> Agreement:
    leading = [pair.same for pair in frames if pair.lead >= lead]
    correlations = [pair.correlation for pair in frames if pair.same] or [0.0]
    return Agreement(
        frames=len(frames),
        top1=float(np.mean([pair.same for pair in frames])),
        leading_frames=len(leading),
        leading_top1=float(np.mean(leading)) if leading else None,
        map_median=float(np.median(correlations)),
        map_p5=float(np.percentile(correlations, 5)),
    )


def _is_same(expected: Explained, found: Explained) -> bool:
    if expected.best != found.best or (expected.box is None) != (found.box is None):
        return False
    return (
        expected.box is None
        or found.box is None
        or intersection_over_union(expected.box, found.box) >= OVERLAP
    )


def intersection_over_union(a: List[float], b: List[float]) -> float:
    """Of two boxes [left, top, right, bottom]."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    shared = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return shared / (areas - shared) if areas > shared else 0.0


def _of_maps(expected: Optional[Tensor], found: Optional[Tensor]) -> float:
    if expected is None or found is None:
        return float(expected is found)
    return correlation(found, expected)


def correlation(found: Tensor, expected: Tensor) -> float:
    """Pearson's. If a map has no contrast: 1 if neither has any, else 0."""
    a, b = found - found.mean(), expected - expected.mean()
    norm = float((a.norm() * b.norm()).item())
    if norm == 0:
        return float(a.norm() == b.norm())
    return float((a * b).sum().item()) / norm
