"""timm's classifiers, named timm/NAME as on the hub (timm/resnet18, timm/resnet18.a1_in1k)."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from torch import Tensor

from gradcam_tools.networks.checkpoints import load, read_state_dict
from gradcam_tools.networks.hub import go_offline_without_hub
from gradcam_tools.networks.network import (
    MODEL,
    USAGE,
    Network,
    NetworkError,
    first_line,
    source_of,
)
from gradcam_tools.networks.published_networks import IMAGENET_LABELS

PREFIX = "timm/"


def is_timm(name: str) -> bool:
    return name.startswith(PREFIX)


def build(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    """Input and normalisation are those that timm states for the network's weights."""
    import timm

    short = name[len(PREFIX) :]
    if not timm.is_model(short):
        near = difflib.get_close_matches(short, timm.list_models(), 3) or ["resnet18"]
        names = ", ".join(PREFIX + other for other in near)
        raise NetworkError(USAGE, f"unknown network '{name}'; near names: {names}")
    torch.manual_seed(0)
    module = _create(name, pretrained=weights is None and not random_weights)
    about: Dict[str, Any] = module.pretrained_cfg
    if weights is not None:
        state = read_state_dict(weights)
        module.reset_classifier(_classes(state, about, module.num_classes))
        load(module, name, weights, state)
    channels, *size = about["input_size"]
    if channels != 3:
        raise NetworkError(USAGE, f"{name}: takes {channels} channels; allowed: 3 (RGB)")
    own = weights is None and not random_weights
    return Network(
        name=name,
        module=module,
        input_size=list(size),
        scale=255.0,
        mean=list(about["mean"]),
        std=list(about["std"]),
        task="classification" if module.num_classes else "embedding",
        labels=IMAGENET_LABELS if module.num_classes == len(IMAGENET_LABELS) else None,
        source=source_of(f"timm {short} ({about.get('hf_hub_id')})", weights, random_weights),
        licence=about.get("license") or "not stated" if own else "not stated",
    )


def _create(name: str, pretrained: bool) -> Any:
    import timm

    try:
        if pretrained:
            go_offline_without_hub()
        return timm.create_model(name[len(PREFIX) :], pretrained=pretrained)
    except Exception as error:  # timm, its hub client and the network below raise what they like
        if not pretrained or isinstance(error, RuntimeError) and "tag" in str(error):
            raise NetworkError(USAGE, f"{name}: timm cannot make it: {first_line(error)}") from None
        raise NetworkError(
            MODEL,
            f"{name}: cannot fetch its weights from the hub ({first_line(error)}); give --weights "
            "FILE (a state_dict), or --random-weights",
        ) from None


def _classes(state: Dict[str, Tensor], about: Dict[str, Any], default: int) -> int:
    """How many classes a checkpoint was trained for, by the rows of its classifier."""
    name = about.get("classifier")
    last = state.get(f"{name if isinstance(name, str) else (name or ['?'])[0]}.weight")
    return default if last is None else last.shape[0]
