"""Random weights that behave like trained ones: blocks that do something, scores that differ."""

from __future__ import annotations

from typing import Any, List, Sequence

import torch
from torch import Tensor, nn

from gradcam_tools.networks.network import Network

NEAR_ZERO = 1e-2
SPREAD, SUREST = 0.7, 1.0  # of a detector's logits: their deviation, and the largest


def wake(network: Network) -> None:
    """Gains that begin near zero (LayerScale, last norms of blocks) switch whole blocks off; tokens and
    positions that are zero make all boxes of a DETR one."""
    generator = torch.Generator().manual_seed(2)
    for name, value in network.module.named_parameters():
        if value.dim() == 1 and "bias" not in name and value.abs().max() < NEAR_ZERO:
            value.uniform_(0.3, 0.7, generator=generator)
        elif value.dim() > 1 and not value.any():
            value.normal_(0, 0.2, generator=generator)


def class_layers(network: Network) -> List[nn.Module]:
    """The linear layers of a detector that give the scores of its classes."""
    return [
        layer
        for layer in network.module.modules()
        if isinstance(layer, nn.Linear)
        and layer.bias is not None
        and layer.out_features == network.outputs
    ]


def spread_scores(module: nn.Module, sample: Tensor, lasts: Sequence[Any]) -> None:
    """Scales and shifts the last layers of a detector's class scores so that scores differ and few
    boxes are sure of theirs."""
    logits: List[Tensor] = []
    handles = [
        layer.register_forward_hook(lambda _, __, value: logits.append(value)) for layer in lasts
    ]
    with torch.no_grad():
        module(sample)
        for handle in handles:
            handle.remove()
        if not logits:
            return
        values = torch.cat([value.flatten() for value in logits])
        scale = SPREAD / values.std()
        shift = SUREST - scale * values.max()
        for layer in dict.fromkeys(lasts):
            layer.weight.mul_(scale)
            layer.bias.mul_(scale).add_(shift)
