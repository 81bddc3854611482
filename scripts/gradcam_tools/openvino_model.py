"""OpenVINO models as functions of tensors."""

from __future__ import annotations

from typing import Any, List

import torch
from torch import Tensor


class Compiled:
    """`model`: a path or an openvino.Model. `precision`: f32 or bf16, of the layers that are not in
    int8."""

    def __init__(self, model: Any, precision: str) -> None:
        import openvino

        options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        self._network = openvino.Core().compile_model(model, "CPU", options)

    def __call__(self, sample: Tensor) -> List[Tensor]:
        """All outputs."""
        results = self._network([sample.numpy()])
        return [torch.from_numpy(results[port].copy()) for port in self._network.outputs]
