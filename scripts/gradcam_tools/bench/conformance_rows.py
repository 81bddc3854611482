"""Maps of gradcam-live against those of the peers, for one network after another."""

from __future__ import annotations

import copy
import dataclasses
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from PIL import Image

from gradcam_tools.bench import peer_maps
from gradcam_tools.bench.conformance_table import NUDGE, Comparison, Row, compare
from gradcam_tools.bench.peer_maps import PEERS, Peer
from gradcam_tools.export import torchscript
from gradcam_tools.export.description import describe
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.layers import choose_layers
from gradcam_tools.networks.network import Network
from gradcam_tools.networks.published_networks import LITE0
from gradcam_tools.networks.wanted import WantedInput
from gradcam_tools.paths import RESNET50_WEIGHTS

PROGRAM_TIMEOUT_S = 600


@dataclasses.dataclass(frozen=True)
class Plan:
    """Layers of a network: the last stage, which cannot tell many methods apart, and earlier ones
    whose activations have both signs. `narrow`: one of few channels, for SLOW methods; all of
    ViT-B/16 are wide, and a narrower ViT stands in for it."""

    layers: Sequence[str]
    narrow: Optional[str] = None


PLANS: Dict[str, Plan] = {
    "resnet50": Plan(["layer4", "layer4.2.conv3", "layer3.5.conv3"], "layer3.5.conv2"),
    "mobilenet_v2": Plan(["features", "features.14"], "features.14"),
    "efficientnet_lite0": Plan(["_bn1", "_blocks.10._bn2"], "_blocks.10._bn2"),
    "vgg16": Plan(["features.29", "features.21"], "features.4"),
    "densenet121": Plan(
        ["features", "features.denseblock3.denselayer12.conv2"],
        "features.denseblock3.denselayer12.conv2",
    ),
    "vit_b_16": Plan([f"encoder.layers.encoder_layer_{block}.ln_1" for block in (11, 7)]),
    "timm/vit_tiny_patch16_224": Plan(["blocks.11.norm1", "blocks.7.norm1"], "blocks.11.norm1"),
}
SLOW = ("scorecam", "ablationcam")  # a run of the network for each channel
WITHOUT_CLASS = ("eigencam", "fem", "kpcacam")
WITHOUT_LAYER = ("fullgrad",)
NUDGES = 8


class ProgramError(Exception):
    """One line of gradcam-live."""


class Program:
    """Runs gradcam-live on a folder of pictures. A method or style that it refused is not asked for
    again."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.lacks: Dict[Tuple[str, str], str] = {}

    def maps(
        self,
        pictures: Path,
        model: Path,
        layer: str,
        method: str,
        style: str,
        target: int,
        engine: str = "torchscript",
    ) -> List[np.ndarray]:
        """One for each picture."""
        if (method, style) in self.lacks:
            raise ProgramError(self.lacks[method, style])
        output = Path(tempfile.mkdtemp(dir=self.folder))
        command = [str(self.path), str(pictures), "--model", str(model), "--layer", layer]
        command += ["--method", method, "--style", style, "--target", str(target)]
        command += ["--precision", "fp32", "--engine", engine, "--headless"]
        command += ["--maps", str(output), "-y", "--log-level", "error"]
        try:
            run = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PROGRAM_TIMEOUT_S,
                env={**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")},
            )
        except subprocess.TimeoutExpired:
            raise ProgramError(f"gradcam-live took over {PROGRAM_TIMEOUT_S} s") from None
        if run.returncode:
            said = (run.stderr.strip().splitlines() or [f"exit {run.returncode}"])[-1][:120]
            if run.returncode == 2 and ("--method" in said or "--style" in said):
                self.lacks[method, style] = said
            raise ProgramError(said.replace("|", "/"))
        return [np.asarray(Image.open(file)) for file in sorted(output.iterdir())]


class Conformance:
    """One network: its export, the pictures at its size, and the classes to explain."""

    input_size: Optional[List[int]] = None  # another than the network's own

    def __init__(self, name: str, sources: Sequence[Path], program: Program) -> None:
        self.name = name
        self.program = program
        self.network = build(name, self.input_size)
        short = name.rpartition("/")[2]
        self.pictures = program.folder / f"{short}.pictures"
        self.model = program.folder / f"{short}.pt"
        self.samples = self._write_pictures(sources)
        self.tokens = self._export()
        self.targets = self._targets()

    def _write_pictures(self, sources: Sequence[Path]) -> List[torch.Tensor]:
        self.pictures.mkdir()
        height, width = self.network.input_size
        samples = []
        for index, source in enumerate(sources):
            picture = Image.open(source).convert("RGB")
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
            picture.save(self.pictures / f"{index}.png")
            samples.append(self.network.normalise(torch.from_numpy(np.array(picture))))
        return samples

    def _export(self) -> Optional[Dict[str, Any]]:
        """Writes the TorchScript file; the description's `tokens`."""
        network = self.network
        layers = choose_layers(network, self.samples[0], None)
        exported = torchscript.export(network, self.samples[0], script=False)
        description = describe(network, layers, None, 0.0)
        torchscript.write(exported, description, self.model)
        return layers.get("tokens")

    def _targets(self) -> List[int]:
        """The best class of each picture, which is another class for the other one, else the second
        best of the first picture."""
        with torch.no_grad():
            ranks = [self.network.module(sample)[0].argsort().tolist() for sample in self.samples]
        targets = list(dict.fromkeys(rank[-1] for rank in ranks))
        return targets if len(targets) > 1 else [targets[0], ranks[0][-2]]

    def rows(self, method: str) -> List[Row]:
        plan = PLANS[self.name]
        layers, targets = list(plan.layers), self.targets
        if method in SLOW:
            if plan.narrow is None:
                return []
            layers = [plan.narrow]
        elif method in WITHOUT_LAYER:
            layers = layers[:1]
        elif method in WITHOUT_CLASS:
            targets = targets[:1]
        rows = [Row(self.name, method, peer.title) for peer in PEERS[method]]
        for layer in layers:
            ours: Dict[str, Dict[int, Any]] = {}
            for peer, row in zip(PEERS[method], rows):
                if peer.style not in ours:
                    ours[peer.style] = self._ours(layer, method, peer.style, targets)
                self._compare(row, peer, layer, ours[peer.style])
        return rows

    def _ours(
        self, layer: str, method: str, style: str, targets: List[int]
    ) -> Dict[int, Any]:
        """Class → maps, or what gradcam-live said."""
        found: Dict[int, Any] = {}
        for target in targets:
            try:
                found[target] = self.program.maps(
                    self.pictures, self.model, layer, method, style, target
                )
            except ProgramError as error:
                found[target] = str(error)
        return found

    def _compare(self, row: Row, peer: Peer, layer: str, ours: Dict[int, Any]) -> None:
        row.failures += [said for said in ours.values() if isinstance(said, str)]
        maps = {target: found for target, found in ours.items() if not isinstance(found, str)}
        if not maps:
            return
        try:
            with peer_maps.explaining(peer, self.network.module, layer, self.tokens) as explain:
                for target, found in maps.items():
                    for sample, heat in zip(self.samples, found, strict=True):
                        theirs = explain(sample, target)
                        comparison = compare(layer, heat, theirs, peer.style)
                        if not comparison.agrees and not row.known:
                            comparison.nudged = self._nudged(
                                peer, layer, sample, target, theirs[0]
                            )
                        row.found.append(comparison)
        except peer_maps.NotComparable as error:
            row.failures.append(str(error))
        except Exception as error:  # a peer may fail in any way; its row says how
            said = (str(error).splitlines() or [""])[0][:120].replace("|", "/")
            row.failures.append(f"the peer failed: {type(error).__name__}: {said}")

    def _nudged(
        self, peer: Peer, layer: str, sample: torch.Tensor, target: int, map_: np.ndarray
    ) -> Comparison:
        """The peer's map against its own in float64 and those of the picture with NUDGE of noise,
        the farthest: large where a formula divides by what may be near zero, or a gradient jumps."""
        found = []
        module = copy.deepcopy(self.network.module).double()
        with peer_maps.explaining(peer, module, layer, self.tokens) as explain:
            found.append(explain(sample.double(), target))
        generator = torch.Generator().manual_seed(0)
        with peer_maps.explaining(peer, self.network.module, layer, self.tokens) as explain:
            for _ in range(NUDGES):
                noise = NUDGE * torch.randn(sample.shape, generator=generator)
                found.append(explain(sample + noise, target))
        compared = [compare("", map_, maps, peer.style) for maps in found]
        return max(compared, key=lambda comparison: comparison.difference)


def build(name: str, input_size: Optional[List[int]] = None) -> Network:
    """With published weights where they are there, else with seeded random ones."""
    weights = RESNET50_WEIGHTS if name == "resnet50" else None
    if weights is not None and not weights.exists():
        weights = None
    random_weights = weights is None and name != LITE0
    return build_network(name, weights, random_weights, WantedInput(input_size))
