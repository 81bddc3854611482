"""Network files with something wrong in them: by their format where that is simple, else by bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random
from typing import Callable, Dict
from xml.etree import ElementTree

from gradcam_tools.fuzz import mutate_onnx

NUMBERS = ["", "0", "-1", "1", "3", "32", "4294967296", "9223372036854775807", "nan", "1,,2", "?"]


def bytes_changed(content: bytes, random: Random) -> bytes:
    """Cut short, or with some bytes changed, put in or left out."""
    data = bytearray(content)
    how = random.randrange(4)
    if how == 0:
        return bytes(data[: random.randrange(len(data) + 1)])
    for _ in range(random.choice([1, 2, 8, 64])):
        at = random.randrange(max(len(data), 1))
        if how == 1 and data:
            data[at] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])
        elif how == 2:
            data[at:at] = bytes(random.randrange(256) for _ in range(random.choice([1, 4, 100])))
        else:
            del data[at : at + random.choice([1, 4, 100])]
    return bytes(data)


def onnx_changed(content: bytes, random: Random) -> bytes:
    if random.random() < 0.25:
        return bytes_changed(content, random)
    return mutate_onnx.mutated(content, random)


def xml_changed(content: bytes, random: Random) -> bytes:
    if random.random() < 0.25:
        return bytes_changed(content, random)
    root = ElementTree.fromstring(content)
    for _ in range(random.choice([1, 1, 2, 4])):
        elements = list(root.iter())
        element = random.choice(elements)
        how = random.randrange(5)
        if element.attrib and how < 3:
            key = random.choice(list(element.attrib))
            others = [e.attrib[key] for e in elements if key in e.attrib]
            element.set(key, random.choice([*NUMBERS, *others]))
        elif how == 3:
            element.text = random.choice(NUMBERS)
        elif len(element):
            child = random.choice(list(element))
            if random.random() < 0.5:
                element.remove(child)
            else:
                element.append(child)
    return bytes(ElementTree.tostring(root))


def pt_changed(content: bytes, random: Random) -> bytes:
    """One member of the archive changed, and the checksums made right again."""
    if random.random() < 0.2:
        return bytes_changed(content, random)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as out:
        names = archive.namelist()
        broken = random.choice([name for name in names if name.endswith((".py", ".pkl", ".json"))])
        for name in names:
            member = archive.read(name)
            if name == broken and random.random() < 0.1:
                continue
            # Of no time: the same seed makes the same file.
            out.writestr(zipfile.ZipInfo(name), bytes_changed(member, random) if name == broken else member)
    return made.getvalue()


CHANGES: Dict[str, Callable[[bytes, Random], bytes]] = {
    ".onnx": onnx_changed,
    ".xml": xml_changed,
    ".tflite": bytes_changed,
    ".pt": pt_changed,
}


def write_mutated(seed: Path, path: Path, random: Random) -> None:
    """The seed with changes, at `path`; of OpenVINO's format with the weights beside it, now and then
    others than it had."""
    path.write_bytes(CHANGES[seed.suffix](seed.read_bytes(), random))
    if seed.suffix == ".xml":
        weights = seed.with_suffix(".bin").read_bytes()
        if random.random() < 0.1:
            weights = bytes_changed(weights, random)
        path.with_suffix(".bin").write_bytes(weights)
