"""torchvision's detectors of one stage, SSD and RetinaNet, without the suppression they end in: it
has no gradient, and gradcam-live has its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList

from gradcam_tools.networks.checkpoints import read_state_dict
from gradcam_tools.networks.network import Framing, Network
from gradcam_tools.networks.published_networks import published, with_weights

ONE_STAGE = (
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
)


class AllBoxes(nn.Module):
    """Bx3xHxW, normalised → BxBOXESx(4+CLASSES): corners in pixels, logits. Its layers have the
    names that they have in the detector."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone = detector.backbone
        self.head = detector.head
        self._anchor_generator = [detector.anchor_generator]  # no layer: it has no name to give
        self._box_coder = detector.box_coder
        self._anchors: Dict[Tuple[int, ...], Tensor] = {}

    def forward(self, picture: Tensor) -> Tensor:
        features = list(self.backbone(picture).values())
        found = self.head(features)
        offsets, scores = found["bbox_regression"], found["cls_logits"]
        anchors = self.anchors(picture, features).repeat(offsets.shape[0], 1)
        corners = self._box_coder.decode_single(offsets.flatten(0, 1), anchors)
        return torch.cat([corners.view_as(offsets), scores], 2)

    def anchors(self, picture: Tensor, features: List[Tensor]) -> Tensor:
        """BOXESx4: corners. Made once for each size of picture, so that a trace holds them as
        constants."""
        size = tuple(int(length) for length in picture.shape[2:])
        if size not in self._anchors:
            images = ImageList(picture[:1].detach(), [size])
            self._anchors[size] = self._anchor_generator[0](images, features)[0].detach()
        return self._anchors[size]


def build(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    default = torchvision.models.get_model_weights(name).DEFAULT
    categories = list(default.meta["categories"])
    classes, state = len(categories), None
    if weights is not None:
        state = read_state_dict(weights)
        classes = _classes_of(state, _untrained(name, classes)) or classes
    detector = with_weights(
        lambda: _untrained(name, classes), *(name, default, weights, state, random_weights)
    )
    labels = categories if classes == len(categories) else None
    resize, ssd = detector.transform, name.startswith("ssd")
    return published(
        *(name, AllBoxes(detector), default, labels, weights, random_weights),
        input_size=list(resize.fixed_size or resize.min_size * 2)[::-1],
        mean=list(resize.image_mean),
        std=list(resize.image_std),
        # As torchvision resizes: SSD's input has one size, RetinaNet's the picture's proportions.
        framing=Framing(
            resize="stretch" if ssd else "letterbox",
            antialias=False,
            pad_value=round(255 * sum(resize.image_mean) / 3),
            pad_align="top-left",
        ),
        task="detection",
        output={
            "format": "raw-heads",
            "activation": "softmax" if ssd else "sigmoid",
            **({"background": 0} if ssd else {}),
        },
    )


def _untrained(name: str, classes: int) -> Any:
    return torchvision.models.get_model(
        name, weights=None, weights_backbone=None, num_classes=classes
    )


def _classes_of(state: Dict[str, Tensor], detector: Any) -> Optional[int]:
    """How many classes a checkpoint was trained for. The classifier of the first map has a channel
    for each of its anchors and classes."""
    anchors = detector.anchor_generator.num_anchors_per_location()[0]
    start = "head.classification_head."
    for key in ("cls_logits.weight", "module_list.0.1.weight", "module_list.0.weight"):
        if start + key in state:
            return state[start + key].shape[0] // anchors
    return None
