"""The layers of a network that a map can be taken from."""

from __future__ import annotations

import difflib
from typing import Any, Dict, List, Optional, Tuple

import torch
from network import USAGE, Network, NetworkError
from torch import Tensor, nn


def layer_shapes(module: nn.Module, sample: Tensor) -> Dict[str, Tuple[int, ...]]:
    """Output shape of every named layer that gives one tensor, in the order they finish."""
    return {name: tuple(value.shape) for name, _, value in _run_layers(module, sample)}


def default_layer(module: nn.Module, sample: Tensor) -> str:
    """The last stage that still has places: what pytorch-grad-cam calls the usual choice
    (`layer4`, `features`). Pooling and maps that are the classifier's own are passed over; of a
    layer called more than once the last call counts, of several names for one value the
    outermost."""
    calls = _run_layers(module, sample)
    with torch.no_grad():
        classes = module(sample).shape[-1]
    pooled = [value for _, layer, value in calls if "Pool" in type(layer).__name__]
    last_value = {name: value for name, _, value in calls}
    last = None
    for name, _, value in calls:
        usable = value.dim() == 4 and value.shape[2] * value.shape[3] > 1
        if usable and value.shape[1] != classes and not any(value is p for p in pooled):
            same = [n for n, _, v in calls if v is value and last_value[n] is value]
            if same:
                last = min(reversed(same), key=lambda n: n.count("."))
    if last is None:
        raise NetworkError(USAGE, "no layer gives a map with height and width: name one by --layer")
    return last


def _run_layers(module: nn.Module, sample: Tensor) -> List[Tuple[str, nn.Module, Tensor]]:
    """One entry per call of a named layer; the tensors are kept so that they can be told apart."""
    calls: List[Tuple[str, nn.Module, Tensor]] = []
    handles = []
    for name, layer in module.named_modules():
        if name:
            handles.append(
                layer.register_forward_hook(
                    lambda layer, _, value, name=name: (
                        calls.append((name, layer, value)) if isinstance(value, Tensor) else None
                    )
                )
            )
    with torch.no_grad():
        module(sample)
    for handle in handles:
        handle.remove()
    return calls


def choose_layers(network: Network, sample: Tensor, wanted: Optional[str]) -> Dict[str, Any]:
    """The description's `layer` (and `tokens` where the layer gives tokens, not a map)."""
    if wanted is None:
        tokens = _token_layer(network.module)
        return tokens or {"layer": default_layer(network.module, sample)}
    shapes = layer_shapes(network.module, sample)
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in shapes:
            near = difflib.get_close_matches(name, shapes, 3)
            known = ", ".join(near or list(shapes)[-3:])
            raise NetworkError(USAGE, f"--layer '{name}': no such layer; near names: {known}")
        if len(shapes[name]) != 4 or shapes[name][2] * shapes[name][3] == 1:
            shape = "x".join(map(str, shapes[name]))
            raise NetworkError(USAGE, f"--layer '{name}': gives {shape}, no map of places")
    return {"layer": names[0] if len(names) == 1 else names}


def _token_layer(module: Any) -> Optional[Dict[str, Any]]:
    """The first norm of the last block of a vision transformer, as pytorch-grad-cam advises."""
    if hasattr(module, "class_token"):  # torchvision's
        side = module.image_size // module.patch_size
        name = f"encoder.layers.encoder_layer_{len(module.encoder.layers) - 1}.ln_1"
        return {"layer": name, "tokens": {"drop": 1, "grid": [side, side]}}
    grid = getattr(getattr(module, "patch_embed", None), "grid_size", None)
    if grid and hasattr(module, "num_prefix_tokens"):  # timm's
        name = f"blocks.{len(module.blocks) - 1}.norm1"
        return {"layer": name, "tokens": {"drop": module.num_prefix_tokens, "grid": list(grid)}}
    return None
