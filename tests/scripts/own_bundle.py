"""What the tests of bundles share: a folder, the compiler, and the program on what it made."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import torch
from PIL import Image

import compile_model
import own_models
from gradcam_tools import openvino_model
from gradcam_tools.networks.network import pattern
from gradcam_tools.quiet import quiet
from program_case import PROGRAM

WITH_OPENVINO = os.environ.get("WITH_OPENVINO", "1") == "1"

PLAIN = ("--mean", "0,0,0", "--std", "1,1,1", "--scale", "255")
SMALL = ("--input-size", f"{own_models.SIDE},{own_models.SIDE}")


def run_program(*arguments: object, cache: Path) -> subprocess.CompletedProcess:
    command = [str(PROGRAM), *map(str, arguments), "--device", "cpu"]  # what bundles are for
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


class OwnFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.bundle = self.folder / "net.bundle"

    def compile(self, *arguments: object) -> Tuple[int, str]:
        """Exit code, and what was printed on either stream."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = compile_model.main([*map(str, arguments), "-o", str(self.bundle)])
        return code, said.getvalue()

    def description(self) -> Any:
        return json.loads((self.bundle / "model.json").read_text())

    def bundle_scores(self, xml: str, sample: torch.Tensor) -> torch.Tensor:
        with quiet():
            head = torch.jit.load(str(self.bundle / "head.pt"))
        return head(*openvino_model.Compiled(self.bundle / xml, "f32")(sample))

    def program_scores(self) -> Dict[int, float]:
        """Of a picture in the network's own size, which is not resized."""
        picture = self.folder / "pattern.png"
        side = own_models.SIDE
        Image.fromarray(pattern(side, side).numpy()).save(picture)
        done = run_program(
            *(picture, "--model", self.bundle, "--engine", "openvino", "--precision", "fp32"),
            *("-o", "null", "--jsonl", "-"),
            cache=self.folder / "cache",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        top = json.loads(done.stdout.splitlines()[0])["top"]
        return {entry["class"]: entry["score"] for entry in top}

    def same_everywhere(self, eager: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Eager, the bundle in Python and the bundle in the program."""
        pixels = pattern(own_models.SIDE, own_models.SIDE)
        sample = pixels.permute(2, 0, 1)[None].float() / 255
        expected = eager(sample)
        found = self.bundle_scores("features.xml", sample)
        self.assertTrue(torch.allclose(found, expected, atol=1e-3), (found, expected))
        shares = expected[0].softmax(0)
        for label, score in self.program_scores().items():
            self.assertAlmostEqual(score, shares[label].item(), delta=1e-3)
