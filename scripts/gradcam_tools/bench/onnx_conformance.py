"""Maps of one network from its ONNX file against those from its TorchScript file, by gradcam-live."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Dict, List, Sequence

import numpy as np
import torch
from torch import Tensor

from gradcam_tools.bench import conformance_rows
from gradcam_tools.bench.conformance_rows import (
    SLOW,
    WITHOUT_CLASS,
    WITHOUT_LAYER,
    Conformance,
    Plan,
    Program,
    ProgramError,
)
from gradcam_tools.bench.peer_maps import PEERS
from gradcam_tools.export import onnx
from gradcam_tools.export.description import describe
from gradcam_tools.networks.layers import choose_layers
from gradcam_tools.networks.outputs import answer

LARGEST_DIFFERENCE = 1e-3  # of maps 0..1
HEADING = "## From ONNX files"
SEGMENTATION = "lraspp_mobilenet_v3_large"
PLANS: Dict[str, Plan] = {
    **{
        name: conformance_rows.PLANS[name]
        for name in ("resnet50", "mobilenet_v2", "timm/vit_tiny_patch16_224")
    },
    SEGMENTATION: Plan(["backbone.16", "backbone.12"]),
}
OF_CLASSES = ("finercam",)  # a lead over other classes, which a segmentation has not


@dataclasses.dataclass
class Row:
    network: str
    method: str
    found: List[float] = dataclasses.field(default_factory=list)  # largest difference of each map
    failures: List[str] = dataclasses.field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return bool(self.found) and not self.failures and not self._worst > LARGEST_DIFFERENCE

    @property
    def _worst(self) -> float:
        return float(np.max(self.found))  # numpy's, because Python's may lose a NaN

    def __str__(self) -> str:
        worst = f"{self._worst:.1e}" if self.found else "–"
        outcome = "agrees" if self.agrees else "**disagrees**"
        notes = "; ".join(sorted(set(self.failures)))
        return f"| {self.network} | {self.method} | {len(self.found)} | {worst} | {outcome} | {notes} |"


class OnnxConformance(Conformance):
    """Both files of a network, and the pictures at its size."""

    def __init__(self, name: str, sources: Sequence[Path], program: Program) -> None:
        if name == SEGMENTATION:
            self.input_size = [256, 256]
        super().__init__(name, sources, program)
        self.onnx = self.model.with_suffix(onnx.SUFFIX)
        layers = choose_layers(self.network, self.samples[0], None)
        file = onnx.export(self.network, self.samples[0])
        onnx.write(file, describe(self.network, layers, None, onnx.verify(self.network, file)), self.onnx)

    def _targets(self) -> List[int]:
        """The best class of the first picture; of a segmentation, of most places."""
        with torch.no_grad():
            scores: Tensor = answer(self.network, self.samples[0])[0]
        best = scores.flatten(1).argmax(0) if scores.dim() > 1 else scores.argmax(0)
        return [int(best.flatten().mode().values)]

    def row(self, method: str) -> Row:
        row, plan = Row(self.name, method), PLANS[self.name]
        layers = list(plan.layers)
        if method in SLOW:
            layers = [plan.narrow] if plan.narrow else []
        elif method in WITHOUT_LAYER:
            layers = layers[:1]
        for layer in layers:
            try:
                # As users have it: the quickest engine of those that there are.
                ours = self._maps(self.onnx, layer, method, "auto")
                expected = self._maps(self.model, layer, method, "torchscript")
            except ProgramError as error:
                row.failures.append(f"{layer}: {error}")
                continue
            row.found += [float(np.abs(a - b).max()) for a, b in zip(ours, expected, strict=True)]
        return row

    def _maps(self, model: Path, layer: str, method: str, engine: str) -> List[np.ndarray]:
        return self.program.maps(
            self.pictures, model, layer, method, "gradcam", self.targets[0], engine
        )


def methods_of(name: str, methods: Sequence[str]) -> List[str]:
    plan = PLANS[name]
    left_out = [method for method in SLOW if plan.narrow is None]
    left_out += OF_CLASSES if name == SEGMENTATION else ()
    return [method for method in methods if method in PEERS and method not in left_out]


def lines(rows: List[Row]) -> List[str]:
    agreeing = sum(row.agrees for row in rows)
    return [
        HEADING,
        "",
        "`scripts/conformance.py --onnx`: maps of gradcam-live from the ONNX file of a network, by the "
        "engine that it takes by itself, against those from its TorchScript file by LibTorch, in fp32: "
        "pictures, layers and methods as above, the best class of the first picture. A row agrees when "
        f"no value, of 0..1, differs by more than {LARGEST_DIFFERENCE:g}: {agreeing} of {len(rows)} do.",
        "",
        "| network | method | maps | largest difference | verdict | |",
        "|---|---|---|---|---|---|",
        *map(str, rows),
        "",
        "The layers: " + "; ".join(f"{name}: {', '.join(PLANS[name].layers)}" for name in PLANS) + ".",
    ]
