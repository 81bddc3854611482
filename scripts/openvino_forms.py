"""OpenVINO models as functions of tensors."""

from __future__ import annotations

from typing import Any, Callable, List

import torch
from torch import Tensor

Features = Callable[[Tensor], List[Tensor]]


def compiled(model: Any, precision: str) -> Features:
    """`model` is a path or an openvino.Model; `precision`, f32 or bf16, that of what is no int8."""
    import openvino

    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    network = openvino.Core().compile_model(model, "CPU", options)

    def run(sample: Tensor) -> List[Tensor]:
        results = network([sample.numpy()])
        return [torch.from_numpy(results[i].copy()) for i in range(len(network.outputs))]

    return run


def fast_precision() -> str:
    """That of the fast forms on this processor."""
    import openvino

    can = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in can else "f32"
