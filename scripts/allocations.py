#!/usr/bin/env python3
"""Shows which large blocks of memory a run asks for again with each frame, by heaptrack.

    scripts/allocations.py [FILM] [--frames 200] [--program build/release/gradcam-live]

Annotates FILM (default: the sample clip) to a file. A place in the program that asks for 64 KiB or
more on at least every second frame is listed with its callers. Places in LibTorch, OpenVINO and the
libraries that decode and encode are theirs; any other ends the script with 1.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from gradcam_tools import sample_clip
from gradcam_tools.paths import PROGRAM
from gradcam_tools.project_python import use_project_python

LARGE = 64 * 1024
THEIRS = ("libtorch", "libc10", "libopenvino", "libgst", "libav", "libx264", "libsw", "libgomp")


@dataclasses.dataclass
class Place:
    """Where memory is asked for: modules and functions, innermost first."""

    size: int
    count: int
    stack: List[Tuple[str, str]]

    @property
    def owner(self) -> str:
        """The first module that is neither the allocator nor the C++ library."""
        names = (Path(module).name for module, _ in self.stack)
        passing = ("libheaptrack", "libstdc++", "libc.so", "libglib", "libopencv_core")
        return next((name for name in names if not name.startswith(passing)), "?")

    @property
    def theirs(self) -> bool:
        return self.owner.startswith(THEIRS)


def lines_of(recording: Path) -> Iterator[List[str]]:
    """Of heaptrack's interpreted format: a letter and numbers in hexadecimal, or a string."""
    with subprocess.Popen(["zstd", "-dcq", str(recording)], stdout=subprocess.PIPE) as unpack:
        assert unpack.stdout is not None
        for line in unpack.stdout:
            yield line.decode(errors="replace").rstrip("\n").split(" ")


def places_of(recording: Path) -> List[Place]:
    strings: List[str] = [""]
    codes: List[Tuple[str, str]] = [("", "")]  # by instruction pointer: module, function
    traces: List[Tuple[int, int]] = [(0, 0)]  # instruction pointer, parent
    blocks: List[Tuple[int, int]] = []  # size, trace
    counts: Dict[int, int] = collections.Counter()
    for kind, *fields in lines_of(recording):
        if kind == "s":
            strings.append(" ".join(fields[1:]))
        elif kind == "i":
            numbers = [int(field, 16) for field in fields]
            function = strings[numbers[2]] if len(numbers) > 2 else ""
            codes.append((strings[numbers[1]], function))
        elif kind == "t":
            traces.append((int(fields[0], 16), int(fields[1], 16)))
        elif kind == "a":
            blocks.append((int(fields[0], 16), int(fields[1], 16)))
        elif kind == "+":
            counts[int(fields[0], 16)] += 1
    places = []
    for block, count in counts.items():
        size, trace = blocks[block]
        if size < LARGE:
            continue
        stack = []
        while trace:
            code, trace = traces[trace]
            stack.append(codes[code])
        places.append(Place(size, count, stack))
    return places


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", nargs="?", type=Path, metavar="FILM")
    parser.add_argument("--frames", type=int, default=200, metavar="N")
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="FILE")
    options = parser.parse_args()
    for tool in ("heaptrack", "zstd"):
        if not shutil.which(tool):
            parser.error(f"needs {tool} (a Debian package of that name)")
    with tempfile.TemporaryDirectory(prefix="allocations") as name:
        recording = Path(name) / "run"
        command = ["heaptrack", "-o", str(recording), str(options.program)]
        command += [str(options.film or sample_clip.path()), "-o", str(Path(name) / "film.mp4")]
        command += ["--limit", str(options.frames)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        found = list(Path(name).glob("run*.zst"))
        if run.returncode or not found:
            sys.exit(f"allocations: {run.stderr.strip()[-300:]}")
        places = [p for p in places_of(found[0]) if p.count >= options.frames / 2]
    places.sort(key=lambda place: -place.count * place.size)
    for place in places:
        print(f"{place.count / options.frames:6.1f} a frame of {place.size / 1024:.0f} KiB", end="")
        print(f" by {place.owner}{'' if place.theirs else '  <-- ours'}")
        if not place.theirs:
            for module, function in place.stack[:12]:
                print(f"         {function or '?'} ({Path(module).name})")
    ours = sum(not place.theirs for place in places)
    print(f"{len(places)} places ask for {LARGE // 1024} KiB or more with each frame, {ours} ours")
    return 1 if ours else 0


if __name__ == "__main__":
    use_project_python("skvideo")
    sys.exit(main())
