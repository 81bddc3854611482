"""OpenVINO models as functions of tensors."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple

import torch
from torch import Tensor

Features = Callable[[Tensor], List[Tensor]]
OUTPUT = "gradcam_output"  # the name of the result that is the whole network's


class Compiled:
    """`model`: a path or an openvino.Model. `precision`: f32 or bf16, of the layers that are not in
    int8."""

    def __init__(self, model: Any, precision: str) -> None:
        import openvino

        options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        self._network = openvino.Core().compile_model(model, "CPU", options)

    def __call__(self, sample: Tensor) -> List[Tensor]:
        """The head's inputs."""
        return self.run(sample)[0]

    def run(self, sample: Tensor) -> Tuple[List[Tensor], Optional[Tensor]]:
        """The head's inputs, and the whole network's output if the model gives it."""
        results = self._network([sample.numpy()])
        values: List[Tensor] = []
        output: Optional[Tensor] = None
        for port in self._network.outputs:
            value = torch.from_numpy(results[port].copy())
            if OUTPUT in port.get_names():
                output = value
            else:
                values.append(value)
        return values, output


def fast_precision() -> str:
    """The fastest precision of floats that this processor has: bf16 or f32."""
    import openvino

    can = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in can else "f32"
