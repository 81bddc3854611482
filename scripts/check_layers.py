#!/usr/bin/env python3
"""Who may include whom, and how large a folder or a file may grow: held against the tables here.

    scripts/check layers

A file may include its own folder's headers and those of the folders that its row names; a row that
ends in "/" stands for all folders below it. A library's headers stay in the folders that are named
for it. Exits with 1 and one line for each fault.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from gradcam_tools.paths import ROOT

EXPLAIN = "stages/explain"
SUBJECTS = [
    f"{EXPLAIN}/{name}"
    for name in ("tasks", "files", "model", "import", "graph", "methods", "engines", "maps")
]

# From the bottom to the top. `config` knows no stage, a stage knows no pipeline.
MAY_INCLUDE: Dict[str, List[str]] = {
    "config": [],
    "stages/media": [],
    "stages/picture/kernels": [],
    "stages/picture": ["stages/picture/kernels"],
    "stages/frame": ["config", "stages/picture"],
    "stages/preprocess": ["config", "stages/frame", "stages/picture"],
    # In the order of the list above: each subject knows those in front of it.
    **{
        subject: ["config", "stages/frame", *SUBJECTS[:place]]
        for place, subject in enumerate(SUBJECTS)
    },
    EXPLAIN: ["config", "stages/frame", *SUBJECTS],
    "stages/overlay": [
        *("config", "stages/frame"),
        *("stages/picture", "stages/picture/kernels"),
    ],
    "stages/capture/formats": ["config"],
    "stages/capture/pictures": ["config"],
    "stages/capture": [
        *("config", "stages/frame", "stages/media", "stages/picture"),
        *("stages/capture/formats", "stages/capture/pictures"),
    ],
    "stages/output": [
        *("config", "stages/frame", "stages/media", "stages/overlay", "stages/picture"),
    ],
    "pipeline": ["config", "stages/"],
    "samples": ["config", "stages/", "pipeline"],  # of these, the public headers
    "tests/": ["config", "stages/", "pipeline", "tests/"],
}

# Where the headers of a library may be included, tests and samples apart.
LIBRARIES: Dict[str, List[str]] = {
    "torch": ["stages/explain/"],
    "ATen": ["stages/explain/"],
    "c10": ["stages/explain/"],
    "openvino": ["stages/explain/import", "stages/explain/engines"],
    "libavformat": ["stages/capture"],
    "libavcodec": ["stages/capture"],
    "libavutil": ["stages/capture"],
    "libswscale": ["stages/capture"],
    "gst": ["stages/media", "stages/capture", "stages/output"],
    "tbb": ["pipeline"],
    "oneapi": ["pipeline"],
}

# The sub-packages of scripts/gradcam_tools: each may import from itself and from those in front of it.
PACKAGES = ["networks", "export", "compile", "bench", "table", "fuzz"]

PUBLIC_HEADERS = ROOT / "cmake/GradcamPublicHeaders.cmake"

# A folder past this holds two subjects, a source past this two things.
MOST_FILES = {"stages": 40, "scripts": 25}
MOST_LINES = 400
LONG_SOURCES = ["config/option_table.cpp"]  # a table: one row for each option

IMPORT = re.compile(r"^\s*(?:from|import) gradcam_tools\.(\w+)")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def within(folder: str, names: Iterable[str]) -> bool:
    """Whether the folder is one of the names, or below one that ends in "/"."""
    return any(
        folder == name or (name.endswith("/") and f"{folder}/".startswith(name)) for name in names
    )


def row_of(folder: str) -> Optional[str]:
    """The row of the table that holds for a folder; None if there is none."""
    return next((row for row in MAY_INCLUDE if within(folder, [row])), None)


def files(*patterns: str) -> List[str]:
    """The project's files as they are in the working tree, those of no commit yet among them."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in set(done.stdout.splitlines()) if (ROOT / name).exists())


def includes(name: str) -> Iterator[Tuple[int, bool, str]]:
    """Line, whether it is one of the project's own, and the header."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def own_fault(folder: str, row: str, header: str) -> Optional[str]:
    if not (ROOT / header).exists():
        return f'"{header}" is not there, seen from the project\'s root'
    if folder == "samples" and header not in PUBLIC_HEADERS.read_text(encoding="utf-8").split():
        return f'"{header}" is not public ({PUBLIC_HEADERS.relative_to(ROOT)})'
    target = str(Path(header).parent)
    if within(target, [folder, *MAY_INCLUDE[row]]):
        return None
    may = ", ".join(MAY_INCLUDE[row]) or "nothing else"
    return f'{folder} may not include "{header}" (it may include: {may})'


def library_fault(folder: str, header: str) -> Optional[str]:
    places = LIBRARIES.get(header.split("/")[0])
    if places is None or within(folder, [*places, "tests/", "samples"]):
        return None
    return f"{folder} may not include <{header}> ({', '.join(places)} may)"


def include_faults(name: str) -> Iterator[str]:
    folder = str(Path(name).parent)
    if folder.startswith("samples/"):  # a project of its own, against the installed headers
        folder = "samples"
    row = row_of(folder)
    if row is None:
        yield f"{name}: folder {folder} has no row in scripts/check_layers.py"
        return
    for number, own, header in includes(name):
        fault = own_fault(folder, row, header) if own else library_fault(folder, header)
        if fault:
            yield f"{name}:{number}: {fault}"


def import_faults(name: str) -> Iterator[str]:
    package = Path(name).parent.name
    later = PACKAGES[PACKAGES.index(package) + 1 :] if package in PACKAGES else PACKAGES
    text = (ROOT / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        found = IMPORT.match(line)
        if found and found.group(1) in later:
            yield f"{name}:{number}: {package} may not import from gradcam_tools.{found.group(1)}"


def size_faults(names: List[str]) -> Iterator[str]:
    for top, most in MOST_FILES.items():
        folders = Counter(str(Path(name).parent) for name in files(top))
        for folder, count in sorted(folders.items()):
            if count > most:
                yield f"{folder}/ holds {count} files of its own, {most} at most"
    for name in names:
        lines = (ROOT / name).read_text(encoding="utf-8").count("\n")
        if lines > MOST_LINES and name not in LONG_SOURCES:
            yield f"{name} has {lines} lines, {MOST_LINES} at most"


def main() -> int:
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    names = files("*.h", "*.cpp")
    found = [fault for name in names for fault in include_faults(name)]
    modules = files("scripts/gradcam_tools/*.py")
    found += [fault for name in modules for fault in import_faults(name)]
    found += size_faults(names)
    for fault in found:
        print(f"layers: {fault}", file=sys.stderr)
    if not found:
        print(f"layers: {len(names) + len(modules)} files include and import only what they may")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
