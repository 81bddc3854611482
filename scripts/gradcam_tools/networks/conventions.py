"""What is assumed of a network's input where the user does not say it."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List

from gradcam_tools.networks.wanted import WantedInput, option

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]


@dataclasses.dataclass(frozen=True)
class Conventions:
    """The input that networks of one origin usually take; `whose` names the origin for messages."""

    whose: str
    values: Dict[str, Any]

    def complete(self, wanted: WantedInput) -> Dict[str, Any]:
        """All values of the input: those given, and those assumed for the rest."""
        values = {**self.values, **wanted.given()}
        if self.whose == IMAGENET.whose:
            unit = values["scale"] / 255.0  # mean and std are those of pixels divided by the scale
            for key in ("mean", "std"):
                if getattr(wanted, key) is None:
                    values[key] = [value / unit for value in values[key]]
        return values

    def assumed(self, wanted: WantedInput) -> List[str]:
        """The options that the user left out, with the values assumed for them."""
        values, given = self.complete(wanted), wanted.given()
        return [f"{option(key)} {text(values[key])}" for key in self.values if key not in given]


IMAGENET = Conventions(
    "ImageNet's",
    {"input_size": [224, 224], "mean": IMAGENET_MEAN, "std": IMAGENET_STD, "scale": 255.0},
)
_PLAIN = {"input_size": [640, 640], "mean": [0.0] * 3, "std": [1.0] * 3}
_BOXED = {"resize": "letterbox", "pad_value": 114}
YOLO = Conventions(
    "YOLO's", {**_PLAIN, "scale": 255.0, "color": "rgb", **_BOXED, "pad_align": "center"}
)
YOLOX = Conventions(
    "YOLOX's", {**_PLAIN, "scale": 1.0, "color": "bgr", **_BOXED, "pad_align": "top-left"}
)


def text(value: Any) -> str:
    """A value as it is written on the command line."""
    values = value if isinstance(value, list) else [value]
    return ",".join(part if isinstance(part, str) else f"{part:.4g}" for part in values)
