"""Int8 features of a bundle: NNCF's post-training quantization on frames of the user's own."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from torch import Tensor

from gradcam_tools.compile import frames
from gradcam_tools.compile.agreement import Agreement, Head, compare
from gradcam_tools.compile.fp32_layers import is_depthwise
from gradcam_tools.networks.network import MODEL, USAGE, Network, NetworkError, first_line
from gradcam_tools.openvino_model import Compiled, fast_precision
from gradcam_tools.processor import has_vnni
from gradcam_tools.quiet import silence

XML = "features_int8.xml"
FILES = (XML, "features_int8.bin")
FRAMES = 100  # to calibrate on, and as many others to compare on
FEWEST = 4  # of a film or folder

# What stays in floats. The recipes are tried in this order until frames of the same film agree. The
# first one is left out without VNNI: OpenVINO's sums of two products then need weights of 7 bits in
# the first layer, which cost ResNet-50's maps of other films up to 0.01 of their correlation.
ALL = "all layers in int8"
RECIPES = (
    (ALL, ()),
    ("first layers in floats", ("first",)),
    ("first layers and additions in floats", ("first", "additions")),
    ("first layers, additions and depthwise in floats", ("first", "additions", "depthwise")),
)


@dataclasses.dataclass
class Int8:
    """A quantized model, and how it agrees with fp32 on held-out frames."""

    recipe: str
    model: Any
    agreement: Agreement

    def agrees(self) -> bool:
        a = self.agreement
        same = a.leading_top1 is None or a.leading_top1 >= 0.95
        return same and a.map_median >= 0.99 and a.map_p5 >= 0.95


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("int8, beside the precise form")
    group.add_argument(
        "--int8", type=Path, metavar="FILM|FOLDER", help="calibrate on frames of yours"
    )
    group.add_argument(
        "--int8-check",
        type=Path,
        action="append",
        default=[],
        metavar="FILM|FOLDER",
        help="compare int8 with fp32 on another one, too; may be repeated",
    )


def settle(options: argparse.Namespace) -> None:
    """Refuses films that are not there, before minutes of work."""
    if options.int8_check and not options.int8:
        raise NetworkError(USAGE, "--int8-check goes with --int8 FILM|FOLDER")
    named = [("--int8", options.int8)] if options.int8 else []
    for name, source in [*named, *(("--int8-check", path) for path in options.int8_check)]:
        if not source.exists():
            raise NetworkError(USAGE, f"{name} '{source}': no such film or folder of pictures")


def add_int8(
    options: argparse.Namespace, network: Network, head: Head, folder: Path
) -> Tuple[Dict[str, Any], List[str]]:
    """Writes FILES beside features.xml; returns the stamp's figures, and lines for the user."""
    own = _inputs(network, options.int8, 2 * FRAMES)
    others = [(path.name, _inputs(network, path, FRAMES)) for path in options.int8_check]
    calibration, held_out = own[0::2], own[1::2]
    reference = Compiled(folder / "features.xml", "f32")

    def agreement_of(int8: Any, inputs: Sequence[Tensor]) -> Agreement:
        form = Compiled(int8, fast_precision())
        return compare(reference, form, head, inputs, network.probabilities)

    tried = _try_recipes(folder / "features.xml", calibration, lambda q: agreement_of(q, held_out))
    best = tried[-1]
    if not best.agrees():
        best = max(tried, key=lambda int8: int8.agreement.map_median)
    _save(best.model, folder / XML)
    checks = [(f"{options.int8.name} (held out)", best.agreement)]
    checks += [(name, agreement_of(folder / XML, inputs)) for name, inputs in others]
    stamp = {
        "recipe": best.recipe,
        "needs_vnni": has_vnni(),
        "agrees": best.agrees(),
        "rest": fast_precision(),
        "calibrated": {"source": options.int8.name, "frames": len(calibration)},
        "agreement": [{"source": name, **vars(found)} for name, found in checks],
    }
    return stamp, _lines(tried, best, checks)


def _lines(tried: List[Int8], best: Int8, checks: List[Tuple[str, Agreement]]) -> List[str]:
    lines = [f"int8, tried {t.recipe}: {checks[0][0]}: {t.agreement}" for t in tried]
    lines += [f"int8: kept {best.recipe}" + ("" if best.agrees() else ": does NOT agree well")]
    if has_vnni():
        lines += ["int8: needs a processor with VNNI, as this one, where it runs"]
    return lines + [f"int8, {name}: {found}" for name, found in checks[1:]]


def _inputs(network: Network, source: Path, count: int) -> List[Tensor]:
    found = frames.read(source, count, network.input_size, network.framing)
    if len(found) < FEWEST:
        allowed = f"allowed: {FEWEST} or more"
        raise NetworkError(USAGE, f"'{source}': has {len(found)} pictures; {allowed}")
    return [network.normalise(frame) for frame in found]


def _try_recipes(
    xml: Path, inputs: Sequence[Tensor], agreement_of: Callable[[Any], Agreement]
) -> List[Int8]:
    """One after another, up to the first that agrees."""
    tried: List[Int8] = []
    before: Optional[Set[str]] = None
    for recipe, kinds in RECIPES:
        if recipe == ALL and not has_vnni():
            continue
        model = _read(xml)
        floats = {name for kind in kinds for name in layers_of(model, kind)}
        floats.update(layers_behind_the_cut(model))
        if floats == before:
            continue  # a network without such layers
        before = floats
        int8 = _quantize(model, inputs, floats)
        tried.append(Int8(recipe, int8, agreement_of(int8)))
        if tried[-1].agrees():
            break
    return tried


def layers_of(model: Any, kind: str) -> List[str]:
    """Names of the first convolution and the first depthwise one, of additions of two branches, or
    of all depthwise convolutions."""
    operations = model.get_ordered_ops()
    convolutions = [op for op in operations if op.get_type_name().endswith("Convolution")]
    depthwise = [op for op in convolutions if is_depthwise(op)]
    additions = [op for op in operations if op.get_type_name() == "Add" and _joins_branches(op)]
    chosen = {
        "first": convolutions[:1] + depthwise[:1],
        "additions": additions,
        "depthwise": depthwise,
    }
    return [op.get_friendly_name() for op in chosen[kind]]


def layers_behind_the_cut(model: Any) -> Set[str]:
    """Names of the layers that follow the activation, the model's first result. There are some in a
    model that also gives the whole network's output."""
    behind = [model.outputs[0].get_node().input_value(0)]
    names: Set[str] = set()
    for value in behind:  # grows
        for port in value.get_target_inputs():
            node = port.get_node()
            if node.get_type_name() != "Result" and node.get_friendly_name() not in names:
                names.add(node.get_friendly_name())
                behind.extend(node.outputs())
    return names


def _joins_branches(addition: Any) -> bool:
    sources = [value.get_node().get_type_name() for value in addition.input_values()]
    return "Constant" not in sources


def _quantize(model: Any, inputs: Sequence[Tensor], floats: Set[str]) -> Any:
    """Ranges are the extremes of all frames, one per tensor: ranges per channel, NNCF's choice in
    front of depthwise convolutions, clip what the film at hand happened not to show."""
    os.environ.setdefault("NNCF_CI", "1")  # NNCF reports its use over the network otherwise
    try:
        with silence():
            import nncf
            from nncf import quantization

            advanced = quantization.advanced_parameters
            return nncf.quantize(
                model,
                nncf.Dataset([sample.numpy() for sample in inputs]),
                preset=nncf.QuantizationPreset.PERFORMANCE,
                subset_size=len(inputs),
                ignored_scope=nncf.IgnoredScope(names=sorted(floats)),
                advanced_parameters=advanced.AdvancedQuantizationParameters(
                    overflow_fix=_overflow_fix(advanced),
                    activations_quantization_params=advanced.QuantizationParameters(
                        per_channel=False
                    ),
                    activations_range_estimator_params=(
                        quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
                    ),
                ),
            )
    except Exception as error:  # NNCF and OpenVINO below it have no common class
        raise NetworkError(MODEL, f"--int8: NNCF cannot: {first_line(error)}") from None


def _overflow_fix(advanced: Any) -> Any:
    """Without VNNI the weights of the first layer have 7 bits, not 8."""
    fixes = advanced.OverflowFix
    return fixes.DISABLE if has_vnni() else fixes.FIRST_LAYER


def _read(xml: Path) -> Any:
    import openvino

    return openvino.Core().read_model(xml)


def _save(model: Any, xml: Path) -> None:
    import openvino

    openvino.save_model(model, xml, compress_to_fp16=False)
