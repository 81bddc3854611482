"""gradcam-live on one file: what it says, its map, and what it costs."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import resource
import signal
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
from PIL import Image

METHODS = {"detection": "hirescam"}  # by the task; for the others gradcam
ENGINE = re.compile(r", (\w+ \w+(?: optimized)?) on (?:cpu|cuda)")
EXPLAINED = re.compile(r"^\s*explained\s+([\d.]+) ms", re.MULTILINE)
PATIENCE = 10  # a run may wait so many times its limit for a processor that others use


@dataclasses.dataclass
class Trial:
    """`why`: the program's line where it refused the file, else empty."""

    why: str = ""
    engine: str = ""
    line: Dict[str, Any] = dataclasses.field(default_factory=dict)
    heat: Optional[np.ndarray] = None
    said: List[str] = dataclasses.field(default_factory=list)


class Program:
    """`folder`: for what it caches and writes. `limit_s`: of processor time, for each of a run's two
    threads."""

    def __init__(self, path: Path, folder: Path, limit_s: float) -> None:
        self.path, self.folder, self.limit_s = path, folder, limit_s

    def explain(self, file: Path, picture: Path, options: List[str]) -> Trial:
        """The raw map of one picture, at its size."""
        maps = self.folder / "maps"
        command = ["run", str(picture), "--model", str(file), "--output", "null", "--jsonl", "-"]
        command += ["--style", "raw", "--maps", str(maps), "--overwrite", "--headless", *options]
        for old in maps.glob("*.tiff"):
            old.unlink()
        done = self._run(command)
        if isinstance(done, str):
            return Trial(why=done)
        said = done.stderr.strip().splitlines()
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        files = sorted(maps.glob("*.tiff"))
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return Trial(why=f"not done after {self.limit_s:.0f} s")
        if done.returncode != 0 or len(lines) != 1:
            why = reason(done.returncode, said).replace(f"model '{file}': ", "")
            return Trial(why=why.replace(str(file), file.name), said=said)
        engine = next((m[1] for m in map(ENGINE.search, said) if m), "")
        if not lines[0].get("targets") or not files:
            return Trial("nothing found to explain", engine, lines[0], None, said)
        return Trial("", engine, lines[0], np.asarray(Image.open(files[0])), said)

    def milliseconds(self, file: Path, picture: Path, options: List[str]) -> Optional[float]:
        """Of one explained picture, the engine alone."""
        done = self._run(["bench", str(picture), "--model", str(file), *options])
        if isinstance(done, str) or done.returncode != 0:
            return None
        found = EXPLAINED.search(done.stdout + done.stderr)
        return float(found[1]) if found else None

    def _run(self, arguments: List[str]) -> Any:
        """The finished run, or why there is none."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("GRADCAM_")}
        own["XDG_CACHE_HOME"] = str(self.folder / "cache")
        own.pop("OMP_NUM_THREADS", None)
        try:
            return subprocess.run(
                [str(self.path), *arguments],
                capture_output=True,
                text=True,
                timeout=PATIENCE * self.limit_s,
                env=own,
                check=False,
                preexec_fn=self._limit,
            )
        except subprocess.TimeoutExpired:
            return f"not done after {PATIENCE * self.limit_s:.0f} s"
        except OSError as error:
            return f"cannot be started: {error.strerror}"

    def _limit(self) -> None:
        seconds = int(2 * self.limit_s)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def reason(code: int, said: List[str]) -> str:
    """The program's one line."""
    own = [line for line in said if line.startswith("gradcam-live: ")]
    if own:
        return own[-1].removeprefix("gradcam-live: ")
    return f"exit {code}: {(said or ['without a word'])[-1]}"[:300]
