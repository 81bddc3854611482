"""Rows of conformance.py's table: how near the maps of two tools are, and the verdict."""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Optional, Tuple

import numpy as np
import torch

from gradcam_tools.compile import agreement

LOWEST_CORRELATION, LARGEST_DIFFERENCE = 0.999, 0.02
FAR = 4  # times as far as the farthest of a few nudges: those do not find the worst
NUDGE = 1e-4  # of a normalised picture: less than a hundredth of a grey level

# Where a peer is known to compute something else: method, title → what. Shown where a row disagrees.
# tests/explain/methods/methods_test.cpp holds the formulas here against numbers worked out by hand.
REASONS: Dict[Tuple[str, str], str] = {
    ("gradcam++", "torchcam GradCAMpp"): "torchcam is wrong: it divides a copy, so that its weights "
    "are Σ g²·relu(g)",
    ("finercam", "torchcam FinerCAM"): "torchcam is not as the authors: it takes off 0.6 of the "
    "plain mean of the three nearest scores, not their mean weighted by softmax",
    ("scorecam", "torchcam ScoreCAM"): "torchcam is not as the paper: it scales activations before "
    "they are enlarged, and enlarges without aligned corners",
    ("ablationcam", "pytorch-grad-cam AblationCAM"): "pytorch-grad-cam is wrong: in a batch each "
    "channel's value lies 1e7 below that of the channel before, not below the lowest activation",
}


@dataclasses.dataclass
class Comparison:
    """`turned`: the peer's mirrored map is nearer. `empty`: the peer's map has no contrast.
    `nudged`: of one that disagrees, the peer's map against its own as rounding moves it."""

    layer: str
    difference: float
    correlation: float
    turned: bool
    empty: bool
    nudged: Optional[Comparison] = None

    @property
    def agrees(self) -> bool:
        # NaN agrees with nothing.
        return self.correlation >= LOWEST_CORRELATION and self.difference <= LARGEST_DIFFERENCE

    @property
    def ill_conditioned(self) -> bool:
        """Rounding moves the peer's own map, and ours lies not much farther from it."""
        own = self.nudged
        return own is not None and not own.agrees and self.difference <= FAR * own.difference


@dataclasses.dataclass
class Row:
    network: str
    method: str
    peer: str
    found: List[Comparison] = dataclasses.field(default_factory=list)
    failures: List[str] = dataclasses.field(default_factory=list)

    @property
    def disagreeing(self) -> List[Comparison]:
        return [comparison for comparison in self.found if not comparison.agrees]

    @property
    def known(self) -> Optional[str]:
        """What the peer computes otherwise."""
        return REASONS.get((self.method, self.peer))

    @property
    def reason(self) -> Optional[str]:
        """Why it disagrees, of one that does."""
        return self.known or self._ill_conditioned()

    def _ill_conditioned(self) -> Optional[str]:
        """Where the peer does not agree with itself, rounding decides: of every map that disagrees."""
        if not all(comparison.ill_conditioned for comparison in self.disagreeing):
            return None
        largest = max(c.nudged.difference for c in self.disagreeing if c.nudged is not None)
        return (
            f"rounding decides there: float64, or {NUDGE:g} of noise on the normalised picture, "
            f"moves the peer's own maps, one by {largest:.1e}"
        )

    @property
    def unexplained(self) -> bool:
        return bool(self.disagreeing) and self.reason is None

    def __str__(self) -> str:
        head = f"| {self.network} | {self.method} | {self.peer} "
        notes = sorted(set(self.failures))
        if not self.found:
            return f"{head}| 0 | – | – | not compared | {'; '.join(notes)} |"
        turned = sum(comparison.turned for comparison in self.found)
        empty = sum(comparison.empty for comparison in self.found)
        notes += [f"sign turned in {turned}"] if turned else []
        notes += [f"{empty} of the peer's maps empty"] if empty else []
        if self.disagreeing:
            notes.insert(0, f"at {', '.join(dict.fromkeys(c.layer for c in self.disagreeing))}")
            notes += [self.reason] if self.reason else []
        # numpy's, because Python's may lose a NaN.
        difference = np.max([comparison.difference for comparison in self.found])
        correlation = np.min([comparison.correlation for comparison in self.found])
        outcome = "agrees"
        if self.disagreeing:
            outcome = f"**disagrees** in {len(self.disagreeing)}"
        return (
            f"{head}| {len(self.found)} | {difference:.1e} | {correlation:.6f} "
            f"| {outcome} | {'; '.join(notes)} |"
        )


def compare(layer: str, ours: np.ndarray, theirs: List[np.ndarray], style: str) -> Comparison:
    """With the nearest of `theirs`. Styles that do not scale their maps are measured against the
    peer's largest value."""
    best: Optional[Comparison] = None
    for index, expected in enumerate(theirs):
        if ours.shape != expected.shape:
            raise ValueError(f"sizes differ: {ours.shape}, {expected.shape}")
        unit = 1.0 if style == "gradcam" else float(np.abs(expected).max()) or 1.0
        a, b = (torch.from_numpy(values.astype(np.float64)) / unit for values in (ours, expected))
        difference = float((a - b).abs().max())
        empty = float(expected.max()) == float(expected.min())
        found = Comparison(layer, difference, agreement.correlation(a, b), index > 0, empty)
        if best is None or not best.difference <= found.difference:
            best = found
    assert best is not None
    return best


def lines(rows: List[Row]) -> List[str]:
    agreeing = [row for row in rows if row.found and not row.disagreeing]
    known = [row for row in rows if row.disagreeing and not row.unexplained]
    unexplained = [row for row in rows if row.unexplained]
    missing = [row for row in rows if not row.found]
    return [
        f"A row agrees when the correlation of every map is at least {LOWEST_CORRELATION} and no "
        f"value differs by more than {LARGEST_DIFFERENCE:g}: of 0..1, or, for captum, whose maps "
        "are not scaled, of the peer's largest value. "
        f"{len(rows)} rows: {len(agreeing)} agree, {len(known)} disagree for a known reason, "
        f"{len(unexplained)} for none, {len(missing)} were not compared.",
        "",
        "| network | method | peer | maps | largest difference | lowest correlation | verdict | |",
        "|---|---|---|---|---|---|---|---|",
        *map(str, rows),
    ]
