#!/usr/bin/env python3
"""Whether the recipes of docs/extending.md name every file that is to be touched.

    scripts/check_recipes.py

A recipe is a heading that says how many files are enough, a numbered list that names them, and a
command that finds every file which knows one thing of that kind:

    ## A colour map (at most 2 files)
    1. `config/looks.h`: …
    Proof: `git grep -lE 'kTurbo|COLORMAP_TURBO' -- config pipeline stages samples scripts`

The command must print exactly the files of the list; files of CMake do not count. Exits with 1 and a
line for each fault.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from gradcam_tools.paths import ROOT

RECIPES = ROOT / "docs/extending.md"
HEADING = re.compile(r"\(at most (\d+) files?\)$")
STEP = re.compile(r"^\d+\. `([^`]+)`", re.MULTILINE)
PROOF = re.compile(r"^Proof: `(git grep -lE [^`]+)`", re.MULTILINE)


def faults(section: str) -> Iterator[str]:
    title = section.splitlines()[0]
    most = HEADING.search(title)
    named = STEP.findall(section)
    proof = PROOF.search(section)
    if not most or not named or not proof:
        yield "has no number of files, no numbered list of them, or no proof"
        return
    done = subprocess.run(
        shlex.split(proof.group(1)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = {name for name in done.stdout.split() if not name.endswith("CMakeLists.txt")}
    if len(named) > int(most.group(1)):
        yield f"names {len(named)} files"
    for name in sorted(found - set(named)):
        yield f"does not name {name}, which the proof finds"
    for name in sorted(set(named) - found):
        yield f"names {name}, which the proof does not find"


def main() -> int:
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    text = RECIPES.read_text(encoding="utf-8")
    recipes = [part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:] if "Proof:" in part]
    count = 0
    for section in recipes:
        for fault in faults(section):
            count += 1
            print(f"recipes: '{section.splitlines()[0]}' {fault}", file=sys.stderr)
    if not count:
        print(f"recipes: {len(recipes)} recipes name every file")
    return 1 if count or not recipes else 0


if __name__ == "__main__":
    sys.exit(main())
