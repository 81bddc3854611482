"""One figure that the program is held to."""

from __future__ import annotations

import dataclasses
from typing import Optional


@dataclasses.dataclass
class Row:
    what: str
    allowed: float
    found: Optional[float]
    unit: str = "x"
    most: bool = True  # `allowed` is the most, else the least
    detail: str = ""

    @property
    def met(self) -> bool:
        if self.found is None:
            return False
        return self.found <= self.allowed if self.most else self.found >= self.allowed

    def __str__(self) -> str:
        found = "not measured" if self.found is None else f"{self.found:.3g}{self.unit}"
        sign = "≤" if self.most else "≥"
        outcome = "met" if self.met else "**missed**"
        return f"| {self.what} | {sign} {self.allowed:g}{self.unit} | {found} | {outcome} | {self.detail} |"
