"""The description of a network: what gradcam-live has to know to run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from gradcam_tools.networks import tasks
from gradcam_tools.networks.network import USAGE, Network, NetworkError


def describe(
    network: Network,
    layers: Dict[str, Any],
    labels: Optional[List[str]],
    verified: Any,
) -> Dict[str, Any]:
    """`layers` as choose_layers() gives them, `verified` as it is to stand in the description."""
    description: Dict[str, Any] = {
        "name": network.name,
        **tasks.described(network),
        "input_size": network.input_size,
        **network.framing.described(),
        "color": network.color,
        "scale": network.scale,
        "mean": network.mean,
        "std": network.std,
        **layers,
        "source": network.source,
        "licence": network.licence,
        "verified": verified,
    }
    if labels:
        description["labels"] = labels
    return description


def labels_of(network: Network, path: Optional[Path]) -> Optional[List[str]]:
    """Those of the file `path`, else the network's own if there are as many as outputs."""
    why_none = tasks.TASKS[network.task].why_no_labels
    if path is not None:
        if why_none:
            raise NetworkError(USAGE, f"--labels: {why_none}")
        return _of_two(path) if _two_by_one(network) else read_labels(path, network.outputs)
    own = None if why_none else network.labels
    return own if own and len(own) == network.outputs else None


def _two_by_one(network: Network) -> bool:
    """Whether its only number tells two classes apart."""
    return network.task == "classification" and network.outputs == 1


def _of_two(path: Path) -> List[str]:
    """Of one class against the rest, or of two, the second of which the number speaks for."""
    labels = read_labels(path, None)
    if len(labels) > 2:
        said = f"{len(labels)} labels for one number; allowed: one label, or two"
        raise NetworkError(USAGE, f"--labels '{path}': {said}")
    return labels


def read_labels(path: Path, classes: Optional[int]) -> List[str]:
    """One label per line, or a JSON list, or a JSON object index → label or [id, label]; as many as
    there are classes, where that is known."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix != ".json":
            labels = text.rstrip().splitlines()
        else:
            found = json.loads(text)
            if isinstance(found, dict):
                found = [found[str(index)] for index in range(len(found))]
            labels = [entry if isinstance(entry, str) else entry[-1] for entry in found]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise NetworkError(USAGE, f"--labels '{path}': cannot be read ({error})") from None
    if classes is not None and len(labels) != classes:
        raise NetworkError(USAGE, f"--labels '{path}': {len(labels)} labels for {classes} classes")
    return labels
