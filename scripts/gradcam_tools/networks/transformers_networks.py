"""Networks of the transformers library, named hf/NAME as on the hub, or hf/FOLDER with a config.json
inside. Classifiers, detectors, segmentation networks, and for others the vector that they make of a
picture."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor

from gradcam_tools.networks.checkpoints import load, read_state_dict
from gradcam_tools.networks.conventions import IMAGENET_MEAN, IMAGENET_STD
from gradcam_tools.networks.hub import go_offline_without_hub
from gradcam_tools.networks.network import (
    MODEL,
    USAGE,
    Framing,
    Network,
    NetworkError,
    first_line,
    source_of,
)

PREFIX = "hf/"
# How the names of classes end → task. Others give a vector.
TASKS = {
    "ForImageClassification": "classification",
    "ForImageClassificationWithTeacher": "classification",
    "ForObjectDetection": "detection",
    "ForSemanticSegmentation": "segmentation",
}
# Of networks for pictures and text the half that sees; of others without a head the whole.
SEEING = {
    "CLIPModel": "CLIPVisionModelWithProjection",
    "SiglipModel": "SiglipVisionModel",
    "Siglip2Model": "Siglip2VisionModel",
}
# Of families that have no image processor of their own.
PROCESSORS = dict.fromkeys(("rt_detr_v2", "d_fine"), "RTDetrImageProcessor")
# Their class scores go through a softmax, and the last class is "no object".
WITH_BACKGROUND = ("detr", "yolos", "table-transformer")


def is_transformers(name: str) -> bool:
    return name.startswith(PREFIX)


def build(name: str, weights: Optional[Path], random_weights: bool) -> Network:
    """Input, normalisation and labels are those of the files that lie beside the weights; of random
    weights where there are none, those that the library assumes for the network's family."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    source = name[len(PREFIX) :]
    if not Path(source).is_dir():
        go_offline_without_hub()
    notes: List[str] = []
    config = _config(name, source, weights is not None or random_weights, notes)
    kind = _class_of(name, config)
    task = _task_of(kind.__name__)
    torch.manual_seed(0)
    module = _module(name, source, config, kind, pretrained=weights is None and not random_weights)
    if weights is not None:
        load(module, name, weights, read_state_dict(weights))
    _give_tensors(module, task)
    own = weights is None and not random_weights
    seen = _seen(source, module.config, task)
    return Network(
        name=source.rstrip("/").rpartition("/")[2],
        module=module,
        labels=_labels(config, task),
        source=source_of(f"transformers {source}", weights, random_weights),
        licence="see the model's card on the hub" if own else "not stated",
        task=task,
        output=_output(config, task),
        notes=notes,
        **vars(seen),
    )


def _config(name: str, source: str, without_weights: bool, notes: List[str]) -> Any:
    """The network's config.json; without weights and without the hub that of its family."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    try:
        return transformers.AutoConfig.from_pretrained(source)
    except Exception as error:  # what the library and the hub's client raise has no common class
        if (Path(source) / "config.json").exists():
            said = f"'{source}': transformers cannot read config.json: {first_line(error)}"
            raise NetworkError(MODEL, said) from None
        if not without_weights:
            raise NetworkError(MODEL, _unreachable(name, error)) from None
    plain = source.rpartition("/")[2].replace("-", "_").lower()
    families = [kind for kind in CONFIG_MAPPING if plain.startswith(kind.replace("-", "_"))]
    if not families:
        near = difflib.get_close_matches(plain, list(CONFIG_MAPPING), 3) or ["vit", "detr"]
        raise NetworkError(
            USAGE,
            f"{name}: no such folder, the hub does not answer, and no family of transformers is "
            f"named so; near names: {', '.join(PREFIX + kind for kind in near)}",
        )
    family = max(families, key=len)
    notes.append(f"{name}: assumed transformers' own settings of {family}: the hub does not answer")
    config = CONFIG_MAPPING[family]()
    for key in ("use_pretrained_backbone", "use_timm_backbone"):
        if getattr(config, key, None):
            setattr(config, key, False)
    return config


def _unreachable(name: str, error: BaseException) -> str:
    return (
        f"{name}: cannot fetch it from the hub ({first_line(error)}); give a folder that holds it, "
        "hf/FOLDER, or --random-weights"
    )


def _class_of(name: str, config: Any) -> Any:
    """The class that its config names, else the first of its family that has a head for pictures."""
    import transformers
    from transformers.models.auto import modeling_auto as families

    named = [kind for kind in config.architectures or [] if hasattr(transformers, kind)]
    tables = (
        families.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
        families.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES,
        families.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES,
        families.MODEL_MAPPING_NAMES,
    )
    for table in tables if not named else ():
        found = table.get(config.model_type)
        if found:
            named = [found] if isinstance(found, str) else list(found)
            break
    if not named:
        raise NetworkError(USAGE, f"{name}: transformers has no network for '{config.model_type}'")
    kind = getattr(transformers, SEEING.get(named[0], named[0]))
    if getattr(kind, "main_input_name", "pixel_values") != "pixel_values":
        raise NetworkError(
            USAGE, f"{name}: {named[0]} takes {kind.main_input_name}; allowed: pictures"
        )
    ends = [end for end in TASKS if named[0].endswith(end)]
    if "For" in named[0] and not ends:
        raise NetworkError(
            USAGE,
            f"{name}: {named[0]} is for none of the tasks here; allowed: classes that end in "
            f"{', '.join(TASKS)}, or give one vector",
        )
    return kind


def _task_of(kind: str) -> str:
    return next((task for end, task in TASKS.items() if kind.endswith(end)), "embedding")


def _module(name: str, source: str, config: Any, kind: Any, pretrained: bool) -> Any:
    """With attention of single operations, which have second derivatives and which every exporter
    knows."""
    try:
        if pretrained:
            return kind.from_pretrained(source, attn_implementation="eager").float().eval()
        if kind.config_class is not type(config):  # the half that sees
            config = getattr(config, "vision_config", config)
        config._attn_implementation = "eager"
        return kind(config).float().eval()
    except Exception as error:  # the library's own, the hub client's, the network's
        if pretrained and not Path(source).is_dir():
            raise NetworkError(MODEL, _unreachable(name, error)) from None
        raise NetworkError(
            MODEL, f"{name}: transformers cannot make it: {first_line(error)}"
        ) from None


def _give_tensors(module: Any, task: str) -> None:
    """Makes it take a picture alone and give a tensor, instead of an object of many: of a detector
    its boxes (cx, cy, w, h in 0..1) and class scores joined. A module around it would do the same,
    but would change the names of the layers."""
    original = module.forward

    def forward(picture: Tensor) -> Tensor:
        found = original(pixel_values=picture, return_dict=True)
        if task == "detection":
            return torch.cat([found.pred_boxes, found.logits], -1)
        if task != "embedding":
            return found.logits
        for key in ("image_embeds", "pooler_output"):
            vector = getattr(found, key, None)
            if vector is not None:
                return vector.flatten(1)
        return found.last_hidden_state[:, 0]  # the class token's

    setattr(module, "forward", forward)


def _labels(config: Any, task: str) -> Optional[List[str]]:
    if task == "embedding":
        return None
    names = [config.id2label[index] for index in sorted(config.id2label)]
    if all(label == f"LABEL_{index}" for index, label in enumerate(names)):
        return None
    return [*names, "no object"] if config.model_type in WITH_BACKGROUND else names


def _output(config: Any, task: str) -> Dict[str, Any]:
    if task != "detection":
        return {}
    if config.model_type in WITH_BACKGROUND:
        return {"format": "detr", "activation": "softmax", "background": config.num_labels}
    return {"format": "detr", "activation": "sigmoid"}


@dataclasses.dataclass
class Seen:
    """What the network takes, in the words of a Network."""

    input_size: List[int]
    scale: float
    mean: List[float]
    std: List[float]
    color: str
    framing: Framing


def _seen(source: str, config: Any, task: str) -> Seen:
    """From the image processor's settings."""
    found = _processor(source, config)
    size, fixed = _size(found, config)
    rescales, normalises = found.get("do_rescale", True), found.get("do_normalize", True)
    mean = found.get("image_mean") or IMAGENET_MEAN
    std = found.get("image_std") or IMAGENET_STD
    framing = Framing(resize="stretch" if fixed else "center-crop")
    if task == "detection" and not fixed:  # the picture keeps its proportions
        grey = round(255 * sum(mean) / 3)
        framing = Framing(resize="letterbox", pad_value=grey, pad_align="top-left")
    return Seen(
        input_size=size,
        scale=round(1 / found.get("rescale_factor", 1 / 255), 6) if rescales else 1.0,
        mean=list(mean) if normalises else [0.0] * 3,
        std=list(std) if normalises else [1.0] * 3,
        color="bgr" if found.get("do_flip_channel_order") else "rgb",
        framing=framing,
    )


def _processor(source: str, config: Any) -> Dict[str, Any]:
    """The settings of preprocessor_config.json, else those of the family."""
    import transformers
    from transformers.models.auto import image_processing_auto as families

    try:
        return dict(transformers.AutoImageProcessor.from_pretrained(source).to_dict())
    except Exception:  # none there, or one that needs packages of its own
        usual = PROCESSORS.get(config.model_type, "ViTImageProcessor")
    kinds = families.IMAGE_PROCESSOR_MAPPING_NAMES.get(config.model_type) or {"torchvision": usual}
    kind = getattr(transformers, next(iter(kinds.values())))
    try:
        found = dict(kind().to_dict())
    except Exception:  # what it needs is not installed: ImageNet's conventions are left
        return {}
    if getattr(config, "image_size", None):  # belongs to these weights, if random ones
        found.update(size=None, crop_size=None, do_center_crop=False)
    return found


def _size(found: Dict[str, Any], config: Any) -> Tuple[List[int], bool]:
    """[H, W], and whether a picture is stretched to it."""
    crop, size = found.get("crop_size"), found.get("size")
    if found.get("do_center_crop") and crop:
        return _height_and_width(crop), False
    if isinstance(size, dict) and "shortest_edge" in size:
        return [size["shortest_edge"]] * 2, False
    if size:
        return _height_and_width(size), True
    side = getattr(config, "image_size", None) or 224
    return list(side) if isinstance(side, (list, tuple)) else [side, side], True


def _height_and_width(size: Any) -> List[int]:
    if isinstance(size, dict):
        return [size["height"], size["width"]]
    return [size, size] if isinstance(size, int) else list(size)
