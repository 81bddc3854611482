"""What is assumed of a network's input where the user does not say it."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
PIXELS = ("input_size", "mean", "std", "scale", "color")  # the others are a Framing's


@dataclasses.dataclass
class WantedInput:
    """What the user says of the input; what is left out follows the conventions."""

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
        """Of what is given, that which belongs to the weights."""
        return {key: value for key, value in self.given().items() if key in PIXELS}

    def framing(self) -> Dict[str, Any]:
        """Of what is given, that which any network can be given."""
        return {key: value for key, value in self.given().items() if key not in PIXELS}


@dataclasses.dataclass
class Conventions:
    whose: str
    values: Dict[str, Any]

    def complete(self, wanted: WantedInput) -> Dict[str, Any]:
        """Everything known: what is given, before what is assumed."""
        values = {**self.values, **wanted.given()}
        if self.whose == IMAGENET.whose:
            unit = values["scale"] / 255.0  # mean and std are those of pixels divided by the scale
            for key in ("mean", "std"):
                if getattr(wanted, key) is None:
                    values[key] = [value / unit for value in values[key]]
        return values

    def assumed(self, wanted: WantedInput) -> List[str]:
        """The options that were not given, as if they had been."""
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


def conventions_of(task: Optional[str], output_format: Optional[str]) -> Conventions:
    if output_format == "yolox":
        return YOLOX
    return YOLO if task == "detection" or output_format else IMAGENET


def option(key: str) -> str:
    return "--" + key.replace("_", "-")


def text(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ",".join(part if isinstance(part, str) else f"{part:.4g}" for part in values)
