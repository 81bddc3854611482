"""Plain OpenVINO on a network file, in a process of its own: milliseconds of an inference, and what
reading, compiling and running it adds to the process's memory. Prints one JSON line.

Started by model_figures.py.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import List

import numpy as np
import openvino

LEFT_OUT = 10  # calls before the clock starts


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--precision", choices=("f32", "bf16"), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True)
    options = parser.parse_args()
    core = openvino.Core()
    core.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plug-in
    before = resident_mb()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": options.threads,
        "INFERENCE_PRECISION_HINT": options.precision,
    }
    model = core.read_model(options.file)
    compiled = core.compile_model(model, "CPU", settings)
    del model
    request = compiled.create_infer_request()
    rng = np.random.default_rng(1)
    picture = rng.random(tuple(compiled.input(0).shape), np.float32)
    times: List[float] = []
    for _ in range(LEFT_OUT + options.frames):
        begin = time.perf_counter()
        request.infer([picture], share_inputs=True)
        times.append(1000 * (time.perf_counter() - begin))
    found = {"ms": statistics.median(times[LEFT_OUT:]), "added_mb": resident_mb() - before}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
