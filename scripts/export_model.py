#!/usr/bin/env python3
"""Exports a network to a TorchScript or ONNX file with its description inside, and holds the file
against the network: its scores, and of TorchScript a Grad-CAM map against hooks. Where the program is
built, it must take the file, too, and tell the same shares.

scripts/export_model.py efficientnet_lite0 -o efficientnet_lite0.pt
scripts/export_model.py resnet50 --weights resnet50.pth -o resnet50.pt
scripts/export_model.py timm/resnet18 -o resnet18.pt
scripts/export_model.py timm/resnet18 -o resnet18.onnx
scripts/export_model.py hf/google/vit-base-patch16-224 -o vit.pt
scripts/export_model.py my_checkpoint.pth --arch mobilenet_v2 --labels names.txt -o mine.pt
scripts/export_model.py net.onnx --input-size 192,256 --labels names.txt -o mine.pt
scripts/export_model.py my_networks.py:small --mean 0,0,0 --std 1,1,1 -o mine.pt
scripts/export_model.py yolox_nano.onnx --format yolox --labels coco.txt -o yolox_nano.pt
scripts/export_model.py pilot.py:make --task regression --crop 0.38,0,0.84,1 -o pilot.pt

docs/models.md has a recipe for each kind of network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Optional

from gradcam_tools.project_python import lacking, use_project_python

if __name__ == "__main__":
    use_project_python("torch", "torchvision")

from gradcam_tools.export import network_options, onnx, torchscript  # noqa: E402
from gradcam_tools.export.description import describe, labels_of  # noqa: E402
from gradcam_tools.export.program import try_program  # noqa: E402
from gradcam_tools.export.verification import verify  # noqa: E402
from gradcam_tools.networks.layers import choose_layers  # noqa: E402
from gradcam_tools.networks.network import OUTPUT, USAGE, NetworkError, pattern  # noqa: E402
from gradcam_tools.networks.tasks import TASKS  # noqa: E402


def parse(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    parser = network_options.OneLineParser(
        prog="export_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    network_options.add_network_options(parser)
    network_options.add_task_options(parser)
    parser.add_argument("--script", action="store_true", help="torch.jit.script, not trace")
    parser.add_argument(
        "--layer",
        metavar="L[,L]",
        help="layer to explain (default: last stage; of a detector, what its heads share)",
    )
    network_options.add_tokens_option(parser)
    parser.add_argument(
        *("-o", "--output"),
        type=Path,
        required=True,
        metavar="FILE.pt|FILE.onnx",
        help="replaced if it exists",
    )
    options = parser.parse_args(arguments)
    network_options.refuse_to_overwrite(options)
    network_options.settle_network(options)
    if options.output.is_dir() or not options.output.resolve().parent.is_dir():
        raise NetworkError(OUTPUT, f"--output '{options.output}': not a file in an existing folder")
    if options.script and options.output.suffix == onnx.SUFFIX:
        raise NetworkError(USAGE, "--script goes with a TorchScript file (-o FILE.pt)")
    return options


def run(options: argparse.Namespace) -> str:
    network = network_options.network_of(options)
    labels = labels_of(network, options.labels)
    sample = network.normalise(pattern(*network.input_size))
    layers = choose_layers(network, sample, options.layer, options.tokens)
    tried: List[str] = []

    def check(file: Path) -> None:
        tried.append(try_program(network, labels, file))

    if options.output.suffix == onnx.SUFFIX:
        kind, file = "ONNX", onnx.export(network, sample)
        verified = onnx.verify(network, file)
        onnx.write(file, describe(network, layers, labels, verified), options.output, check)
    else:
        kind = "scripted" if options.script else "traced"
        exported = torchscript.export(network, sample, options.script)
        verified = verify(network, torchscript.serialised(exported), layers, options.script)
        description = describe(network, layers, labels, verified)
        torchscript.write(exported, description, options.output, check)
    beside = options.output.with_suffix(".json")
    if beside.exists():
        network.notes.append(f"{beside}: lies beside it, and wins over the description inside")
    network_options.tell_notes(network)
    shown = layers["layer"] if isinstance(layers["layer"], str) else ",".join(layers["layer"])
    counted = TASKS[network.task].counted
    return (
        f"{options.output}: {network.name} ({network.source}), {network.task}, {kind}, "
        f"{network.input_size[0]}x{network.input_size[1]}, layer {shown}, "
        f"{'?' if network.outputs is None else network.outputs} {counted}, "
        f"{'labels inside' if labels else 'no labels'}, largest difference from eager "
        f"{verified['max_abs_difference']:.2g}, "
        + (f"of the map {verified['map_difference']:.2g}, " if "map_difference" in verified else "")
        + ", ".join(tried)
    )


def main(arguments: Optional[List[str]] = None) -> int:
    try:
        print(run(parse(arguments)))
    except ImportError as error:
        print(f"export_model: {lacking(error)}", file=sys.stderr)
        return 1
    except NetworkError as error:
        print(f"export_model: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
