#!/usr/bin/env bash
# OpenVINO's ONNX reader and OpenCV's dnn module ignore `antialias` of Resize without a word.
#
# Versions: openvino 2026.4.1, opencv-python-headless 5.0.0.93, onnxruntime 1.32.0, onnx 1.23.2.
# Guess:    an ONNX file that shrinks its picture with Resize and antialias=1 (what torch's
#           exporter writes for torchvision's v2.Resize and F.interpolate(antialias=True)) is
#           either computed as ONNX defines it, a weighted mean of all pixels below, or refused.
# Happens:  onnx's reference and onnxruntime average. OpenVINO and OpenCV (both of its engines)
#           read the file, say nothing, and look at a few pixels. A network of one Resize and two
#           classes then answers the other class: lines that cover an eighth of the picture are not
#           there.
# Matters:  whoever has the resizing inside the file gets other scores and other heat from OpenVINO
#           than from PyTorch, most of all on large pictures. OpenVINO's own PyTorch reader is
#           right. Compare outputs at load, on a picture with fine detail; a flat or random one
#           shows less.
# Seen:     reference     mean 0.1338  class lines
#           onnxruntime   mean 0.1338  class lines
#           openvino      mean 0.0000  class blank
#           opencv old    mean 0.0000  class blank
#           opencv new    mean 0.0000  class blank
set -euo pipefail
packages="openvino==2026.4.1 opencv-python-headless==5.0.0.93 onnxruntime==1.32.0 onnx==1.23.2
  numpy==2.4.6"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! python3 -m pip install -q --disable-pip-version-check --target "$work/packages" $packages; then
  echo "cannot run here: needs python3 with pip, and: $packages"
  exit 77
fi

cat >"$work/finding.py" <<'EOF'
import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def network() -> onnx.ModelProto:
    """64x64 -> 8x8 -> its mean; class 1 ("lines") is 40 times the mean, class 0 ("blank") is 1."""
    nodes = [
        helper.make_node("Resize", ["picture", "", "", "size"], ["small"], mode="linear",
                         antialias=1, coordinate_transformation_mode="half_pixel"),
        helper.make_node("ReduceMean", ["small", "axes"], ["mean"], keepdims=0),
        helper.make_node("Gemm", ["mean", "weight", "bias"], ["scores"]),
    ]
    constants = [
        helper.make_tensor("size", TensorProto.INT64, [4], [1, 1, 8, 8]),
        helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
        helper.make_tensor("weight", TensorProto.FLOAT, [1, 2], [0, 40]),
        helper.make_tensor("bias", TensorProto.FLOAT, [2], [1, 0]),
    ]
    graph = helper.make_graph(
        nodes, "shrinks",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, 64, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def by_opencv(file: bytes, picture: np.ndarray, engine: int) -> np.ndarray:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8), engine)
    net.setInput(picture, "picture")
    return net.forward()


model = network()
file = model.SerializeToString()
lines = np.zeros((1, 1, 64, 64), np.float32)
lines[..., ::8] = 1  # one column of eight
core = openvino.Core()
compiled = core.compile_model(core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
runtime = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
scores = {
    "reference": ReferenceEvaluator(model).run(None, {"picture": lines})[0],
    "onnxruntime": runtime.run(None, {"picture": lines})[0],
    "openvino": compiled([lines])[0],
    "opencv old": by_opencv(file, lines, cv2.dnn.ENGINE_CLASSIC),
    "opencv new": by_opencv(file, lines, cv2.dnn.ENGINE_NEW),
}
means = {name: float(score.ravel()[1]) / 40 for name, score in scores.items()}
for name, score in scores.items():
    print(f"{name:13} mean {means[name]:.4f}  class {('blank', 'lines')[int(score.argmax())]}")
averaged = all(0.12 < means[name] < 0.15 for name in ("reference", "onnxruntime"))
picked = all(abs(means[name]) < 1e-3 for name in ("openvino", "opencv old", "opencv new"))
raise SystemExit(0 if averaged and picked else "changed: no longer as described on top")
EOF
cd "$work" && PYTHONPATH="$work/packages" python3 finding.py || exit 1
