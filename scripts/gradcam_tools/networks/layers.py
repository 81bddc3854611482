"""The layers of a network that a map can be taken from."""

from __future__ import annotations

import difflib
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

from gradcam_tools.networks.network import USAGE, Network, NetworkError
from gradcam_tools.networks.place_layers import is_pooling, layout_of, place_layer
from gradcam_tools.networks.tasks import TASKS

WITH_WEIGHTS = (nn.Linear, nn.modules.conv._ConvNd)
# In the exported file, when the network is in eval mode.
LEAVE_NO_TRACE = (nn.Identity, nn.modules.dropout._DropoutNd)


def layer_shapes(module: nn.Module, sample: Tensor) -> Dict[str, Tuple[int, ...]]:
    """Output shape of every named layer that gives one tensor, in the order they finish."""
    return {name: tuple(value.shape) for name, _, value in _run_layers(module, sample)}


def default_layer(
    module: nn.Module,
    sample: Tensor,
    classes: Optional[int] = None,
    notes: Optional[List[str]] = None,
) -> str:
    """The last stage that still has rows and columns: what pytorch-grad-cam calls the usual choice
    (`layer4`, `features`).

    Passed over are maps of pooling; those of attention, which have as many rows and columns as there
    are tokens; those with channels last, or in other proportions than the picture's where there are
    some in these; and the classifier's own, which come behind all weights and have a channel for each
    class (`classes`; by default as many as the output has). If a layer is called more than once, its
    last call counts; if a value has several names, the outermost one counts that is no Identity or dropout, which
    leave nothing in the file. `notes` gets a line if tokens follow, because a later layer may be meant
    then."""
    calls = _run_layers(module, sample)
    if classes is None:
        with torch.no_grad():
            classes = module(sample).shape[-1]
    pooled = [value for _, layer, value in calls if is_pooling(layer)]
    tokens = {value.shape[1] for _, _, value in calls if value.dim() == 3}
    weighing = [i for i, (_, layer, _) in enumerate(calls) if isinstance(layer, WITH_WEIGHTS)]
    last_value = {name: value for name, _, value in calls}
    nothing = {name for name, layer, _ in calls if isinstance(layer, LEAVE_NO_TRACE)}
    last, at, fits = None, 0, False
    for i, (_, _, value) in enumerate(calls):
        if value.dim() != 4 or min(value.shape[2:]) == 1 or any(value is p for p in pooled):
            continue
        layout = layout_of(value.shape, sample.shape[2:])
        is_map = layout is not None and layout.kind == "map"
        if (layout is not None and not is_map) or (fits and not is_map):
            continue
        is_attention = value.shape[2] in tokens and _are_shares(value)
        is_classes = value.shape[1] == classes and (not weighing or i >= weighing[-1])
        same = [
            n for n, _, v in calls if v is value and last_value[n] is value and n not in nothing
        ]
        if same and not is_attention and not is_classes:
            last, at, fits = min(reversed(same), key=lambda n: n.count(".")), i, is_map
    if last is None:
        raise NetworkError(USAGE, "no layer gives a map with height and width: name one by --layer")
    if notes is not None and any(value.dim() == 3 for _, _, value in calls[at + 1 :]):
        later = "--layer NAME --tokens DROP,H,W takes a later one"
        notes.append(f"layer {last}: tokens follow; {later}")
    return last


def _are_shares(value: Tensor) -> bool:
    """Square, and what each row says of its columns adds up to one."""
    square = value.shape[2] == value.shape[3]
    return square and bool(value.min() >= 0) and bool(((value.sum(3) - 1).abs() < 1e-3).all())


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


def choose_layers(
    network: Network,
    sample: Tensor,
    wanted: Optional[str],
    tokens: Optional[Tuple[int, int, int]] = None,
) -> Dict[str, Any]:
    """The description's `layer`, and its `tokens` if the layer gives tokens instead of a map.
    `wanted` and `tokens` are the options --layer and --tokens: of the latter the first number is how
    many tokens in front stand for no place, the others are the grid of the rest."""
    shapes = layer_shapes(network.module, sample)
    known = _token_layer(network.module, shapes)
    given = None if tokens is None else {"drop": tokens[0], "grid": list(tokens[1:])}
    if wanted is None:
        if known and given is None:
            return known
        if given is not None:
            raise NetworkError(USAGE, "--tokens goes with --layer")
        return _default_with_places(network, sample)
    layout = given or (known or {}).get("tokens")
    names = [name.strip() for name in wanted.split(",")]
    kinds = {_kind(name, shapes, layout) for name in names}
    modules = dict(network.module.named_modules())
    for name in names:
        if isinstance(modules[name], nn.Identity):
            raise NetworkError(
                USAGE, f"--layer '{name}': an Identity, which a trace leaves nothing of; name the "
                "layer in front of it"
            )
    if len(kinds) > 1:
        raise NetworkError(USAGE, f"--layer '{wanted}': some give maps, others tokens")
    if given is not None and kinds == {"map"}:
        raise NetworkError(USAGE, f"--tokens: layer {wanted} gives a map, no tokens")
    layer: Any = names[0] if len(names) == 1 else names
    return {"layer": layer, "tokens": layout} if kinds == {"tokens"} else {"layer": layer}


def _default(network: Network, sample: Tensor) -> Any:
    task = TASKS[network.task]
    classes = network.outputs if task.skips_map_of_outputs else 0
    if task.layers is None:
        return default_layer(network.module, sample, classes, network.notes)
    found = task.layers(network.module, sample)
    if found:
        return found[0] if len(found) == 1 else found
    return default_layer(network.module, sample, classes)


def _default_with_places(network: Network, sample: Tensor) -> Dict[str, Any]:
    """The last map, or what comes behind it and holds the places of the picture in another way."""
    said = list(network.notes)
    last: Any = None
    try:
        last = _default(network, sample)
        found = place_layer(network, sample, last) if isinstance(last, str) else None
    except NetworkError:
        found = place_layer(network, sample, None)
        if found is None:
            raise
    if found is None:
        return {"layer": last}
    network.notes[:] = said  # that tokens follow is known now
    return found


def _kind(name: str, shapes: Dict[str, Tuple[int, ...]], layout: Optional[Dict[str, Any]]) -> str:
    """Whether the layer gives a "map" or "tokens"; an error if it gives neither."""
    if name not in shapes:
        near = difflib.get_close_matches(name, shapes, 3)
        known = ", ".join(near or list(shapes)[-3:])
        raise NetworkError(USAGE, f"--layer '{name}': no such layer; near names: {known}")
    shape = shapes[name]
    if layout and _holds_tokens(shape, layout):
        return "tokens"
    if len(shape) == 4 and shape[2] * shape[3] > 1:
        return "map"
    hint = "; --tokens DROP,H,W says how its tokens lie" if len(shape) == 3 else ""
    raise NetworkError(
        USAGE, f"--layer '{name}': gives {'x'.join(map(str, shape))}, no map of places{hint}"
    )


def _holds_tokens(shape: Tuple[int, ...], layout: Dict[str, Any]) -> bool:
    """1xTOKENSxC, or 1xHxWxC as Swin's blocks have it."""
    height, width = layout["grid"]
    if len(shape) == 4:
        return layout["drop"] == 0 and shape[1:3] == (height, width)
    return len(shape) == 3 and shape[1] == layout["drop"] + height * width


def _token_layer(module: Any, shapes: Dict[str, Tuple[int, ...]]) -> Optional[Dict[str, Any]]:
    """The first norm of the last block of a vision transformer, as pytorch-grad-cam advises."""
    candidates: List[Dict[str, Any]] = []
    if hasattr(module, "class_token") and hasattr(module, "encoder"):  # torchvision's
        side = module.image_size // module.patch_size
        name = f"encoder.layers.encoder_layer_{len(module.encoder.layers) - 1}.ln_1"
        candidates.append({"layer": name, "tokens": {"drop": 1, "grid": [side, side]}})
    grid = getattr(getattr(module, "patch_embed", None), "grid_size", None)
    if grid and hasattr(module, "num_prefix_tokens") and hasattr(module, "blocks"):  # timm's
        name = f"blocks.{len(module.blocks) - 1}.norm1"
        for drop in (module.num_prefix_tokens, 0):  # CaiT's come in behind the blocks
            candidates.append({"layer": name, "tokens": {"drop": drop, "grid": list(grid)}})
    for candidate in candidates:
        if _holds_tokens(shapes.get(candidate["layer"], ()), candidate["tokens"]):
            return candidate
    return None
