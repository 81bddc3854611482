"""A network file as OpenVINO reads it, and what is written in it and beside it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import yaml
from torch import Tensor

from gradcam_tools.compile import torchscript_file
from gradcam_tools.export.description import read_labels
from gradcam_tools.networks.network import MODEL, Framing, NetworkError, first_line, normalised

OPENVINO = (".onnx", ".xml", ".tflite", ".pb", ".pdmodel")  # reads these; others are TorchScript
KEY = "gradcam.json"  # of the description in a file
FRAMEWORK = "framework"  # where OpenVINO keeps an ONNX file's metadata


@dataclasses.dataclass
class Pictures:
    """What a network takes, by the program's word: x = (pixel / scale - mean) / std of pictures of
    `size` [H, W]."""

    size: List[int]
    framing: Framing
    color: str
    scale: float
    mean: List[float]
    std: List[float]

    @classmethod
    def of(cls, told: Dict[str, Any]) -> "Pictures":
        told = dict(told)
        pixels = {key: told.pop(key) for key in ("color", "scale", "mean", "std")}
        return cls(size=told.pop("input_size"), framing=Framing(**told), **pixels)

    @property
    def channels(self) -> int:
        return 1 if self.color == "gray" else 3

    def sample(self, pixels: Tensor, model: Any) -> np.ndarray:
        """From u8 RGB HxWx3 to the input of the openvino.Model."""
        x = normalised(pixels, self.scale, self.mean, self.std, self.color)
        port = model.input()
        channels = port.partial_shape[1]
        if channels.is_dynamic or channels.get_length() not in (1, 3):
            x = x.permute(0, 2, 3, 1).contiguous()
        values, element = x.numpy(), port.element_type.to_dtype()
        return (values.round() if np.issubdtype(element, np.integer) else values).astype(element)


def read(path: Path, pictures: Pictures, layer: Optional[str]) -> Any:
    """An openvino.Model, which carries what the file and others beside it say of it. `layer`: in
    place of that of the description."""
    if path.is_dir() or path.suffix.lower() in OPENVINO:
        model = _read(path)
        description = _written(model, FRAMEWORK, KEY) or _written(model, KEY)
        _carry_metadata(model, _text(path.with_name("metadata.yaml")))
    else:
        model = torchscript_file.convert(path, pictures.channels, pictures.size)
        inside = torchscript_file.extra_files(path)
        description = inside.get(KEY, "")
        _carry_metadata(model, inside.get("config.txt", ""))
    description = _text(path.with_suffix(".json")) or description
    if not description:
        return model
    complete = _complete(json.loads(description), path.parent)
    if layer is not None:
        complete["layer"] = layer.split(",")
    text = json.dumps(complete)
    model.set_rt_info(text, KEY)
    if _written(model, FRAMEWORK, KEY):  # where the program looks first
        model.set_rt_info(text, [FRAMEWORK, KEY])
    return model


def _read(path: Path) -> Any:
    import openvino

    try:
        return openvino.Core().read_model(path)
    except RuntimeError as error:  # OpenVINO's own errors are such
        raise NetworkError(MODEL, f"'{path}': OpenVINO cannot: {first_line(error)}") from None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _written(model: Any, *keys: str) -> str:
    return str(model.get_rt_info(list(keys)).value) if model.has_rt_info(list(keys)) else ""


def _carry_metadata(model: Any, text: str) -> None:
    """What Ultralytics notes, as JSON or YAML, to where OpenVINO keeps it of an ONNX file."""
    found = yaml.safe_load(text)
    for key, value in (found if isinstance(found, dict) else {}).items():
        model.set_rt_info(str(value), [FRAMEWORK, str(key)])


def _complete(description: Dict[str, Any], folder: Path) -> Dict[str, Any]:
    """Without names of other files, which will not lie beside the new one."""
    if "labels_file" in description:
        description["labels"] = read_labels(folder / description.pop("labels_file"), None)
    output = description.get("output") or {}
    if isinstance(output.get("anchors"), str):
        output["anchors"] = json.loads(_text(folder / output["anchors"]))
    return description
