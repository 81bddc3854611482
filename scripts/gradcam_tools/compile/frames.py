"""Frames of a user's own films and pictures, sampled evenly."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator, List, Sequence, Tuple, cast

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gradcam_tools.networks.network import USAGE, Framing, NetworkError, first_line

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def read(source: Path, count: int) -> Iterator[Image.Image]:
    """At most `count` frames in RGB, one after another: all of them may not fit into memory."""
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() in PICTURES)
        return map(_picture, (paths[index] for index in _evenly(len(paths), count)))
    if not source.is_file():
        raise NetworkError(USAGE, f"'{source}': no such film, picture or folder of pictures")
    return map(_picture, [source]) if source.suffix.lower() in PICTURES else _film(source, count)


def to_tensor(picture: Image.Image, size: Sequence[int], framing: Framing) -> Tensor:
    """u8 RGB HxWx3 of `size` [H, W], framed as the program does it."""
    return torch.from_numpy(np.asarray(frame(picture, size, framing)).copy())


def frame(picture: Image.Image, size: Sequence[int], framing: Framing) -> Image.Image:
    """Cropped and resized to `size` [H, W], as stages/preprocess/preprocess.cpp does it."""
    height, width = size
    if framing.crop:
        top, left, bottom, right = framing.crop
        x, y = round(left * picture.width), round(top * picture.height)
        right, bottom = round(right * picture.width), round(bottom * picture.height)
        picture = picture.crop((x, y, max(x + 1, right), max(y + 1, bottom)))
    if framing.resize == "stretch":
        return _resized(picture, (width, height), framing)
    across, down = width / picture.width, height / picture.height
    if framing.resize == "center-crop":
        scale = max(across, down)
        large = max(width, int(picture.width * scale)), max(height, int(picture.height * scale))
        x, y = round((large[0] - width) / 2), round((large[1] - height) / 2)
        return _resized(picture, large, framing).crop((x, y, x + width, y + height))
    scale = min(across, down)
    small = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    boxed = Image.new("RGB", (width, height), (framing.pad_value,) * 3)
    centred = (width - small[0]) // 2, (height - small[1]) // 2
    boxed.paste(
        _resized(picture, small, framing), centred if framing.pad_align == "center" else (0, 0)
    )
    return boxed


def _resized(picture: Image.Image, size: Tuple[int, int], framing: Framing) -> Image.Image:
    if framing.antialias:
        return picture.resize(size, Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float()
    plain = torch.nn.functional.interpolate(pixels, (size[1], size[0]), mode="bilinear")
    return Image.fromarray(plain[0].round().byte().permute(1, 2, 0).numpy())


def _picture(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except OSError as error:
        raise NetworkError(USAGE, f"'{path}': not a picture ({error})") from None


def _film(film: Path, count: int) -> Iterator[Image.Image]:
    length = _length(film)
    share = f"{min(count, length)}/{length}"
    with tempfile.TemporaryFile() as errors:
        decoder = subprocess.Popen(
            [
                *("ffmpeg", "-v", "error", "-nostdin", "-i", str(film), "-map", "0:v:0"),
                *("-vf", f"select=gt(floor(n*{share})\\,floor((n-1)*{share}))"),
                *("-fps_mode", "passthrough", "-f", "image2pipe", "-c:v", "ppm", "-"),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with decoder:
            yield from _ppm(cast(BinaryIO, decoder.stdout))
        if decoder.returncode:
            errors.seek(0)
            reason = first_line(Exception(errors.read().decode(errors="replace")))
            raise NetworkError(USAGE, f"'{film}': cannot be decoded ({reason})")


def _ppm(stream: BinaryIO) -> Iterator[Image.Image]:
    """Reads pictures one after another. The size is that of each header, because a rotated film
    does not have the size that its container states."""
    while stream.readline() == b"P6\n":
        width, height = map(int, stream.readline().split())
        stream.readline()  # the largest value
        yield Image.frombytes("RGB", (width, height), stream.read(3 * width * height))


def _length(film: Path) -> int:
    """How many frames the first video track has, by its packets: the length that a container states
    may be too large, or missing."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"]
    command += ["-show_entries", "stream=nb_read_packets", "-of", "json", str(film)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NetworkError(USAGE, "needs ffmpeg and ffprobe: run scripts/setup") from None
    streams = json.loads(done.stdout or "{}").get("streams") or []
    packets = int(streams[0].get("nb_read_packets", 0)) if streams else 0
    if packets == 0:
        reason = first_line(Exception(done.stderr or "no pictures in it"))
        raise NetworkError(USAGE, f"'{film}': not a film ({reason})")
    return packets


def _evenly(length: int, count: int) -> List[int]:
    """`count` indices over the whole length, or all of them where there are fewer."""
    count = min(length, count)
    return [i * length // count for i in range(count)]
