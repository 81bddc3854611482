#!/usr/bin/env bash
# A picture of another size than the network's is taken by OpenVINO for several pictures.
#
# Versions: openvino 2026.4.1, onnx 1.23.2.
# Guess:    Model.reshape() to a size that a Reshape in the ONNX file does not allow is refused: the
#           file says Reshape to [1, 192], and a picture of 16x16 has 768 numbers. The reference
#           implementation of ONNX refuses it.
# Happens:  while it reshapes, OpenVINO replaces the 1 in front of the constant shape by the size of
#           the batch that fits. 16x16 is taken, and one picture gives four rows of scores, each of a
#           quarter of it; 12x12, which does not divide, is refused.
# Matters:  the first row looks like a result. Whoever makes a network larger this way must compare
#           the number of rows with that of pictures.
# Seen:     OpenVINO  8x8: (1, 2)  12x12: refused  16x16: (4, 2)
#           ONNX      8x8: (1, 2)  12x12: refused  16x16: refused
set -euo pipefail
packages="openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'PY'
import numpy as np
import onnx
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

NODES = [
    helper.make_node("Reshape", ["picture", "shape"], ["flat"]),
    helper.make_node("Gemm", ["flat", "weight"], ["scores"], transB=1),
]
CONSTANTS = [
    numpy_helper.from_array(np.array([1, 192], np.int64), "shape"),
    numpy_helper.from_array(np.arange(384, dtype=np.float32).reshape(2, 192) / 384, "weight"),
]


def write(path, size):
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, size, size])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
    graph = helper.make_graph(NODES, "net", [picture], [scores], CONSTANTS)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def by_openvino(size):
    core = openvino.Core()
    model = core.read_model("net8.onnx")
    model.reshape([1, 3, size, size])
    return core.compile_model(model, "CPU")(np.ones((1, 3, size, size), np.float32))[0].shape


def by_onnx(size):
    write("other.onnx", size)
    picture = np.ones((1, 3, size, size), np.float32)
    return ReferenceEvaluator("other.onnx").run(None, {"picture": picture})[0].shape


write("net8.onnx", 8)
seen = {}
for name, run in (("OpenVINO", by_openvino), ("ONNX", by_onnx)):
    for size in (8, 12, 16):
        try:
            seen[name, size] = run(size)
        except (RuntimeError, ValueError):
            seen[name, size] = "refused"
    print(f"{name:9}", *(f"{size}x{size}: {seen[name, size]} " for size in (8, 12, 16)))
same = seen["OpenVINO", 16] == (4, 2) and seen["OpenVINO", 12] == seen["ONNX", 16] == "refused"
raise SystemExit(0 if same else "changed: no longer as described on top")
PY
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
