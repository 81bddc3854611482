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

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("PROGRAM_UNDER_TEST", ROOT / "build/release/gradcam-live"))


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

    def lines(self, *arguments: Any) -> List[Dict[str, Any]]:
        done = self.run_program(*arguments, "--jsonl", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]
