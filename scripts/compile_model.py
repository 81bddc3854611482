#!/usr/bin/env python3
"""Quantises a network file: from any that gradcam-live takes to an OpenVINO file in int8, which it
takes, too. Processors with VNNI run that several times faster.

scripts/compile_model.py net.onnx --int8 street.mp4 -o net_int8.xml
scripts/compile_model.py resnet50.pt --int8 street.mp4 photos --int8-check park.mp4 -o r50.xml

How the network is read is known as gradcam-live knows it: by the description in the file or beside
it. The new file carries it. The films and pictures calibrate, so show what will be explained. Every
second one of their frames is held out and explained by gradcam-live in fp32 and in int8: on how
many the classes agree, and how the maps correlate, is printed. Layers that are in the way of that
stay in floats.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import List, Optional

from gradcam_tools.project_python import lacking, use_project_python

if __name__ == "__main__":
    use_project_python("torch", "openvino")

from gradcam_tools.compile import int8_file  # noqa: E402
from gradcam_tools.export.network_options import OneLineParser  # noqa: E402
from gradcam_tools.networks.network import MODEL, OUTPUT, USAGE, NetworkError  # noqa: E402


def parse(arguments: Optional[List[str]] = None) -> int8_file.Wanted:
    parser = OneLineParser(
        prog="compile_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "network", type=Path, metavar="FILE", help="the network, as gradcam-live takes it"
    )
    parser.add_argument(
        "--int8",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILM|FOLDER|PICTURE",
        help="calibrate on these frames of yours",
    )
    parser.add_argument(
        "--int8-check",
        type=Path,
        action="append",
        default=[],
        metavar="FILM|FOLDER",
        help="compare int8 with fp32 on another one, too; may be repeated",
    )
    parser.add_argument(
        "--layer", metavar="L[,L]", help="layer to explain (default: as gradcam-live has it)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE.xml",
        help="replaced if it exists, and FILE.bin",
    )
    options = parser.parse_args(arguments)
    settle(options)
    return int8_file.Wanted(
        options.network, options.int8, options.int8_check, options.layer, options.output
    )


def settle(options: argparse.Namespace) -> None:
    """Refuses what is not there, before minutes of work."""
    if not options.network.exists():
        raise NetworkError(MODEL, f"'{options.network}': no such file")
    named = [("--int8", options.int8), ("--int8-check", options.int8_check)]
    for name, source in [(name, source) for name, sources in named for source in sources]:
        if not source.exists():
            raise NetworkError(USAGE, f"{name} '{source}': no such film, picture or folder")
    output = options.output
    if output.suffix != ".xml":
        raise NetworkError(USAGE, f"--output '{output}': allowed: FILE.xml")
    if output.is_dir() or not output.resolve().parent.is_dir():
        raise NetworkError(OUTPUT, f"--output '{output}': not a file in an existing folder")
    if output.resolve() == options.network.resolve():
        raise NetworkError(USAGE, f"--output '{output}': is read here; name another")


def main(arguments: Optional[List[str]] = None) -> int:
    try:
        wanted = parse(arguments)
        with tempfile.TemporaryDirectory(prefix="compile_model") as folder:
            print(int8_file.make(wanted, Path(folder)))
    except ImportError as error:
        print(f"compile_model: {lacking(error)}", file=sys.stderr)
        return 1
    except NetworkError as error:
        print(f"compile_model: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
