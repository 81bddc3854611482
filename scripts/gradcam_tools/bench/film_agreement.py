"""How well frames explained in one form agree with fp32, by what the program writes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import List, Sequence, Tuple

from gradcam_tools.compile import agreement
from gradcam_tools.compile.program import Program
from gradcam_tools.networks.network import NetworkError

FRAMES = 400  # of each film at most; more than those of ../shared have


def compare(
    program: Path,
    precise: Path,
    other: Tuple[Path, str],
    films: Sequence[Path],
    lead: float,
    folder: Path,
) -> agreement.Agreement:
    """Runs each film with the file `precise` in fp32, and with another file in a precision; maps
    are of the best class of each run. `folder` is for what the runs write."""
    found: List[agreement.Pair] = []
    model, precision = other
    limit = f"--limit={FRAMES}"
    try:
        for film in films:
            runs = folder / "agreement"
            shutil.rmtree(runs, ignore_errors=True)
            runs.mkdir()
            runner = Program(runs, program)
            expected = runner.explain(precise, film, "--precision=fp32", limit)
            faster = runner.explain(model, film, f"--precision={precision}", limit)
            found += agreement.pairs(expected, faster)
    except NetworkError as error:
        sys.exit(f"film_agreement: {error}")
    return agreement.summary(found, lead)
