"""Frames of a user's own film or folder of pictures, sampled evenly."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator, List, Sequence, cast

import numpy as np
import torch
from network import USAGE, NetworkError, first_line
from PIL import Image, ImageOps
from torch import Tensor

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def read(source: Path, count: int, size: Sequence[int]) -> List[Tensor]:
    """At most `count` frames, u8 RGB HxWx3 of `size` [H, W], stretched as the program does it."""
    if source.is_dir():
        pictures = _pictures(source, count)
    elif source.is_file():
        pictures = _film(source, count)
    else:
        raise NetworkError(USAGE, f"'{source}': no such film or folder of pictures")
    height, width = size
    resized = (picture.resize((width, height), Image.Resampling.BILINEAR) for picture in pictures)
    return [torch.from_numpy(np.asarray(picture).copy()) for picture in resized]


def _pictures(folder: Path, count: int) -> Iterator[Image.Image]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    for index in _evenly(len(paths), count):
        try:
            with Image.open(paths[index]) as picture:
                yield ImageOps.exif_transpose(picture).convert("RGB")
        except OSError as error:
            raise NetworkError(USAGE, f"'{paths[index]}': not a picture ({error})") from None


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
    """Pictures in a row, each with its header: a rotated film has not the size it claims."""
    while stream.readline() == b"P6\n":
        width, height = map(int, stream.readline().split())
        stream.readline()  # the largest value
        yield Image.frombytes("RGB", (width, height), stream.read(3 * width * height))


def _length(film: Path) -> int:
    """Frames in the first picture track, by its packets: containers claim too much or nothing."""
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
