"""Maps of pytorch-grad-cam, torchcam and captum, each called as its documentation says.

Called by conformance.py under the Python of .peers. A peer that leaves its map at the layer's size
(torchcam) or unscaled (captum) is carried to the picture by pytorch-grad-cam's last steps, or by
captum's own interpolation.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

# Normalised input, class → float HxW of the input's size: one map, or it and its mirror image where
# the peer's sign means nothing.
Explain = Callable[[Tensor, int], List[np.ndarray]]


class NotComparable(Exception):
    """One line: why a peer cannot explain this layer or network."""


@dataclasses.dataclass
class Subject:
    """What a peer is given: a copy of the network that it may change, and the name of the layer.
    `tokens` as in the model's description: drop, grid."""

    module: nn.Module
    layer: str
    tokens: Optional[Dict[str, Any]] = None

    @property
    def layer_module(self) -> nn.Module:
        return self.module.get_submodule(self.layer)

    @property
    def to_map(self) -> Optional[Callable[[Tensor], Tensor]]:
        """(N, tokens, C) → (N, C, h, w)."""
        if self.tokens is None:
            return None
        drop, (height, width) = self.tokens["drop"], self.tokens["grid"]
        return lambda value: value[:, drop:].transpose(1, 2).unflatten(2, (height, width))


@dataclasses.dataclass(frozen=True)
class Peer:
    """`style` is that of gradcam-live which the map is compared with."""

    title: str
    make: Callable[[Subject], Explain]
    style: str = "gradcam"


class OutOfPlace(TorchFunctionMode):
    """Makes in-place ReLUs and sums of a network ordinary ones: what a hook saw stays as it was."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if kwargs.get("inplace"):
            kwargs["inplace"] = False
        if getattr(function, "__name__", "") == "__iadd__":
            return torch.add(*args)
        return function(*args, **kwargs)


@contextlib.contextmanager
def explaining(
    peer: Peer, module: nn.Module, layer: str, tokens: Optional[Dict[str, Any]]
) -> Iterator[Explain]:
    """The peer on a copy of `module`. Attention is spelled out, because its fused forms have no
    second derivative."""
    subject = Subject(copy.deepcopy(module).requires_grad_(True), layer, tokens)
    with torch.enable_grad(), OutOfPlace(), sdpa_kernel(SDPBackend.MATH):
        yield peer.make(subject)


def finish(values: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """A map of the layer's size as pytorch-grad-cam draws it: ReLU, min-max, HxW `size`, min-max."""

    def stretch(heat: np.ndarray) -> np.ndarray:
        heat = heat - heat.min()
        return heat / (1e-7 + heat.max())

    heat = stretch(np.maximum(values, 0)).astype(np.float32)
    return stretch(cv2.resize(heat, (size[1], size[0])))


def pytorch_grad_cam(name: str) -> Callable[[Subject], Explain]:
    def make(subject: Subject) -> Explain:
        import pytorch_grad_cam as library
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        cam = getattr(library, name)(
            subject.module, [subject.layer_module], reshape_transform=subject.to_map
        )
        return lambda sample, target: [cam(sample, [ClassifierOutputTarget(target)])[0]]

    return make


def full_grad(subject: Subject) -> Explain:
    """Finds its own layers, all of which give maps."""
    from pytorch_grad_cam import FullGrad
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = FullGrad(subject.module, [])
    return lambda sample, target: [cam(sample, [ClassifierOutputTarget(target)])[0]]


def finer_cam(subject: Subject) -> Explain:
    """With `targets` given, pytorch-grad-cam's FinerCAM would be its base method."""
    from pytorch_grad_cam import FinerCAM

    cam = FinerCAM(subject.module, [subject.layer_module], reshape_transform=subject.to_map)
    return lambda sample, target: [cam(sample, None, target_idx=target)[0]]


def eigen(name: str) -> Callable[[Subject], Explain]:
    """Both signs: that of a singular vector is chance."""

    def make(subject: Subject) -> Explain:
        import pytorch_grad_cam as library
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        cam = getattr(library, name)(
            subject.module, [subject.layer_module], reshape_transform=subject.to_map
        )
        project = cam.get_cam_image

        def explain(sample: Tensor, target: int) -> List[np.ndarray]:
            maps = []
            for sign in (1, -1):
                cam.get_cam_image = lambda *given, sign=sign: sign * project(*given)
                maps.append(cam(sample, [ClassifierOutputTarget(target)])[0])
            return maps

        return explain

    return make


def ablation(batch_size: int) -> Callable[[Subject], Explain]:
    """Both signs for a negative score: the division by it turns the map over."""

    def make(subject: Subject) -> Explain:
        from pytorch_grad_cam import AblationCAM, AblationLayer, AblationLayerVit
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        cam = AblationCAM(
            subject.module,
            [subject.layer_module],
            reshape_transform=subject.to_map,
            ablation_layer=AblationLayerVit() if subject.tokens else AblationLayer(),
            batch_size=batch_size,
        )
        weigh = cam.get_cam_weights

        def explain(sample: Tensor, target: int) -> List[np.ndarray]:
            kept: List[np.ndarray] = []

            def keep(*given: Any) -> np.ndarray:
                kept.append(weigh(*given))
                return kept[-1]

            cam.get_cam_weights = keep
            maps = [cam(sample, [ClassifierOutputTarget(target)])[0]]
            with torch.no_grad():
                score = float(subject.module(sample)[0, target])
            if score < 0:
                cam.get_cam_weights = lambda *given: -kept[0]
                maps.append(cam(sample, [ClassifierOutputTarget(target)])[0])
            return maps

        return explain

    return make


def shapley_cam(subject: Subject) -> Explain:
    """pytorch-grad-cam multiplies its weights with the tokens before they are a map, and fails."""
    from pytorch_grad_cam import ShapleyCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = ShapleyCAM(subject.module, [subject.layer_module], reshape_transform=subject.to_map)
    if subject.to_map is not None:
        image, weigh, to_map = cam.get_cam_image, cam.get_cam_weights, subject.to_map
        cam.activations_and_grads.clear = list  # fails on views, when all is over

        def with_map(*given: Any) -> np.ndarray:
            weights = weigh(*given[:5])
            cam.get_cam_weights = lambda *_: weights
            return image(*given[:3], to_map(given[3]), *given[4:])

        def explain(sample: Tensor, target: int) -> List[np.ndarray]:
            cam.get_cam_weights, cam.get_cam_image = weigh, with_map
            return [cam(sample, [ClassifierOutputTarget(target)])[0]]

        return explain
    return lambda sample, target: [cam(sample, [ClassifierOutputTarget(target)])[0]]


def torchcam(name: str) -> Callable[[Subject], Explain]:
    def make(subject: Subject) -> Explain:
        from torchcam import methods

        extractor = getattr(methods, name)(
            subject.module, subject.layer, reshape_transform=subject.to_map
        )

        def explain(sample: Tensor, target: int) -> List[np.ndarray]:
            scores = subject.module(sample)
            values = extractor(target, scores, normalized=False)[0][0]
            return [finish(values.detach().numpy(), tuple(sample.shape[-2:]))]

        return explain

    return make


def captum_grad_cam(interpolation: str) -> Callable[[Subject], Explain]:
    def make(subject: Subject) -> Explain:
        from captum.attr import LayerAttribution, LayerGradCam

        if subject.tokens:
            raise NotComparable("captum's LayerGradCam takes the tokens for channels")
        method = LayerGradCam(subject.module, subject.layer_module)

        def explain(sample: Tensor, target: int) -> List[np.ndarray]:
            values = method.attribute(sample, target).detach()
            size = tuple(sample.shape[-2:])
            return [LayerAttribution.interpolate(values, size, interpolation)[0, 0].numpy()]

        return explain

    return make


def captum_activation(subject: Subject) -> Explain:
    """Gradient times activation, summed over the channels."""
    from captum.attr import LayerAttribution, LayerGradientXActivation

    method = LayerGradientXActivation(subject.module, subject.layer_module)

    def explain(sample: Tensor, target: int) -> List[np.ndarray]:
        values = method.attribute(sample, target).detach()
        values = (subject.to_map(values) if subject.to_map else values).sum(1, keepdim=True)
        size = tuple(sample.shape[-2:])
        return [LayerAttribution.interpolate(values, size, "bilinear")[0, 0].numpy()]

    return explain


def _of_grad_cam(name: str) -> Peer:
    return Peer(f"pytorch-grad-cam {name}", pytorch_grad_cam(name))


def _of_torchcam(name: str) -> Peer:
    return Peer(f"torchcam {name}", torchcam(name))


# Method of gradcam-live → those who have it too.
PEERS: Dict[str, List[Peer]] = {
    "gradcam": [
        _of_grad_cam("GradCAM"),
        _of_torchcam("GradCAM"),
        Peer("captum LayerGradCam, nearest", captum_grad_cam("nearest"), "captum"),
        Peer("captum LayerGradCam, bilinear", captum_grad_cam("bilinear"), "raw"),
    ],
    "gradcam++": [_of_grad_cam("GradCAMPlusPlus"), _of_torchcam("GradCAMpp")],
    "hirescam": [
        _of_grad_cam("HiResCAM"),
        Peer("captum LayerGradientXActivation", captum_activation, "raw"),
    ],
    "elementwise": [_of_grad_cam("GradCAMElementWise")],
    "xgradcam": [_of_grad_cam("XGradCAM"), _of_torchcam("XGradCAM")],
    "layercam": [_of_grad_cam("LayerCAM"), _of_torchcam("LayerCAM")],
    "finercam": [Peer("pytorch-grad-cam FinerCAM", finer_cam), _of_torchcam("FinerCAM")],
    "shapleycam": [Peer("pytorch-grad-cam ShapleyCAM", shapley_cam)],
    "eigencam": [Peer("pytorch-grad-cam EigenCAM", eigen("EigenCAM"))],
    "eigengradcam": [Peer("pytorch-grad-cam EigenGradCAM", eigen("EigenGradCAM"))],
    "fem": [_of_grad_cam("FEM")],
    "kpcacam": [Peer("pytorch-grad-cam KPCA_CAM", eigen("KPCA_CAM"))],
    "ablationcam": [
        Peer("pytorch-grad-cam AblationCAM, batch_size=1", ablation(1)),
        Peer("pytorch-grad-cam AblationCAM", ablation(32)),
    ],
    "scorecam": [_of_grad_cam("ScoreCAM"), _of_torchcam("ScoreCAM")],
    "fullgrad": [Peer("pytorch-grad-cam FullGrad", full_grad)],
}
