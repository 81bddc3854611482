#!/usr/bin/env python3
"""Compiles a classification network to a bundle: a folder that gradcam-live takes as --model and
explains faster than the TorchScript file, by OpenVINO in front of the target layer.

scripts/compile_model.py efficientnet_lite0 -o efficientnet_lite0.bundle
scripts/compile_model.py resnet50 --weights resnet50.pth --layer layer4.2.conv3 -o resnet50.bundle
scripts/compile_model.py timm/resnet18 --int8 street.mp4 --int8-check park.mp4 -o resnet18.bundle
scripts/compile_model.py net.onnx --mean 0,0,0 --std 1,1,1 -o net.bundle
scripts/compile_model.py my_networks.py:small --input-size 96,96 -o small.bundle

The folder holds features.xml and features.bin (up to the layer, OpenVINO), head.pt (behind it,
TorchScript), model.pt (the whole network, for other layers) and model.json (the description, with
stamps). --int8 adds features_int8.xml and features_int8.bin: about half the time of bf16, for other
classes on some frames and slightly other maps; how many and how much is told and kept in the stamp.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import shutil
import sys
import zlib
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from project_python import lacking, use_project_python

if __name__ == "__main__":
    use_project_python("torch", "torchvision", "openvino")

import cut_network  # noqa: E402
import export_model  # noqa: E402
import network_options  # noqa: E402
import openvino_forms  # noqa: E402
import precise_layers  # noqa: E402
import quantize  # noqa: E402
import torch  # noqa: E402
from layers import choose_layers  # noqa: E402
from network import MODEL, OUTPUT, USAGE, Network, NetworkError, first_line, pattern  # noqa: E402
from quiet import quiet  # noqa: E402
from torch import Tensor  # noqa: E402

FORMAT = 3  # of the bundle; read by stages/explain/bundle.cpp
TOLERANCE = 1e-3  # of the largest value, IR against eager
FILES = ("features.xml", "features.bin", "head.pt", "model.pt")


def parse(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    parser = network_options.OneLineParser(
        prog="compile_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    network_options.add_network_options(parser)
    parser.add_argument("--layer", metavar="L", help="layer to explain (default: last stage)")
    network_options.add_tokens_option(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="a bundle that is there is replaced, the whole folder",
    )
    quantize.add_options(parser)
    options = parser.parse_args(arguments)
    network_options.settle_network(options)
    quantize.settle(options)
    output = options.output
    if not output.resolve().parent.is_dir():
        raise NetworkError(OUTPUT, f"--output '{output}': its folder does not exist")
    if output.exists() and not is_bundle(output):
        raise NetworkError(OUTPUT, f"--output '{output}': exists and is no bundle")
    return options


def is_bundle(folder: Path) -> bool:
    """Also a damaged one, which the program says to make again."""
    if all((folder / name).exists() for name in ("features.xml", "head.pt")):
        return True
    try:
        description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(description, dict) and "stamp" in description


def to_openvino(parts: cut_network.CutNetwork, sample: Tensor, folder: Path) -> None:
    import openvino

    try:
        with quiet():
            exported = torch.export.export(parts.features, (sample,), strict=False)
            model = openvino.convert_model(exported, verbose=False)
    except Exception as error:  # torch.export and OpenVINO have no common class
        raise NetworkError(MODEL, f"OpenVINO cannot take it: {first_line(error)}") from None
    model.reshape(list(sample.shape))
    if parts.gives_output:
        model.outputs[-1].get_tensor().set_names({openvino_forms.OUTPUT})
    xml = folder / "features.xml"
    openvino.save_model(model, xml, compress_to_fp16=False)
    precise_layers.keep_first_depthwise(model, xml)


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
    features = openvino_forms.Compiled(folder / "features.xml", "f32")
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
    # The gradient jumps where an activation behind the cut sits on a kink: told, not judged.
    if max(worst["output"], worst["activation"]) > TOLERANCE:
        figures = ", ".join(f"{name} {value:.2g}" for name, value in worst.items())
        raise NetworkError(MODEL, f"{network.name}: the bundle differs from eager by {figures}")
    return worst


def stamp(folder: Path) -> Dict[str, Any]:
    import openvino

    files = {}
    for name in (name for name in FILES + quantize.FILES if (folder / name).exists()):
        content = (folder / name).read_bytes()
        files[name] = {"bytes": len(content), "crc32": zlib.crc32(content)}
    return {
        "bundle": FORMAT,
        "torch": torch.__version__.split("+")[0],
        "openvino": openvino.__version__.split("-")[0],
        "files": files,
    }


def save(module: Any, path: Path) -> None:
    buffer = io.BytesIO()
    with quiet():
        torch.jit.save(module, buffer)
    path.write_bytes(buffer.getbuffer())


def compile_bundle(options: argparse.Namespace, folder: Path) -> str:
    network = network_options.build_network(options)
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
    save(export_model.export(network, sample, script=False), folder / "model.pt")
    worst = verify(network, layer, head, folder)
    verified = {"relative_difference": worst, "torch": torch.__version__}
    labels = export_model.labels_of(network, options.labels)
    description = export_model.describe(network, layers, labels, verified)
    figures = ", ".join(f"{name} {value:.2g}" for name, value in worst.items())
    told = [
        f"{options.output}: {network.name} ({network.source}), layer {layer}, "
        f"{network.outputs} classes; largest relative differences from eager: {figures}"
    ]
    int8 = {}
    if options.int8:
        int8["int8"], lines = quantize.add_int8(options, network, head, folder)
        told += lines
    description["stamp"] = {**stamp(folder), "layer": layer, **int8}
    (folder / "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    network_options.tell_notes(network)
    return "\n".join(told)


def run(options: argparse.Namespace) -> str:
    """Makes the folder beside its place and renames it, so that nobody reads half a bundle."""
    output = options.output
    beside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        beside.mkdir()
        told = compile_bundle(options, beside)
        if output.exists():
            shutil.rmtree(output)
        beside.rename(output)
        return told
    except OSError as error:
        raise NetworkError(OUTPUT, f"--output '{output}': {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def main(arguments: Optional[List[str]] = None) -> int:
    try:
        print(run(parse(arguments)))
    except ImportError as error:
        print(f"compile_model: {lacking(error)}", file=sys.stderr)
        return 1
    except NetworkError as error:
        print(f"compile_model: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
