"""A classification network as a bundle: a folder of OpenVINO's features and LibTorch's head."""

from __future__ import annotations

import argparse
import io
import json
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence

import torch
from torch import Tensor

from gradcam_tools import openvino_model
from gradcam_tools.compile import cut_network, fp32_layers, quantize
from gradcam_tools.compile.bundle_stamp import stamp
from gradcam_tools.export import network_options, torchscript
from gradcam_tools.export.description import describe, labels_of
from gradcam_tools.networks.layers import choose_layers
from gradcam_tools.networks.network import MODEL, USAGE, Network, NetworkError, first_line, pattern
from gradcam_tools.quiet import quiet

TOLERANCE = 1e-3  # of the largest value, OpenVINO's form against eager
FILES = ("features.xml", "features.bin", "head.pt", "model.pt")


def is_bundle(folder: Path) -> bool:
    """Whether the folder is a bundle. A damaged one counts: the program says to make it again."""
    if all((folder / name).exists() for name in ("features.xml", "head.pt")):
        return True
    try:
        description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(description, dict) and "stamp" in description


def to_openvino(parts: cut_network.CutNetwork, sample: Tensor, folder: Path) -> None:
    """Writes the features as features.xml and features.bin."""
    import openvino

    try:
        with quiet():
            exported = torch.export.export(parts.features, (sample,), strict=False)
            model = openvino.convert_model(exported, verbose=False)
    except Exception as error:  # torch.export and OpenVINO have no common class
        raise NetworkError(MODEL, f"OpenVINO cannot take it: {first_line(error)}") from None
    model.reshape(list(sample.shape))
    if parts.gives_output:
        model.outputs[-1].get_tensor().set_names({openvino_model.OUTPUT})
    xml = folder / "features.xml"
    openvino.save_model(model, xml, compress_to_fp16=False)
    fp32_layers.keep_first_depthwise(model, xml)


def relative(found: Tensor, expected: Tensor) -> float:
    return (found - expected).abs().max().item() / max(expected.abs().max().item(), 1e-12)


def hooked(network: Network, sample: Tensor, layer: str) -> List[Tensor]:
    """Output, activation and the gradient of the best class, by a hook of the eager network."""
    kept: List[Tensor] = []

    def keep(_module: Any, _inputs: Any, value: Tensor) -> Tensor:
        kept.append(value.detach().clone().requires_grad_())
        return kept[-1].clone()  # an in-place operation behind the layer writes there

    handle = dict(network.module.named_modules())[layer].register_forward_hook(keep)
    output = network.module(sample)
    handle.remove()
    (gradient,) = torch.autograd.grad(output[0].max(), kept[-1])
    return [output.detach(), kept[-1].detach(), gradient]


def verify(network: Network, layer: str, head: Any, folder: Path) -> Dict[str, float]:
    """Largest differences of the bundle from the eager network, relative to the largest value."""
    worst = {"output": 0.0, "activation": 0.0, "gradient": 0.0}
    generator = torch.Generator().manual_seed(1)
    height, width = network.input_size
    noise = torch.rand(height, width, 3, generator=generator) * 255
    features = openvino_model.Compiled(folder / "features.xml", "f32")
    for pixels in (noise, pattern(height, width)):
        sample = network.normalise(pixels)
        output, activation, gradient = hooked(network, sample, layer)
        values, whole = features.run(sample)
        values[0].requires_grad_()
        found = head(*values)
        (slope,) = torch.autograd.grad(found[0, output[0].argmax()], values[0])
        pairs = [
            ("output", found.detach(), output),
            ("activation", values[0].detach(), activation),
            ("gradient", slope, gradient),
        ]
        if whole is not None:
            pairs.append(("output", whole, output))
        for name, ours, theirs in pairs:
            difference = relative(ours, theirs)
            if math.isnan(difference):
                raise NetworkError(MODEL, f"{network.name}: the bundle's {name} is not finite")
            worst[name] = max(worst[name], difference)
    # The gradient is only reported: it jumps where an activation behind the cut sits on a kink.
    if max(worst["output"], worst["activation"]) > TOLERANCE:
        figures = ", ".join(f"{name} {value:.2g}" for name, value in worst.items())
        raise NetworkError(MODEL, f"{network.name}: the bundle differs from eager by {figures}")
    return worst


def save(module: Any, path: Path) -> None:
    buffer = io.BytesIO()
    with quiet():
        torch.jit.save(module, buffer)
    path.write_bytes(buffer.getbuffer())


def compile_bundle(options: argparse.Namespace, folder: Path) -> str:
    """Writes the bundle's files into `folder`; returns what to tell the user."""
    network = network_options.network_of(options)
    if network.task != "classification":
        raise NetworkError(
            USAGE, f"{network.name}: is for {network.task}; a bundle holds a classifier"
        )
    sample = network.normalise(pattern(*network.input_size))
    layers = choose_layers(network, sample, options.layer, options.tokens)
    layer = layers["layer"]
    if not isinstance(layer, str):
        raise NetworkError(USAGE, "--layer: a bundle has one layer")
    parts = cut_network.cut(network.module, sample, layer)
    with torch.no_grad():
        values: Sequence[Tensor] = parts.features(sample)
        values = values[:-1] if parts.gives_output else values
    if options.int8 and "tokens" in layers:
        raise NetworkError(USAGE, f"--int8: layer {layer} gives tokens; allowed: a layer of maps")
    with quiet(), torch.enable_grad():
        head = torch.jit.trace(parts.head, tuple(values), check_trace=False)
    to_openvino(parts, sample, folder)
    save(head, folder / "head.pt")
    save(torchscript.export(network, sample, script=False), folder / "model.pt")
    worst = verify(network, layer, head, folder)
    verified = {"relative_difference": worst, "torch": torch.__version__}
    labels = labels_of(network, options.labels)
    description = describe(network, layers, labels, verified)
    figures = ", ".join(f"{name} {value:.2g}" for name, value in worst.items())
    told = [
        f"{options.output}: {network.name} ({network.source}), layer {layer}, "
        f"{network.outputs} classes; largest relative differences from eager: {figures}"
    ]
    int8 = {}
    if options.int8:
        int8["int8"], lines = quantize.add_int8(options, network, head, folder)
        told += lines
    description["stamp"] = {**stamp(folder, FILES + quantize.FILES), "layer": layer, **int8}
    (folder / "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    network_options.tell_notes(network)
    return "\n".join(told)
