#!/usr/bin/env python3
"""Who may include whom: holds every #include of the C++ sources against one table.

    scripts/include_order.py

A file may include its own folder's headers and those of the folders that its row names; a row that
ends in "/" stands for all folders below it. Exits with 1 and one line for each include that the
table does not allow, and for each folder that it does not know.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent

EXPLAIN = "stages/explain"
SUBJECTS = [f"{EXPLAIN}/{name}" for name in ("tasks", "model", "graph", "methods", "engines", "maps")]

# From the bottom to the top. `config` knows no stage, a stage knows no pipeline.
MAY_INCLUDE: Dict[str, List[str]] = {
    "config": [],
    "stages/frame": ["config"],
    "stages/media": [],
    "stages/preprocess": ["config", "stages/frame"],
    # In the order of the list above: each subject knows those in front of it.
    **{
        subject: ["config", "stages/frame", *SUBJECTS[:place]]
        for place, subject in enumerate(SUBJECTS)
    },
    EXPLAIN: ["config", "stages/frame", *SUBJECTS],
    "stages/overlay": ["config", "stages/frame"],
    "stages/capture": ["config", "stages/frame", "stages/media"],
    "stages/output": ["config", "stages/frame", "stages/media", "stages/overlay"],
    "pipeline": ["config", "stages/"],
    "samples": ["config", "stages/", "pipeline"],
    "tests/": ["config", "stages/", "pipeline", "tests/"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def row_of(folder: str) -> Optional[str]:
    """The row of the table that holds for a folder; None if there is none."""
    if folder in MAY_INCLUDE:
        return folder
    above = [row for row in MAY_INCLUDE if row.endswith("/") and f"{folder}/".startswith(row)]
    return above[0] if above else None


def allowed(row: str, folder: str, target: str) -> bool:
    names = [folder, *MAY_INCLUDE[row]]
    return any(
        target == name or (name.endswith("/") and f"{target}/".startswith(name)) for name in names
    )


def sources() -> List[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cpp"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in set(done.stdout.splitlines()) if (ROOT / name).exists())


def includes(name: str) -> Iterator[Tuple[int, str]]:
    text = (ROOT / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def faults(name: str) -> Iterator[str]:
    folder = str(Path(name).parent)
    # A sample in a folder of its own builds against the installed headers.
    row = row_of("samples" if folder.startswith("samples/") else folder)
    if row is None:
        yield f"{name}: folder {folder} has no row in scripts/include_order.py"
        return
    for number, header in includes(name):
        if not (ROOT / header).exists():
            yield f'{name}:{number}: "{header}" is not there, seen from the project\'s root'
            continue
        target = str(Path(header).parent)
        if not allowed(row, folder, target):
            may = ", ".join(MAY_INCLUDE[row]) or "nothing else"
            yield f'{name}:{number}: {folder} may not include "{header}" (it may include: {may})'


def main() -> int:
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    names = sources()
    found = [fault for name in names for fault in faults(name)]
    for fault in found:
        print(f"layers: {fault}", file=sys.stderr)
    if not found:
        print(f"layers: {len(names)} files include only what they may")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
