"""A network in int8: NNCF's post-training quantization on pictures of the user's own."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np

from gradcam_tools.compile.agreement import Agreement
from gradcam_tools.networks.network import MODEL, NetworkError, first_line
from gradcam_tools.processor import has_vnni
from gradcam_tools.quiet import silence

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
    """A quantized openvino.Model, and how it agrees with fp32 on held-out frames."""

    recipe: str
    model: Any
    agreement: Agreement

    def agrees(self) -> bool:
        a = self.agreement
        same = a.leading_top1 is None or a.leading_top1 >= 0.95
        return same and a.map_median >= 0.99 and a.map_p5 >= 0.95


def try_recipes(
    model: Any,
    samples: Sequence[np.ndarray],
    layers: Sequence[str],
    agreement_of: Callable[[Any], Agreement],
) -> List[Int8]:
    """One after another, up to the first that agrees; a form that `agreement_of` refuses is left
    out, and if it refuses all, so does this. What lies behind the explained `layers` stays in
    floats: LibTorch runs it, and differentiates it. Not where that is most of the network."""
    tried: List[Int8] = []
    refusals: List[NetworkError] = []
    before: Optional[Set[str]] = None
    behind = layers_behind(model, layers)
    weighing = [op.get_friendly_name() for op in model.get_ops() if weighs(op)]
    if 2 * len(behind.intersection(weighing)) > len(weighing):
        behind = set()
    for recipe, kinds in RECIPES:
        if recipe == ALL and not has_vnni():
            continue
        floats = behind.union(name for kind in kinds for name in layers_of(model, kind))
        if floats == before:
            continue  # a network without such layers
        before = floats
        int8 = _quantize(model.clone(), samples, floats)
        try:
            tried.append(Int8(recipe, int8, agreement_of(int8)))
        except NetworkError as refusal:
            refusals.append(refusal)
        if tried and tried[-1].agrees():
            break
    if not tried:
        raise refusals[-1]
    return tried


def best_of(tried: Sequence[Int8]) -> Int8:
    last = tried[-1]
    return last if last.agrees() else max(tried, key=lambda int8: int8.agreement.map_median)


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


def is_depthwise(operation: Any) -> bool:
    """Weights of a GroupConvolution are [groups, outputs of one, inputs of one, ...]."""
    if operation.get_type_name() != "GroupConvolution":
        return False
    return bool(operation.input_value(1).get_shape()[2] == 1)


def _joins_branches(addition: Any) -> bool:
    """Neither side is a weight, which may lie behind a conversion."""
    sides = []
    for value in addition.input_values():
        node = value.get_node()
        while node.get_type_name() in ("Convert", "Reshape", "Unsqueeze", "Multiply", "Subtract"):
            node = node.input_value(0).get_node()
        sides.append(node.get_type_name())
    return "Constant" not in sides


def weighs(operation: Any) -> bool:
    kind = operation.get_type_name()
    return kind == "MatMul" or kind.endswith("Convolution")


def layers_behind(model: Any, layers: Sequence[str]) -> Set[str]:
    """Names of what follows the explained layers, as far as their names tell where these end."""
    ends = [_end_of(model, layer) for layer in layers]
    waiting = [value for end in ends if end is not None for value in end.outputs()]
    names: Set[str] = set()
    for value in waiting:  # grows
        for port in value.get_target_inputs():
            node = port.get_node()
            if node.get_type_name() != "Result" and node.get_friendly_name() not in names:
                names.add(node.get_friendly_name())
                waiting.extend(node.outputs())
    return names


def _end_of(model: Any, layer: str) -> Optional[Any]:
    """The last operation of the module or with the name `layer`, as
    stages/explain/import/layer_names.cpp names them."""
    end = None
    for operation in model.get_ordered_ops():
        if operation.get_type_name() in ("Constant", "Parameter", "Result"):
            continue
        module, name = place_of(operation.get_friendly_name())
        whole = f"{module}.{name}" if module else name
        if layer in (module, whole) or module.startswith(f"{layer}."):
            end = operation
    return end


def place_of(name: str) -> Tuple[str, str]:
    """Module and operation of "__module.layer4.2.relu/aten::relu_/Relu", which OpenVINO's converter
    writes, or of "/layer4/layer4.2/relu_2/Relu", which PyTorch's ONNX exporter writes."""
    if name.startswith("__module."):
        return name.removeprefix("__module.").split("/")[0], name.split("/")[-1]
    if not name.startswith("/"):
        return "", name
    *scopes, operation = name[1:].split("/")
    steps = [
        scope.removeprefix(f"{before}.") for before, scope in zip(["", *scopes], scopes)
    ]
    return ".".join(steps), operation


def _quantize(model: Any, samples: Sequence[np.ndarray], floats: Set[str]) -> Any:
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
                nncf.Dataset(list(samples)),
                preset=nncf.QuantizationPreset.PERFORMANCE,
                subset_size=len(samples),
                model_type=nncf.ModelType.TRANSFORMER if has_attention(model) else None,
                fast_bias_correction=True,
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


def has_attention(model: Any) -> bool:
    """Shares by softmax that a matrix product takes, or OpenVINO's operation for both."""
    for operation in model.get_ops():
        if operation.get_type_name() == "ScaledDotProductAttention":
            return True
        if operation.get_type_name() == "Softmax":
            users = [port.get_node() for port in operation.output(0).get_target_inputs()]
            if any(user.get_type_name() == "MatMul" for user in users):
                return True
    return False


def _overflow_fix(advanced: Any) -> Any:
    """Without VNNI the weights of the first layer have 7 bits, not 8."""
    fixes = advanced.OverflowFix
    return fixes.DISABLE if has_vnni() else fixes.FIRST_LAYER
