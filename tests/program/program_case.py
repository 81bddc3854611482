"""What tests of the program from outside share: a folder, and the program run in it.

ctest runs these tests. By hand, from the top of the repository:

    export PYTHONPATH=scripts:tests/program PROGRAM_UNDER_TEST=build/release/gradcam-live
    .venv/bin/python tests/program/e2e_test.py Program.test_a_gif_ends_with_its_last_picture
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List

from gradcam_tools.paths import PROGRAM, ROOT

__all__ = ["PROGRAM", "ROOT", "QUICK", "ProgramCase", "ffmpeg", "make_ramp"]

# Nothing is measured before, and one map serves all frames.
QUICK = ("--engine", "torchscript", "--precision", "fp32", "--every", "1000")


def ffmpeg(*arguments: Any) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def make_ramp(path: Path, *options: Any, rate: str = "25", count: int = 50, step: int = 4) -> Path:
    """A film that is grey, in frame i of level 20 + step i: each frame tells its number. `options`:
    ffmpeg's for the output."""
    grey = f"color=c=black:s=64x48:r={rate},geq=lum='20+{step}*N':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", grey, "-frames:v", count, *options, path)
    return path


class ProgramCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="program_case")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_program(self, *arguments: Any) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAM), *map(str, arguments), "--headless"]
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=300, env=environment, check=False
        )

    def refused(self, code: int, words: str, *arguments: Any) -> str:
        """What the program says: one line of its own, which holds the words."""
        done = self.run_program(*arguments)
        self.assertEqual((done.returncode, done.stderr.count("gradcam-live:")), (code, 1), done.stderr)
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("gradcam-live: ")]
        self.assertIn(words, line)
        return done.stderr

    def lines(self, *arguments: Any) -> List[Dict[str, Any]]:
        done = self.run_program(*arguments, "--jsonl", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]
