"""One turn of one peer, in a process of its own: annotates a film, prints one JSON line.

Started by turns.py under the Python of .peers. Every peer decodes with cv2.VideoCapture, resizes
with PIL as the notebook does, and writes the film with cv2.VideoWriter; only what lies between
differs. On a GPU every one of them waits for its result, as it must before it can draw it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradcam_tools.networks.build import build_network
from gradcam_tools.networks.network import Network, pattern
from gradcam_tools.networks.published_networks import LITE0
from gradcam_tools.quiet import quiet

LEFT_OUT = 20  # frames (or calls) before the clock starts
Frame = np.ndarray
Peer = Callable[[Frame, Tensor], Frame]  # BGR frame, normalised input → BGR picture


def blend(frame: Frame, cam: Frame) -> Frame:
    """0.4 * JET(cam) + frame, as the notebook draws; `cam` float 0..1 of the frame's size."""
    heat = cv2.applyColorMap((255 * cam).astype(np.uint8), cv2.COLORMAP_JET)
    return np.clip(0.4 * heat + frame, 0, 255).astype(np.uint8)


def stretch(cam: Frame, frame: Frame) -> Frame:
    """Resized to the frame, then min-max."""
    cam = cv2.resize(cam, (frame.shape[1], frame.shape[0]))
    return (cam - cam.min()) / (cam.max() - cam.min() + 1e-8)


def notebook(network: Network, layer: str) -> Peer:
    kept: Dict[str, Tensor] = {}
    module = network.module.requires_grad_(True)
    target = module.get_submodule(layer)
    target.register_forward_hook(lambda m, i, o: kept.update(activation=o.detach()))

    def keep_gradient(_module: Any, _input: Any, gradient: Any) -> None:
        kept["gradient"] = gradient[0].detach()

    target.register_full_backward_hook(keep_gradient)

    def explain(frame: Frame, sample: Tensor) -> Frame:
        logits = module(sample)
        module.zero_grad()
        logits[0, logits.argmax()].backward()
        weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
        cam = torch.relu((weights * kept["activation"]).sum(dim=1))[0].cpu().numpy()
        return blend(frame, stretch(cam, frame))

    return explain


def pytorch_grad_cam(network: Network, layer: str, frozen: bool) -> Peer:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import show_cam_on_image

    module = network.module.requires_grad_(not frozen)
    target = module.get_submodule(layer)
    if frozen:  # but for the one parameter that lets the backward pass reach the layer
        list(target.parameters())[-1].requires_grad_(True)
    cam = GradCAM(model=module, target_layers=[target])

    def explain(frame: Frame, sample: Tensor) -> Frame:
        grey = cam(input_tensor=sample, targets=None)[0]
        grey = cv2.resize(grey, (frame.shape[1], frame.shape[0]))
        return show_cam_on_image(np.float32(frame) / 255, grey)

    return explain


def captum(network: Network, layer: str) -> Peer:
    from captum.attr import LayerAttribution, LayerGradCam

    module = network.module.requires_grad_(True)
    grad_cam = LayerGradCam(module, module.get_submodule(layer))

    def explain(frame: Frame, sample: Tensor) -> Frame:
        with torch.no_grad():
            target = int(module(sample).argmax())
        map_ = grad_cam.attribute(sample, target, relu_attributions=True)
        cam = LayerAttribution.interpolate(map_.detach(), frame.shape[:2], "bilinear")[0, 0]
        return blend(frame, stretch(cam.cpu().numpy(), frame))

    return explain


def torchcam(network: Network, layer: str) -> Peer:
    from torchcam.methods import GradCAM
    from torchcam.utils import overlay_mask
    from torchvision.transforms.functional import to_pil_image

    module = network.module.requires_grad_(True)
    extractor = GradCAM(module, layer)

    def explain(frame: Frame, sample: Tensor) -> Frame:
        scores = module(sample)
        cam = extractor(int(scores.argmax()), scores)[0]
        picture = Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        shown = overlay_mask(picture, to_pil_image(cam[0].detach().cpu(), mode="F"), alpha=0.5)
        return cv2.cvtColor(np.asarray(shown), cv2.COLOR_RGB2BGR)

    return explain


def forward_eager(network: Network) -> Callable[[Tensor], Any]:
    def forward(sample: Tensor) -> Tensor:
        with torch.no_grad():
            return network.module(sample).cpu()

    return forward


def forward_torchscript(model: Path, device: str, type_: torch.dtype) -> Callable[[Tensor], Any]:
    with quiet():
        module = torch.jit.load(str(model), map_location=device).to(type_)
        module = torch.jit.freeze(module.to(memory_format=torch.channels_last).eval())

    def forward(sample: Tensor) -> Tensor:
        with torch.no_grad():
            return module(sample.to(type_).to(memory_format=torch.channels_last)).cpu()

    return forward


def forward_openvino(network: Network, precision: str, threads: int) -> Callable[[Tensor], Any]:
    import openvino

    sample = torch.zeros(1, 3, *network.input_size)
    with quiet():
        converted = openvino.convert_model(
            network.module, example_input=sample, input=list(sample.shape)
        )
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    request = openvino.Core().compile_model(converted, "CPU", settings).create_infer_request()
    return lambda sample: request.infer([sample.numpy()], share_inputs=True)


FORWARD_ONLY = ("eager", "torchscript", "torchscript_fp16", "openvino_f32", "openvino_bf16")
EXPLAINERS = ("notebook", "grad_cam", "grad_cam_frozen", "captum", "torchcam")


def forward_of(name: str, network: Network, options: Any) -> Callable[[Tensor], Any]:
    if name == "eager":
        return forward_eager(network)
    if name.startswith("torchscript"):
        type_ = torch.half if name.endswith("fp16") else torch.float
        return forward_torchscript(options.model, options.device, type_)
    return forward_openvino(network, name.split("_")[1], options.threads)


def peer_of(name: str, network: Network, options: Any) -> Peer:
    if name == "notebook":
        return notebook(network, options.layer)
    if name.startswith("grad_cam"):
        return pytorch_grad_cam(network, options.layer, frozen=name.endswith("frozen"))
    if name == "captum":
        return captum(network, options.layer)
    if name == "torchcam":
        return torchcam(network, options.layer)
    forward = forward_of(name, network, options)

    def plain(frame: Frame, sample: Tensor) -> Frame:
        forward(sample)
        return frame

    return plain


def film_frames(capture: cv2.VideoCapture, count: int) -> Iterator[Frame]:
    """`count` frames, from the beginning again where the film is shorter."""
    given = 0
    while given < count:
        found, frame = capture.read()
        if not found:
            if given == 0 or not capture.set(cv2.CAP_PROP_POS_FRAMES, 0):
                raise RuntimeError("the film cannot be read")
            continue
        given += 1
        yield frame


def prepare(frame: Frame, network: Network) -> Tensor:
    height, width = network.input_size
    picture = Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    # In numpy, so that torch's threads do not get in the way of another engine's.
    mean, std = (np.array(triple, np.float32) for triple in (network.mean, network.std))
    values = (pixels / network.scale - mean) / std
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)[None]))


def film_turn(network: Network, options: Any) -> Dict[str, float]:
    """Frames/s from the 21st frame on, decode and encode included."""
    peer = peer_of(options.peer, network, options)
    capture = cv2.VideoCapture(str(options.film))
    size = tuple(int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    rate = capture.get(cv2.CAP_PROP_FPS)
    writer = cv2.VideoWriter(str(options.output), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    if not writer.isOpened():
        raise RuntimeError(f"cannot write {options.output}")
    begin = 0.0
    for index, frame in enumerate(film_frames(capture, options.frames)):
        if index == LEFT_OUT:
            begin = time.perf_counter()
        writer.write(peer(frame, prepare(frame, network).to(options.device)))
    seconds = time.perf_counter() - begin
    writer.release()
    return {"frames_per_second": (options.frames - LEFT_OUT) / seconds}


def engine_turn(network: Network, options: Any) -> Dict[str, float]:
    """Median milliseconds of the bare forward pass."""
    forward = forward_of(options.peer, network, options)
    sample = network.normalise(pattern(*network.input_size))
    times: List[float] = []
    for _ in range(options.frames):
        begin = time.perf_counter()
        forward(sample.to(options.device))
        times.append(1000 * (time.perf_counter() - begin))
    return {"ms": statistics.median(times[LEFT_OUT:])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=(*FORWARD_ONLY, *EXPLAINERS))
    parser.add_argument("--engine", action="store_true", help="time the forward pass alone")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="its TorchScript export")
    parser.add_argument("--layer", required=True)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    random_weights = options.weights is None and options.model_name != LITE0
    network = build_network(options.model_name, options.weights, random_weights)
    network.module.to(options.device)
    torch.backends.cudnn.benchmark = True  # for one shape; it does nothing on the CPU
    turn = engine_turn if options.engine else film_turn
    print(json.dumps(turn(network, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
