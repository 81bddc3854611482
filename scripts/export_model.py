#!/usr/bin/env python3
"""Exports a classification network to a TorchScript file with its description inside.

scripts/export_model.py efficientnet_lite0 -o efficientnet_lite0.pt
scripts/export_model.py resnet50 --weights resnet50.pth -o resnet50.pt
scripts/export_model.py timm/resnet18 -o resnet18.pt
scripts/export_model.py my_checkpoint.pth --arch mobilenet_v2 --labels names.txt -o mine.pt
scripts/export_model.py net.onnx --input-size 192,256 --labels names.txt -o mine.pt
scripts/export_model.py my_networks.py:small --mean 0,0,0 --std 1,1,1 -o mine.pt
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

from project_python import use_project_python

if __name__ == "__main__":
    use_project_python("torch", "torchvision")

import network_options  # noqa: E402
import torch  # noqa: E402
from layers import choose_layers  # noqa: E402
from network import MODEL, OUTPUT, USAGE, Network, NetworkError, first_line, pattern  # noqa: E402
from quiet import quiet  # noqa: E402
from torch import Tensor  # noqa: E402

TOLERANCE = 1e-4  # of the largest output


def parse(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    parser = network_options.OneLineParser(
        prog="export_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    network_options.add_network_options(parser)
    parser.add_argument("--script", action="store_true", help="torch.jit.script, not trace")
    parser.add_argument("--layer", metavar="L[,L]", help="layer to explain (default: last stage)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.pt", help="replaced if it exists"
    )
    options = parser.parse_args(arguments)
    network_options.settle_network(options)
    if options.output.is_dir() or not options.output.resolve().parent.is_dir():
        raise NetworkError(OUTPUT, f"--output '{options.output}': not a file in an existing folder")
    return options


def export(network: Network, sample: Tensor, script: bool) -> torch.jit.ScriptModule:
    """Traces (or scripts) the network so that the result can be differentiated."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    # The fused attention that replaces transformer blocks in eval mode has no derivative.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with quiet(), torch.enable_grad():
            if script:
                return torch.jit.script(network.module)
            return torch.jit.trace(network.module, sample, check_trace=False)
    except (RuntimeError, torch.jit.frontend.NotSupportedError, TypeError) as error:
        how = "scripted" if script else "traced"
        raise NetworkError(
            USAGE if script else MODEL, f"{network.name} cannot be {how}: {first_line(error)}"
        ) from None
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def verify(network: Network, exported: torch.jit.ScriptModule, script: bool) -> float:
    """Largest difference between the export and eager outputs; raises when it is too large or when
    the export has no gradient."""
    height, width = network.input_size
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(height, width, 3, generator=generator) * 255
    difference = 0.0
    for pixels in (noise, pattern(height, width)):
        sample = network.normalise(pixels)
        with torch.no_grad():
            expected = network.module(sample)
        output = exported(sample.requires_grad_())
        if not isinstance(output, Tensor):
            raise NetworkError(
                MODEL,
                f"{network.name}: the export gives several values, not one tensor"
                + ("; leave out --script" if script else ""),
            )
        largest = expected.abs().max().item()
        worst = (output.detach() - expected).abs().max().item()
        if not worst <= TOLERANCE * largest:
            raise NetworkError(
                MODEL,
                f"{network.name}: the export differs from eager by {worst:.3g} (outputs up to "
                f"{largest:.3g}, allowed {TOLERANCE:g} of that)",
            )
        try:
            (gradient,) = torch.autograd.grad(output[0].max(), sample)
        except RuntimeError as error:
            raise NetworkError(MODEL, f"{network.name}: no gradient: {error}") from None
        if not gradient.isfinite().all():
            raise NetworkError(MODEL, f"{network.name}: its gradient is not finite")
        difference = max(difference, worst)
    return difference


def describe(
    network: Network, layers: Dict[str, Any], labels: Optional[List[str]], difference: float
) -> Dict[str, Any]:
    description: Dict[str, Any] = {
        "name": network.name,
        "task": "classification",
        "input_size": network.input_size,
        "resize": "stretch",
        "antialias": True,
        "color": "rgb",
        "scale": network.scale,
        "mean": network.mean,
        "std": network.std,
        **layers,
        "source": network.source,
        "licence": network.licence,
        "verified": {"max_abs_difference": difference, "torch": torch.__version__},
    }
    if network.probabilities:
        description["output"] = {"activation": "none"}
    if labels:
        description["labels"] = labels
    return description


def write(exported: torch.jit.ScriptModule, description: Dict[str, Any], path: Path) -> None:
    """Writes beside the file and renames, so that nobody ever reads half a model."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        buffer = io.BytesIO()
        with quiet():
            extra = {"gradcam.json": json.dumps(description, indent=1)}
            torch.jit.save(exported, buffer, _extra_files=extra)
        beside.write_bytes(buffer.getbuffer())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise NetworkError(OUTPUT, f"--output '{path}': {error.strerror}") from None


def run(options: argparse.Namespace) -> str:
    network = network_options.build_network(options)
    sample = network.normalise(pattern(*network.input_size))
    layers = choose_layers(network, sample, options.layer)
    with torch.no_grad():
        classes = network.module(sample).shape[-1]
    labels = network.labels
    if options.labels:
        labels = network_options.read_labels(options.labels, classes)
    exported = export(network, sample, options.script)
    difference = verify(network, exported, options.script)
    write(exported, describe(network, layers, labels, difference), options.output)
    kind = "scripted" if options.script else "traced"
    return (
        f"{options.output}: {network.name} ({network.source}), {kind}, "
        f"{network.input_size[0]}x{network.input_size[1]}, layer {layers['layer']}, "
        f"{classes} classes, {'labels inside' if labels else 'no labels'}, "
        f"max difference from eager {difference:.2g}"
    )


def main(arguments: Optional[List[str]] = None) -> int:
    try:
        print(run(parse(arguments)))
    except NetworkError as error:
        print(f"export_model: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
