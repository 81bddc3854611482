#!/usr/bin/env python3
"""Exports a classification network to a TorchScript file with its description inside.

scripts/export_model.py efficientnet_lite0 -o efficientnet_lite0.pt
scripts/export_model.py resnet50 --weights resnet50.pth -o resnet50.pt
scripts/export_model.py my_checkpoint.pth --arch mobilenet_v2 --labels names.txt -o mine.pt
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, NoReturn, Optional

from project_python import use_project_python

if __name__ == "__main__":
    use_project_python("torch", "torchvision")

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

import networks  # noqa: E402
from networks import MODEL, OUTPUT, USAGE, Network, NetworkError  # noqa: E402

TOLERANCE = 1e-4  # of the largest output


class OneLineParser(argparse.ArgumentParser):
    """argparse with its errors on one line."""

    def error(self, message: str) -> NoReturn:
        raise NetworkError(USAGE, message)


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Which network, with which weights."""
    parser.add_argument(
        "network",
        metavar="NAME|CHECKPOINT",
        help="efficientnet_lite0, a torchvision classifier, or a state_dict file (with --arch)",
    )
    parser.add_argument("--arch", metavar="NAME", help="network that a CHECKPOINT belongs to")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="state_dict for NAME")
    parser.add_argument(
        "--random-weights", action="store_true", help="seeded random weights, for tests"
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="one per line, or index JSON")


def settle_network(options: argparse.Namespace) -> None:
    """Puts a CHECKPOINT where the weights belong; refuses what does not go together."""
    if options.weights and options.random_weights:
        raise NetworkError(USAGE, "--weights and --random-weights exclude each other")
    looks_like_file = options.network.endswith((".pt", ".pth", ".tar", ".bin"))
    if looks_like_file or Path(options.network).is_file():
        if options.weights or options.random_weights:
            raise NetworkError(USAGE, f"'{options.network}' holds the weights: no other ones")
        if not options.arch:
            raise NetworkError(
                USAGE, f"'{options.network}' is a checkpoint: name it by --arch NAME"
            )
        options.weights, options.network = Path(options.network), options.arch
    elif options.arch:
        raise NetworkError(USAGE, "--arch goes with a CHECKPOINT, not with a network's name")


def parse(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="export_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_network_options(parser)
    parser.add_argument("--script", action="store_true", help="torch.jit.script, not trace")
    parser.add_argument("--layer", metavar="L[,L]", help="layer to explain (default: last stage)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.pt", help="replaced if it exists"
    )
    options = parser.parse_args(arguments)
    settle_network(options)
    if options.output.is_dir() or not options.output.resolve().parent.is_dir():
        raise NetworkError(OUTPUT, f"--output '{options.output}': not a file in an existing folder")
    return options


def read_labels(path: Path, classes: int) -> List[str]:
    """One label per line, or a JSON list, or a JSON object index → label or [id, label]."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            labels = text.splitlines()
        else:
            found = json.loads(text)
            if isinstance(found, dict):
                found = [found[str(index)] for index in range(len(found))]
            labels = [entry if isinstance(entry, str) else entry[-1] for entry in found]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise NetworkError(USAGE, f"--labels '{path}': cannot be read ({error})") from None
    if len(labels) != classes:
        raise NetworkError(USAGE, f"--labels '{path}': {len(labels)} labels for {classes} classes")
    return labels


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without two warnings of every export: torch.jit announces its end (LibTorch still loads what
    it writes), and the tracer warns of values taken from shapes (the description fixes the shape,
    and `verify` compares the values)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.\w+` is deprecated")
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        yield


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
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:160]
        raise NetworkError(
            USAGE if script else MODEL, f"{network.name} cannot be {how}: {reason}"
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
    for pixels in (noise, networks.pattern(height, width)):
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


def choose_layers(network: Network, sample: Tensor, wanted: Optional[str]) -> Dict[str, Any]:
    """The description's `layer` (and `tokens` where the layer gives tokens, not a map)."""
    module: Any = network.module
    if wanted is None:
        if hasattr(module, "class_token"):  # torchvision's VisionTransformer
            side = module.image_size // module.patch_size
            last = len(module.encoder.layers) - 1
            return {
                "layer": f"encoder.layers.encoder_layer_{last}.ln_1",
                "tokens": {"drop": 1, "grid": [side, side]},
            }
        return {"layer": networks.default_layer(module, sample)}
    shapes = networks.layer_shapes(module, sample)
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in shapes:
            near = networks.difflib.get_close_matches(name, shapes, 3)
            known = ", ".join(near or list(shapes)[-3:])
            raise NetworkError(USAGE, f"--layer '{name}': no such layer; near names: {known}")
        if len(shapes[name]) != 4 or shapes[name][2] * shapes[name][3] == 1:
            shape = "x".join(map(str, shapes[name]))
            raise NetworkError(USAGE, f"--layer '{name}': gives {shape}, no map of places")
    return {"layer": names[0] if len(names) == 1 else names}


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
    network = networks.build(options.network, options.weights, options.random_weights)
    sample = network.normalise(networks.pattern(*network.input_size))
    layers = choose_layers(network, sample, options.layer)
    with torch.no_grad():
        classes = network.module(sample).shape[-1]
    labels = read_labels(options.labels, classes) if options.labels else network.labels
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
