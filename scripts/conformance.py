#!/usr/bin/env python3
"""Holds the maps of gradcam-live against those of the Python tools and prints a Markdown table.

  scripts/conformance.py
  scripts/conformance.py --only resnet50,vit_b_16 --methods gradcam,hirescam
  scripts/conformance.py -o docs/conformance.md

The same networks, weights, pictures, layers and classes, in fp32. The peers (peer_maps.py) are
installed from PyPI into .peers, as bench_peers.py does. Exit 1: a row disagrees and no reason is
known; 77: skipped.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import bench_peers

os.environ["TQDM_DISABLE"] = "1"  # pytorch-grad-cam draws bars; read when tqdm is imported

if __name__ == "__main__" and Path(sys.prefix).resolve() != (
    bench_peers.PEERS.resolve()
):
    if not bench_peers.VENV_PYTHON.exists():
        sys.exit("conformance: no .venv: run scripts/setup first")
    for missing, why in bench_peers.install().items():
        sys.exit(f"conformance: {missing} cannot be installed: {why}")
    python = str(bench_peers.PEERS / "bin/python")
    os.execv(python, [python, *sys.argv])

import conformance_table  # noqa: E402
import export_model  # noqa: E402
import networks  # noqa: E402
import numpy as np  # noqa: E402
import peer_maps  # noqa: E402
import torch  # noqa: E402
from conformance_table import NUDGE, Comparison, Row, compare  # noqa: E402
from layers import choose_layers  # noqa: E402
from peer_maps import PEERS, Peer  # noqa: E402
from PIL import Image  # noqa: E402

MEDIA = bench_peers.SHARED / "media"
PICTURES = [MEDIA / "dog_and_cat_224.png", MEDIA / "rooster.jpg"]
SKIPPED = 77
PROGRAM_TIMEOUT_S = 600
PACKAGES = ["torch", "torchvision", "timm", "grad-cam", "torchcam", "captum", "scikit-learn", "numpy"]


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
    """Runs gradcam-live on a folder of pictures; what it does not have is asked for once."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.lacks: Dict[Tuple[str, str], str] = {}

    def maps(
        self, pictures: Path, model: Path, layer: str, method: str, style: str, target: int
    ) -> List[np.ndarray]:
        """One for each picture."""
        if (method, style) in self.lacks:
            raise ProgramError(self.lacks[method, style])
        output = Path(tempfile.mkdtemp(dir=self.folder))
        command = [str(self.path), str(pictures), "--model", str(model), "--layer", layer]
        command += ["--method", method, "--style", style, "--target", str(target)]
        command += ["--precision", "fp32", "--engine", "torchscript", "--headless"]
        command += ["--maps", str(output), "-y", "--log-level", "error"]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S
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

    def __init__(self, name: str, sources: Sequence[Path], program: Program) -> None:
        self.name = name
        self.program = program
        self.network = build(name)
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
        exported = export_model.export(network, self.samples[0], script=False)
        description = export_model.describe(network, layers, None, 0.0)
        export_model.write(exported, description, self.model)
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


def build(name: str) -> networks.Network:
    """With published weights where they are there, else with seeded random ones."""
    weights = bench_peers.RESNET50_WEIGHTS if name == "resnet50" else None
    if weights is not None and not weights.exists():
        weights = None
    random_weights = weights is None and name != networks.LITE0
    return networks.build(name, weights, random_weights)


def introduction(options: argparse.Namespace) -> str:
    arguments = ["scripts/conformance.py"]
    arguments += [f"--only {options.only}"] if options.only else []
    arguments += [f"--methods {options.methods}"] if options.methods else []
    arguments += ["--quick"] if options.quick else []
    return (
        f"`{' '.join(arguments)}`: maps of gradcam-live against those of other tools, with the same "
        "weights, pictures, layers and classes, in fp32 on the CPU."
    )


def notes(names: Sequence[str], pictures: Sequence[Path]) -> List[str]:
    layers = [
        f"{name}: {', '.join(PLANS[name].layers)}"
        + (f" ({PLANS[name].narrow} for {' and '.join(SLOW)})" if PLANS[name].narrow else "")
        for name in names
    ]
    return [
        f"Pictures: {', '.join(picture.name for picture in pictures)}, at the network's input size. "
        "ResNet-50 and EfficientNet-Lite0 have ImageNet weights, the others seeded random ones. "
        "Classes: the best of each picture, for both; also the second best where both have the "
        "same. Layers: " + "; ".join(layers) + ".",
        "The peers see networks whose in-place ReLUs and sums are ordinary ones: their hooks would "
        "show what an in-place operation made of the layer's output. \"sign turned\": the sign of a "
        "principal component is chance, and pytorch-grad-cam's AblationCAM turns the map over where "
        "the score is negative; there its map with the other sign is taken where it is nearer. For "
        "tokens pytorch-grad-cam's ShapleyCAM is given its activations as a map, without which it "
        "fails.",
    ]


def versions(program: Path) -> str:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=60)
    own = (said.stdout.strip().splitlines() or ["gradcam-live"])[0]
    return ", ".join([own, *(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)])


def chosen(given: Optional[str], known: Sequence[str], option: str) -> List[str]:
    names = given.split(",") if given else list(known)
    for name in names:
        if name not in known:
            sys.exit(f"conformance: {option} '{name}': one of {', '.join(known)}")
    return names


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="NETWORK,...", help=f"of {', '.join(PLANS)}")
    parser.add_argument("--methods", metavar="METHOD,...", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--quick", action="store_true", help=f"leave out {' and '.join(SLOW)}")
    parser.add_argument("--pictures", nargs="+", type=Path, metavar="FILE", default=PICTURES)
    parser.add_argument(
        "--program",
        type=Path,
        default=bench_peers.ROOT / "build/release/gradcam-live",
        metavar="FILE",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="besides stdout")
    return parser.parse_args()


def main() -> int:
    options = parse()
    names = chosen(options.only, list(PLANS), "--only")
    methods = chosen(options.methods, list(PEERS), "--methods")
    methods = [method for method in methods if not (options.quick and method in SLOW)]
    if not options.program.is_file():
        sys.exit(f"conformance: --program '{options.program}': not built")
    lacking = [str(picture) for picture in options.pictures if not picture.is_file()]
    if lacking and options.pictures is PICTURES:
        print("skipped: needs ../shared")
        return SKIPPED
    if lacking:
        print(f"conformance: --pictures '{lacking[0]}': no such file", file=sys.stderr)
        return 2
    used = versions(options.program)
    rows: List[Row] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        program = Program(options.program.resolve(), Path(folder))
        for name in names:
            conformance = Conformance(name, options.pictures, program)
            for method in methods:
                found = conformance.rows(method)
                rows += found
                took = time.monotonic() - begin
                print(f"conformance: {took:.0f} s", *found, sep="\n", file=sys.stderr, flush=True)
            conformance.model.unlink()
    text = "\n".join(
        [
            "# Conformance\n",
            introduction(options),
            "",
            *conformance_table.lines(rows),
            "",
            *(f"{note}\n" for note in notes(names, options.pictures)),
            f"Versions: {used}.\n",
        ]
    )
    print(text, end="")
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return 1 if any(row.unexplained for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
