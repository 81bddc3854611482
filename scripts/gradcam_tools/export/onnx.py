"""A network as an ONNX file with its description inside."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Callable, Dict

import torch
from torch import Tensor

from gradcam_tools.export.torchscript import replaced, without_fast_path
from gradcam_tools.networks.network import MODEL, Network, NetworkError, first_line, noise, pattern
from gradcam_tools.networks.outputs import tensors
from gradcam_tools.quiet import silence

OPERATOR_SET = 17  # the first with LayerNormalization; read by OpenVINO, onnxruntime and onnx2torch
TOLERANCE = 1e-3  # of the largest output: another library computes in another order
SUFFIX = ".onnx"


def export(network: Network, sample: Tensor) -> bytes:
    """By the exporter of TorchScript, whose nodes have the names of the network's layers; where that
    one fails, by the newer one, which notes the layers beside."""
    why = ""
    for newer in (False, True):
        buffer = io.BytesIO()
        settings: Dict[str, Any] = (
            {"dynamo": True, "external_data": False}
            if newer
            else {"dynamo": False, "opset_version": OPERATOR_SET}
        )
        try:
            with silence(), without_fast_path():
                torch.onnx.export(network.module, (sample,), buffer, **settings)
            return buffer.getvalue()
        except Exception as error:  # torch.onnx's errors have no common class
            why = why or first_line(error)
    raise NetworkError(MODEL, f"{network.name} cannot be written as ONNX: {why}")


def verify(network: Network, file: bytes) -> Dict[str, Any]:
    """The description's `verified`: how far OpenVINO's scores are from the eager network's at most.
    Raises where that is too far."""
    import openvino

    from gradcam_tools.openvino_model import Compiled

    try:
        model = openvino.Core().read_model(file)
        compiled = Compiled(model, "f32")
    except RuntimeError as error:  # OpenVINO's own errors are such
        raise NetworkError(MODEL, f"{network.name}: OpenVINO: {first_line(error)}") from None
    size, difference = network.input_size, 0.0
    for pixels in (noise(*size), pattern(*size)):
        sample = network.normalise(pixels)
        with torch.no_grad():
            expected = tensors(network.module(sample.clone()))
        for ours, theirs in zip(compiled(sample), expected):
            largest, worst = theirs.abs().max().item(), _distance(network, ours, theirs)
            if not worst <= TOLERANCE * largest:
                raise NetworkError(
                    MODEL,
                    f"{network.name}: the ONNX file under OpenVINO differs from eager by "
                    f"{worst:.3g} (outputs up to {largest:.3g}, allowed {TOLERANCE:g} of that)",
                )
            difference = max(difference, worst)
    return {"max_abs_difference": difference, "torch": torch.__version__}


def _distance(network: Network, ours: Tensor, theirs: Tensor) -> float:
    """The largest difference. A DETR puts its boxes in the order of scores, of which rounding makes
    equal ones change places: then each column counts in its own order."""
    worst = (ours - theirs).abs().max().item()
    if network.task == "detection" and network.output.get("format") in ("detr", "end-to-end"):
        sorted_ = (ours.sort(1).values - theirs.sort(1).values).abs().max().item()
        worst = min(worst, sorted_)
    return worst


def write(
    file: bytes,
    description: Dict[str, Any],
    path: Path,
    check: Callable[[Path], None] = lambda file: None,
) -> None:
    """As torchscript.write(). The description lies in the file's metadata."""
    import onnx

    model = onnx.load_from_string(file)
    onnx.helper.set_model_props(model, {"gradcam.json": json.dumps(description)})
    with replaced(path) as beside:
        beside.write_bytes(model.SerializeToString())
        check(beside)
