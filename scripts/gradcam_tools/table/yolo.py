"""Networks of ultralytics, from the YAML files of the package, with random weights and its own
exporters. It is licensed under the AGPL-3.0: it is imported only where the user has installed it, or
allowed the table's script to install it into an environment of its own."""

from __future__ import annotations

import copy
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Tuple

import torch
from torch import Tensor, nn

from gradcam_tools.networks.build import calibrate_batch_norm
from gradcam_tools.networks.network import USAGE, Framing, Network, NetworkError
from gradcam_tools.networks.outputs import give, tensors
from gradcam_tools.table.pictures import picture
from gradcam_tools.table.rows import Row
from gradcam_tools.table.waking import spread_scores

FORMATS = {"pt": "torchscript", "onnx": "onnx", "xml": "openvino"}
CLASSES = 80  # of COCO, in each of the YAML files
CHOSEN = 6  # columns where the network chooses the boxes: box, score, class


def build(row: Row) -> Tuple[Network, Callable[[str, Path], None]]:
    """The network as its exports compute it, and what writes a form to a file."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    try:
        import ultralytics
    except ImportError:
        said = "needs the package ultralytics (AGPL-3.0): --ultralytics lets this install it"
        raise NetworkError(USAGE, f"{row.name}: {said}") from None
    torch.manual_seed(0)
    assert row.input_size is not None
    size = list(row.input_size)
    family = ultralytics.RTDETR if row.name.startswith("rtdetr") else ultralytics.YOLO
    detector: Any = family(f"{row.name}.yaml")
    module = detector.model.float().eval().requires_grad_(False)
    classes = row.name.endswith("-cls")
    network = Network(
        name=row.name,
        module=module,
        input_size=size,
        scale=255.0,
        mean=[0.0] * 3,
        std=[1.0] * 3,
        labels=None,
        source=f"ultralytics {row.name}",
        licence="AGPL-3.0",
        framing=Framing(resize="letterbox"),
        task="classification" if classes else "detection",
    )
    calibrate_batch_norm(network)
    if not classes:
        _spread(module, network.normalise(picture(*size)))
    network.module = _as_exported(module)
    if not classes:
        with torch.no_grad():
            boxes = tensors(network.module(network.normalise(picture(*size))))[0]
        chosen = boxes.shape[-1] == CHOSEN
        network.output = {"format": "end-to-end" if chosen else "yolov8", "classes": CLASSES}
        if chosen and row.name.startswith("rtdetr"):
            network.output["boxes"] = "centre"

    def write(form: str, path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            before = os.getcwd()
            os.chdir(folder)
            try:
                detector.model.pt_path = detector.ckpt_path = str(Path(folder) / "net.pt")
                plain = {"simplify": False} if form == "onnx" else {}  # else it wants a package
                made = Path(detector.export(format=FORMATS[form], imgsz=size[0], **plain))
                _take(made, path)
            finally:
                os.chdir(before)

    return network, write


def _spread(module: nn.Module, sample: Tensor) -> None:
    """Untrained, every class has a share of about 1e-5 everywhere, or of 1."""
    head: Any = list(module.children())[-1][-1]
    spread_scores(
        module,
        sample,
        [
            layer
            for name, layer in head.named_modules()
            if isinstance(layer, (nn.Conv2d, nn.Linear))
            and layer.bias is not None
            and re.match(r"(one2one_)?cv3|.*score", name)
            and layer.weight.shape[0] == head.nc
        ],
    )


def _as_exported(module: nn.Module) -> nn.Module:
    """What ultralytics' exporter does to a network before it is traced."""
    same: Any = copy.deepcopy(module).fuse(verbose=False)
    for part in same.modules():
        if hasattr(part, "export"):
            part.export, part.format, part.dynamic = True, "torchscript", False
    give(same, lambda value: value if isinstance(value, Tensor) else tuple(value))
    return same


def _take(made: Path, path: Path) -> None:
    """The exported file, or of a folder (OpenVINO) all files, under the name of `path`."""
    if made.is_file():
        shutil.move(made, path)
        return
    for file in made.iterdir():
        if file.suffix in (".xml", ".bin"):
            shutil.move(file, path.with_suffix(file.suffix))
        elif file.name == "metadata.yaml":
            shutil.move(file, path.parent / file.name)
