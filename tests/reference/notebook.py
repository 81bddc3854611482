#!/usr/bin/env python3
"""The classic Grad-CAM notebook for one picture, in plain PyTorch: reference of `--style notebook`.

  notebook.py MODEL_NAME STATE_DICT PICTURE FOLDER   writes FOLDER/<picture>.npy, .tiff and .json

By hand: PYTHONPATH=scripts .venv/bin/python tests/reference/notebook.py ...
Shrink to 1024 pixels, Resize to 224 with PIL, ImageNet mean and std, ResNet's layer4[2].conv3,
gradient of the top-1 logit by a full backward pass, weights = its mean over places, ReLU, bilinear
to the picture's size, min-max with 1e-8.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision import transforms

from gradcam_tools.networks.checkpoints import read_state_dict
from gradcam_tools.networks.conventions import IMAGENET_MEAN, IMAGENET_STD
from gradcam_tools.networks.published_networks import IMAGENET_LABELS

LAYER = "layer4.2.conv3"
MAX_SIDE = 1024


def load(name: str, state_dict: Path) -> nn.Module:
    module = torchvision.models.get_model(name, weights=None)
    module.load_state_dict(read_state_dict(state_dict))
    return module.eval()


def explain(module: nn.Module, picture: Path) -> Tuple[np.ndarray, List[Dict[str, Any]]]:
    """float32 HxW map in 0..1 and the five best classes, best first."""
    image = Image.open(picture).convert("RGB")
    if max(image.size) > MAX_SIDE:
        factor = MAX_SIDE / max(image.size)
        size = (round(image.width * factor), round(image.height * factor))
        image = image.resize(size, Image.Resampling.BILINEAR)
    prepare = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    kept: Dict[str, torch.Tensor] = {}

    def keep_activation(_module: nn.Module, _input: Any, output: torch.Tensor) -> None:
        kept["activation"] = output.detach().clone()

    def keep_gradient(_module: nn.Module, _input: Any, output: Any) -> None:
        kept["gradient"] = output[0].detach()

    layer = module.get_submodule(LAYER)
    handles = [
        layer.register_forward_hook(keep_activation),
        layer.register_full_backward_hook(keep_gradient),
    ]
    logits = module(prepare(image)[None])
    module.zero_grad()
    logits[0, logits.argmax()].backward()
    for handle in handles:
        handle.remove()

    weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
    cam = torch.relu((weights * kept["activation"]).sum(dim=1, keepdim=True))
    size = (image.height, image.width)
    # The same as cv2.resize with INTER_LINEAR.
    cam = nn.functional.interpolate(cam, size=size, mode="bilinear", align_corners=False)[0, 0]
    cam = (cam - cam.min()) / (cam.max() - cam.min() + 1e-8)

    scores, classes = logits.softmax(dim=1)[0].topk(5)
    top = [
        {"class": index, "label": IMAGENET_LABELS[index], "score": score}
        for score, index in zip(scores.tolist(), classes.tolist())
    ]
    return cam.numpy(), top


def main() -> int:
    if len(sys.argv) != 5:
        print("usage: notebook.py MODEL_NAME STATE_DICT PICTURE FOLDER", file=sys.stderr)
        return 2
    picture, folder = Path(sys.argv[3]), Path(sys.argv[4])
    cam, top = explain(load(sys.argv[1], Path(sys.argv[2])), picture)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{picture.stem}.npy", cam)
    Image.fromarray(cam).save(folder / f"{picture.stem}.tiff")
    (folder / f"{picture.stem}.json").write_text(json.dumps({"top": top}, indent=1) + "\n")
    for entry in top:
        print(f"{entry['class']:4d}  {entry['label']:<30} {100 * entry['score']:6.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
