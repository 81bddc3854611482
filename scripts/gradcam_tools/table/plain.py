"""Plain inference by OpenVINO, as a program without this project would do it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from torch import Tensor

WARM_UP = 3
LEAST_RUNS, MOST_RUNS = 10, 200
LEAST_S = 1.0


def has_bf16() -> bool:
    """Whether this processor computes in bf16."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def milliseconds(file: Path, sample: Tensor, precision: str = "f32") -> float:
    """The median of one picture, with one thread for each core."""
    import openvino

    model = openvino.Core().read_model(file)
    model.reshape(list(sample.shape))
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    network = openvino.Core().compile_model(model, "CPU", options)
    request = network.create_infer_request()
    values = [sample.numpy()]
    for _ in range(WARM_UP):
        request.infer(values, share_inputs=True)
    times = []
    begin = time.perf_counter()
    while len(times) < LEAST_RUNS or time.perf_counter() - begin < LEAST_S:
        before = time.perf_counter()
        request.infer(values, share_inputs=True)
        times.append(time.perf_counter() - before)
        if len(times) == MOST_RUNS:
            break
    return 1000 * statistics.median(times)
