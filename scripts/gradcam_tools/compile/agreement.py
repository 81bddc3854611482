"""How well classes and maps of a faster form of a network agree with those of the precise form."""

from __future__ import annotations

import dataclasses
from typing import Callable, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gradcam_tools.openvino_model import Features

LEAD = 0.1  # of the first class over the second, from which a frame counts as not borderline
Head = Callable[..., Tensor]


@dataclasses.dataclass
class Agreement:
    """Over `frames` frames: the share with the same top-1; that share of the `leading_frames`, whose
    first class leads by LEAD or what summary() was given (None without such frames); and the
    correlation of Grad-CAM maps, median and 5th percentile."""

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


def compare(
    reference: Features,
    other: Features,
    head: Head,
    inputs: Sequence[Tensor],
    probabilities: bool = False,
) -> Agreement:
    """Runs two forms of the features with the same head on normalised `inputs`. Maps explain the
    reference's top-1. `probabilities`: the head's scores are probabilities already; else they become
    so by softmax."""
    same, leads, correlations = [], [], []
    for value in inputs:
        scores, expected = explain(reference, head, value)
        best = int(scores.argmax())
        found_scores, found = explain(other, head, value, best)
        shares, found_shares = (_shares(s, probabilities) for s in (scores, found_scores))
        first, second = shares.topk(2).values.tolist()
        same.append(int(found_shares.argmax()) == int(shares.argmax()))
        leads.append(first - second)
        correlations.append(correlation(found, expected))
    return summary(same, leads, correlations)


def _shares(scores: Tensor, probabilities: bool) -> Tensor:
    """Of the classes; one number is the share of one class, and the rest that of the other."""
    if len(scores) > 1:
        return scores if probabilities else scores.softmax(0)
    share = scores if probabilities else scores.sigmoid()
    return torch.cat([share, 1 - share])


def summary(
    same: Sequence[bool],
    leads: Sequence[float],
    correlations: Sequence[float],
    lead: float = LEAD,
) -> Agreement:
    """Each argument has one value for each frame: whether the top-1 is the same, by how much the
    reference's top-1 leads over its second class, and the correlation of the maps."""
    leading = [agrees for agrees, found in zip(same, leads) if found >= lead]
    return Agreement(
        frames=len(same),
        top1=float(np.mean(same)),
        leading_frames=len(leading),
        leading_top1=float(np.mean(leading)) if leading else None,
        map_median=float(np.median(correlations)),
        map_p5=float(np.percentile(correlations, 5)),
    )


def explain(
    features: Features, head: Head, value: Tensor, target: Optional[int] = None
) -> Tuple[Tensor, Tensor]:
    """Scores and the Grad-CAM map (Selvaraju et al. 2017) of a class, else the best one, as
    pytorch-grad-cam draws it: float HxW of the input's size, 0..1."""
    values = features(value)
    activation = values[0].detach().requires_grad_()
    with torch.enable_grad():
        scores = head(activation, *values[1:])[0]
        wanted = scores.argmax() if target is None else target
        (gradient,) = torch.autograd.grad(scores[wanted], activation)
    weights = gradient.mean((2, 3), keepdim=True)
    heat = _stretched((weights * activation.detach()).sum(1, keepdim=True).relu())
    size = list(value.shape[-2:])
    heat = functional.interpolate(heat, size=size, mode="bilinear", align_corners=False)
    return scores.detach(), _stretched(heat)[0, 0]


def _stretched(heat: Tensor) -> Tensor:
    heat = heat - heat.min()
    return heat / (1e-7 + heat.max())


def correlation(found: Tensor, expected: Tensor) -> float:
    """Pearson's. If a map has no contrast: 1 if neither has any, else 0."""
    a, b = found - found.mean(), expected - expected.mean()
    norm = float((a.norm() * b.norm()).item())
    if norm == 0:
        return float(a.norm() == b.norm())
    return float((a * b).sum().item()) / norm
