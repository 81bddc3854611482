"""What a network gives when it is called, and how one of several values is taken."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence

import torch
from torch import Tensor, nn

from gradcam_tools.networks.network import MODEL, USAGE, Network, NetworkError, first_line

Objective = Callable[[Any], Tensor]  # from an output of the network to the scalar to explain


def answer(network: Network, sample: Tensor) -> Any:
    """What the network gives for a normalised picture, in the grad mode that is set."""
    height, width = network.input_size
    try:
        return network.module(sample)
    except NetworkError:
        raise
    except Exception as error:  # whatever the network's own code raises
        raise NetworkError(
            MODEL,
            f"{network.source}: fails on an input of 1x{network.channels}x{height}x{width} ({first_line(error)}); "
            "--input-size H,W gives another",
        ) from None


def tensors(value: Any) -> List[Tensor]:
    """The tensors of an output: one, or the maps of several heads."""
    return [value] if isinstance(value, Tensor) else list(value)


def told(value: Any) -> str:
    """The shape of a tensor, else what the value is, for messages."""
    if isinstance(value, Tensor):
        return "x".join(map(str, value.shape))
    if isinstance(value, dict):
        return "a dict of " + ", ".join(map(str, value))
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values ({', '.join(told(entry) for entry in value)})"
    return type(value).__name__


def unfit(network: Network, value: Any, allowed: str, said: str) -> NetworkError:
    """The error for an output that is not as `allowed` says; `said`: what the user said of it."""
    several = "" if isinstance(value, Tensor) else "; --select NAME|NUMBER takes one of several"
    return NetworkError(
        MODEL, f"{network.source}: gives {told(value)}; allowed{said}: {allowed}{several}"
    )


def give(module: nn.Module, pick: Callable[[Any], Any]) -> None:
    """Makes the module give pick(its output) from now on. A module around it would do the same, but
    would change the names of the layers."""
    original = module.forward
    setattr(module, "forward", lambda *inputs: pick(original(*inputs)))


def give_one(module: nn.Module, name: str, select: str) -> Dict[str, List[int]]:
    """Makes the module give one of its several values: `select`, a key or a number; or several,
    KEY,KEY, joined at their last dimension. `name` is for errors. What comes back is filled by each
    run with the shapes of the tensors left out."""
    left_out: Dict[str, List[int]] = {}
    keys = select.split(",")

    def pick(value: Any) -> Any:
        entries = _entries(value)
        if not set(keys) <= set(entries):
            known = ", ".join(entries) or "one tensor, nothing to choose from"
            raise NetworkError(USAGE, f"--select {select}: {name} gives {known}")
        for key, entry in entries.items():
            if key not in keys and isinstance(entry, Tensor):
                left_out[key] = list(entry.shape)
        chosen = [entries[key] for key in keys]
        return chosen[0] if len(chosen) == 1 else _joined(select, chosen)

    give(module, pick)
    return left_out


def _joined(select: str, values: List[Any]) -> Tensor:
    try:
        return torch.cat(values, -1)
    except (RuntimeError, TypeError):
        shapes = ", ".join(told(value) for value in values)
        raise NetworkError(
            USAGE, f"--select {select}: {shapes} cannot be joined at their last dimension"
        ) from None


def give_all(module: nn.Module) -> None:
    """Makes the module give a tensor, or a tuple of all its tensors."""
    give(module, lambda value: value if isinstance(value, Tensor) else _all(value))


def _all(value: Any) -> Any:
    return tuple(value.values() if isinstance(value, dict) else value)


def _entries(value: Any) -> Dict[str, Any]:
    if isinstance(value, dict):
        return {str(key): entry for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return {str(index): entry for index, entry in enumerate(value)}
    return {}


def number_of(select: Optional[str], names: Sequence[str]) -> Optional[int]:
    """The place of `select`, a name or a number, among `names`."""
    if select is None:
        return None
    if select in names:
        return list(names).index(select)
    return int(select) if select.isdigit() and int(select) < len(names) else None
