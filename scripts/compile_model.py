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
import os
import shutil
import sys
from pathlib import Path
from typing import List, Optional

from gradcam_tools.project_python import lacking, use_project_python

if __name__ == "__main__":
    use_project_python("torch", "torchvision", "openvino")

from gradcam_tools.compile import quantize  # noqa: E402
from gradcam_tools.compile.bundle import compile_bundle, is_bundle  # noqa: E402
from gradcam_tools.export import network_options  # noqa: E402
from gradcam_tools.networks.network import OUTPUT, NetworkError  # noqa: E402


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
