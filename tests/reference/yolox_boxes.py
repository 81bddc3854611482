#!/usr/bin/env python3
"""Prints tests/data/yolox_boxes.txt: rows of YOLOX-nano's output on a frame of a film of cars, and
the boxes that torch and torchvision make of them. Needs ../shared and ffmpeg.

  yolox_boxes.py > tests/data/yolox_boxes.txt
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
MODEL = SHARED / "models" / "yolox_nano" / "yolox_nano_416.torchscript.pt"
FILM = SHARED / "media" / "highway_960x540_h264.mp4"
WIDTH, HEIGHT = 960, 540
FRAME = 200
SIDE = 416
PAD = 114
CLASSES = 8  # the first of COCO's 80, person to truck: what roads show
ROW_THRESHOLD = 0.2
SCORE_THRESHOLD = 0.3
IOU_THRESHOLD = 0.45


def film_frame(number: int) -> np.ndarray:
    """BGR u8 [HEIGHT, WIDTH, 3]."""
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(FILM)]
    command += ["-vf", f"select=eq(n\\,{number})", "-frames:v", "1"]
    command += ["-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3)


def letterboxed(frame: np.ndarray) -> Tensor:
    """float [1, 3, SIDE, SIDE], BGR 0..255, the frame in the top left."""
    ratio = min(SIDE / WIDTH, SIDE / HEIGHT)
    size = (round(WIDTH * ratio), round(HEIGHT * ratio))
    small = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
    picture = np.full((SIDE, SIDE, 3), PAD, np.uint8)
    picture[: size[1], : size[0]] = small
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def print_rows_and_boxes(output: Tensor) -> None:
    """`output`: [N, 5 + 80], decoded."""
    best, best_class = output[:, 5:].max(dim=1)
    interesting = (output[:, 4] * best >= ROW_THRESHOLD) & (best_class < CLASSES)
    rows = output[interesting, : 5 + CLASSES]
    for row in rows.tolist():
        print("row " + " ".join(f"{value:.9g}" for value in row))

    best, best_class = rows[:, 5:].max(dim=1)
    scores = rows[:, 4] * best
    corners = torchvision.ops.box_convert(rows[:, :4], "cxcywh", "xyxy")
    above = (scores >= SCORE_THRESHOLD).nonzero()[:, 0]
    kept = torchvision.ops.batched_nms(
        corners[above], scores[above], best_class[above], IOU_THRESHOLD
    )
    for i in above[kept].tolist():
        edges = " ".join(f"{value:.7g}" for value in corners[i].tolist())
        print(f"box {i} {int(best_class[i])} {float(scores[i]):.7g} {edges}")


def main() -> None:
    torch.set_num_threads(1)
    with torch.no_grad():
        output = torch.jit.load(MODEL).eval()(letterboxed(film_frame(FRAME)))[0]
    print(f"# YOLOX-nano on frame {FRAME} of {FILM.name}; torch {torch.__version__}, torchvision")
    print(f"# {torchvision.__version__}; made by tests/reference/yolox_boxes.py.")
    print(f"# Rows of the decoded output [N, 5+80] with a score of {ROW_THRESHOLD} or more, of the")
    print(f"# first {CLASSES} classes: row CX CY W H OBJECTNESS {CLASSES}xCLASS")
    print(f"# Boxes of these rows, score >= {SCORE_THRESHOLD}, IoU <= {IOU_THRESHOLD}, best first:")
    print("# box ROW CLASS SCORE X1 Y1 X2 Y2 (pixels of the network's input)")
    print_rows_and_boxes(output)


if __name__ == "__main__":
    main()
