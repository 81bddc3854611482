"""Checks that an exported file gives the eager network's scores, and the same Grad-CAM map."""

from __future__ import annotations

import io
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor

from gradcam_tools.export import layer_outputs
from gradcam_tools.networks.network import (
    MODEL,
    USAGE,
    Network,
    NetworkError,
    first_line,
    noise,
    pattern,
)
from gradcam_tools.networks.outputs import tensors, told
from gradcam_tools.networks.tasks import objective
from gradcam_tools.quiet import quiet

Tokens = Optional[Dict[str, Any]]  # the description's
TOLERANCE = 1e-4  # of the largest output
MAP_TOLERANCE = 1e-3  # of the map's peak


def verify(network: Network, file: bytes, layers: Dict[str, Any], script: bool) -> Dict[str, Any]:
    """The description's `verified`: the largest differences of the file from the eager network, of
    scores as they are, of maps relative to their peak. Raises where one is too large."""
    with quiet():
        loaded = torch.jit.load(io.BytesIO(file))
    size = network.input_size
    samples = [network.normalise(pixels) for pixels in (noise(*size), pattern(*size))]
    scores = max(_compare_scores(network, loaded, sample, script) for sample in samples)
    names = layers["layer"] if isinstance(layers["layer"], list) else [layers["layer"]]
    maps = _compare_maps(network, file, names, layers.get("tokens"), samples[1])
    return {
        "max_abs_difference": scores,
        "map_difference": maps,
        "torch": torch.__version__,
    }


def _compare_scores(network: Network, loaded: Any, sample: Tensor, script: bool) -> float:
    with torch.no_grad():
        expected = network.module(sample.clone())  # some write into their input
        output = loaded(sample.clone())
    kept = isinstance(output, Tensor) == isinstance(expected, Tensor)
    if not kept or not isinstance(output, (Tensor, tuple)):
        raise NetworkError(
            MODEL,
            f"{network.name}: the export gives {told(output)}, not one tensor"
            + ("; leave out --script" if script else ""),
        )
    difference = 0.0
    for ours, theirs in zip(tensors(output), tensors(expected)):
        largest = theirs.abs().max().item()
        worst = (ours - theirs).abs().max().item()
        if not worst <= TOLERANCE * largest:
            raise NetworkError(
                MODEL,
                f"{network.name}: the export differs from eager by {worst:.3g} (outputs up to "
                f"{largest:.3g}, allowed {TOLERANCE:g} of that)",
            )
        difference = max(difference, worst)
    return difference


def _compare_maps(
    network: Network, file: bytes, names: List[str], tokens: Tokens, sample: Tensor
) -> float:
    """The largest difference, relative to the map's peak. Maps are compared before Grad-CAM's ReLU
    (Selvaraju et al. 2017), which would hide half of them."""
    sample.requires_grad_()
    with torch.enable_grad():
        output, activations = _hooked(network, sample, names)
        explained = objective(network, output)
        expected = _gradients(network, explained(output), names, activations)
        output, found_activations = layer_outputs.run(file, names, sample)
        found = _gradients(network, explained(output), names, found_activations)
    worst, empty = 0.0, True
    for index, name in enumerate(names):
        reference = grad_cam(activations[index], expected[index], tokens)
        ours = grad_cam(found_activations[index], found[index], tokens)
        peak = reference.abs().max().item()
        empty = empty and peak == 0
        difference = (ours - reference).abs().max().item() / (peak or 1.0)
        if not difference <= MAP_TOLERANCE:
            raise NetworkError(
                MODEL,
                f"{network.name}: the Grad-CAM map of the export at {name} differs from that of "
                f"hooks by {difference:.3g} of its peak (allowed {MAP_TOLERANCE:g})",
            )
        worst = max(worst, difference)
    if empty:
        network.notes.append(f"{network.name}: its map is empty, which proves nothing")
    return worst


def _hooked(network: Network, sample: Tensor, names: List[str]) -> Tuple[Any, List[Tensor]]:
    """Output, and what the last call of each layer gave, by hooks of the eager network."""
    kept: Dict[str, Tensor] = {}

    def keep(name: str, value: Tensor) -> Tensor:
        kept[name] = value
        return value.clone()  # an in-place operation behind the layer writes there

    layers = dict(network.module.named_modules())
    handles = [
        layers[name].register_forward_hook(lambda _, __, value, name=name: keep(name, value))
        for name in names
    ]
    try:
        return network.module(sample), [kept[name] for name in names]
    finally:
        for handle in handles:
            handle.remove()


def _gradients(
    network: Network, scalar: Tensor, names: List[str], activations: List[Tensor]
) -> List[Tensor]:
    try:
        gradients = torch.autograd.grad(scalar, activations, allow_unused=True)
    except RuntimeError as error:
        raise NetworkError(MODEL, f"{network.name}: no gradient: {first_line(error)}") from None
    for name, gradient in zip(names, gradients):
        if gradient is None:
            raise NetworkError(
                USAGE, f"layer {name}: the output does not depend on it; --layer takes another"
            )
        if not gradient.isfinite().all():
            raise NetworkError(MODEL, f"{network.name}: its gradient at {name} is not finite")
    return list(gradients)


def grad_cam(activation: Tensor, gradient: Tensor, tokens: Tokens) -> Tensor:
    """1xHxW, before its ReLU."""
    activation = activation.detach()
    if tokens:
        activation, gradient = _places(activation, tokens), _places(gradient, tokens)
    return (gradient.mean((2, 3), keepdim=True) * activation).sum(1)


def _places(value: Tensor, tokens: Dict[str, Any]) -> Tensor:
    """1xTOKENSxC (or 1xHxWxC) → 1xCxHxW."""
    kept = value.flatten(1, -2)[:, tokens["drop"] :]
    return kept.transpose(1, 2).unflatten(2, tokens["grid"])
