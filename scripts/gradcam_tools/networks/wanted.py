"""What the user says of a network's input and output; None: not said."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional

PIXELS = ("input_size", "mean", "std", "scale", "color")  # the other keys are a Framing's


@dataclasses.dataclass
class WantedInput:
    """What is left out follows the conventions (conventions.py)."""

    input_size: Optional[List[int]] = None
    mean: Optional[List[float]] = None
    std: Optional[List[float]] = None
    scale: Optional[float] = None
    color: Optional[str] = None
    resize: Optional[str] = None
    antialias: Optional[bool] = None
    pad_value: Optional[int] = None
    pad_align: Optional[str] = None
    crop: Optional[List[float]] = None

    def given(self) -> Dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}

    def pixels(self) -> Dict[str, Any]:
        """What is given and depends on how the weights were trained."""
        return {key: value for key, value in self.given().items() if key in PIXELS}

    def framing(self) -> Dict[str, Any]:
        """What is given and goes with any weights."""
        return {key: value for key, value in self.given().items() if key not in PIXELS}


@dataclasses.dataclass
class WantedTask:
    """What is left out is the network's own, or is found out by running it (tasks.py)."""

    task: Optional[str] = None
    format: Optional[str] = None
    decoded: Optional[bool] = None
    activation: Optional[str] = None
    background: Optional[int] = None
    threshold: Optional[float] = None
    select: Optional[str] = None


def option(key: str) -> str:
    """The option of the command line that a key belongs to."""
    return "--" + key.replace("_", "-")
