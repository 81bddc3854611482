#!/usr/bin/env python3
"""Runs the program over many frames and sees that memory and threads do not grow.

    scripts/soak.py [--frames 10000] [--program build/release/gradcam-live] [-- OPTIONS...]

Twice: every frame of the pattern as fast as it goes, and live at 1000 frames per second, where most
are dropped. Resident memory at the end may be at most 1.02 times that at frame 500, and the number
of threads the same. Exits with 1 when it is not so.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

from gradcam_tools.paths import PROGRAM

SETTLED = 500
GROWTH = 1.02


def status(pid: int) -> Dict[str, int]:
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return {"kib": int(fields["VmRSS"].split()[0]), "threads": int(fields["Threads"])}


def soak(command: List[str], frames: int) -> bool:
    """Follows the JSON lines of the run; the program waits while nobody reads them."""
    print("soak:", " ".join(command), flush=True)
    settled = last = {"kib": 0, "threads": 0}
    peak_threads = shown = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            json.loads(line)
            shown += 1
            if shown % 100 == 0:
                last = status(process.pid)
                peak_threads = max(peak_threads, last["threads"])
            if shown == SETTLED:
                settled = last
        code = process.wait(timeout=60)
    growth = last["kib"] / max(settled["kib"], 1)
    print(
        f"soak: exit {code}, {shown} frames shown, resident {settled['kib'] / 1024:.0f} MiB at frame "
        f"{SETTLED}, {last['kib'] / 1024:.0f} MiB at the end ({growth:.3f}x), threads "
        f"{settled['threads']}, at most {peak_threads}"
    )
    enough = shown > 2 * SETTLED and shown <= frames
    return code == 0 and enough and growth <= GROWTH and peak_threads <= settled["threads"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10000)
    parser.add_argument("--program", default=str(PROGRAM))
    parser.add_argument("options", nargs="*")
    args = parser.parse_args()
    if args.frames <= 2 * SETTLED:
        parser.error(f"--frames: more than {2 * SETTLED}")
    if not Path(args.program).is_file():
        parser.error(f"no {args.program}: run scripts/build first")
    base = [args.program, "--jsonl", "-", "--log-level", "error", *args.options]
    runs = [
        [*base, "test", "--limit", str(args.frames)],
        [*base, "test:@1000", "--live", "--limit", str(10 * args.frames)],
    ]
    return 0 if all([soak(run, 10 * args.frames) for run in runs]) else 1


if __name__ == "__main__":
    sys.exit(main())
