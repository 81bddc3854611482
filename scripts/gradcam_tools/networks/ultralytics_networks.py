"""Detectors of the ultralytics package, where the user has installed it: it is licensed under the
AGPL-3.0, and no part of this project, nor installed by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradcam_tools.networks.network import MODEL, USAGE, Framing, Network, NetworkError, first_line
from gradcam_tools.networks.outputs import give_one

PREFIX = "ultralytics/"


def is_ultralytics(name: str) -> bool:
    return name.startswith(PREFIX)


def build(name: str) -> Network:
    """ultralytics/FILE.pt. The file is a pickled module: reading it runs the code in it."""
    try:
        import ultralytics
    except ImportError:
        raise NetworkError(
            USAGE,
            f"{name}: needs the package ultralytics (AGPL-3.0), which is not installed; install it "
            "yourself, or take an ONNX file of the network with --format yolov8",
        ) from None
    path = Path(name[len(PREFIX) :])
    if not path.is_file():
        raise NetworkError(MODEL, f"'{path}': no such file")
    try:
        detector: Any = ultralytics.YOLO(str(path))
        task, module = detector.task, detector.model.float().eval()
    except Exception as error:  # whatever the package raises on a foreign file
        raise NetworkError(MODEL, f"'{path}': ultralytics: {first_line(error)}") from None
    if task != "detect":
        raise NetworkError(USAGE, f"'{path}': is for the task {task}; allowed: detect")
    give_one(module, path.name, "0")  # boxes; behind them come the maps that training needs
    return Network(
        name=path.stem,
        module=module,
        input_size=[640, 640],
        scale=255.0,
        mean=[0.0] * 3,
        std=[1.0] * 3,
        labels=list(detector.names.values()),
        source=f"ultralytics {path.name}",
        licence="AGPL-3.0 unless its owner says otherwise",
        framing=Framing(resize="letterbox"),
        task="detection",
        output={"format": "yolov8"},
        notes=[f"{path}: was unpickled, which runs code in it: take none from strangers"],
    )
