#!/usr/bin/env python3
"""Gives the reader of network files broken ones and sees that it neither crashes nor hangs.

  scripts/check fuzz                             builds the reader, ten minutes
  scripts/fuzz_models.py --minutes 1 --only onnx,xml
  scripts/fuzz_models.py build/fuzz/failures/*   these files alone, and what each led to

Files are made of tiny sound ones (seeds), mostly by changes to their structure; the same --seed makes
the same files. Each is read as `gradcam-live layers` reads it, in a process of its own. Right are exit 0,
and exit 4 with one line that names the file. Wrong are a crash in the program's own code, more than
--seconds of the processor or --megabytes of memory, and any other exit; such files are kept in
build/fuzz/failures. Where it is OpenVINO or LibTorch that crashes or is busy by itself, this is counted
and listed by its place, with an example in build/fuzz/outside. Exits with 1 when something was wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import IO, Dict, List, Tuple

from gradcam_tools.paths import ROOT
from gradcam_tools.project_python import use_project_python

if __name__ == "__main__":
    use_project_python("torch", "onnx", "openvino")

from gradcam_tools.fuzz.mutate_files import CHANGES, write_mutated  # noqa: E402
from gradcam_tools.fuzz.verdicts import SANITIZER, Verdict, verdict_of  # noqa: E402

FUZZ = ROOT / "build/fuzz"
FAILURES = FUZZ / "failures"
READER = ROOT / "build/release/tests/fuzz/read_models"
# Of a hundred files: what is ours to read counts most.
SHARES = {".onnx": 70, ".xml": 14, ".tflite": 8, ".pt": 8}
MOST_KEPT = 50


def environment(cache: Path) -> Dict[str, str]:
    stop = f"exitcode={SANITIZER}:halt_on_error=1:print_stacktrace=1"
    return {
        **os.environ,
        "XDG_CACHE_HOME": str(cache),
        # Whatever is allocated is not given back when the process ends.
        "ASAN_OPTIONS": f"{stop}:detect_leaks=0:max_allocation_size_mb=2000",
        "UBSAN_OPTIONS": stop,
        "TBB_ENABLE_SANITIZERS": "1",
        "OMP_NUM_THREADS": "1",
    }


@dataclasses.dataclass
class Findings:
    verdicts: Counter[Tuple[str, str]] = dataclasses.field(default_factory=Counter)
    outside: Counter[str] = dataclasses.field(default_factory=Counter)
    failures: List[str] = dataclasses.field(default_factory=list)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def add(self, path: Path, verdict: Verdict, text: str) -> None:
        with self.lock:
            self.verdicts[path.suffix, verdict.kind] += 1
            if verdict.kind == "outside":
                self.outside[verdict.why] += 1
                if self.outside[verdict.why] == 1:
                    keep(path, text, FUZZ / "outside")
            elif verdict.kind == "failed":
                self.failures.append(f"{path.name}: {verdict.why}")
                print(f"fuzz: failed: {self.failures[-1]}", flush=True)
                if len(self.failures) <= MOST_KEPT:
                    keep(path, text, FAILURES)


def keep(path: Path, text: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in (path, path.with_suffix(".bin")):
        if file.exists() and file.parent != folder:
            shutil.copy(file, folder)
    (folder / f"{path.name}.txt").write_text(text, encoding="utf-8")


class Reader:
    """One read_models, which takes one file after the other."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.name = options.program.name
        command = [str(options.program), str(options.seconds), str(options.megabytes)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(folder),
        )

    def read(self, path: Path) -> Tuple[Verdict, str]:
        to, answers = self._pipes()
        to.write(f"{path}\n".encode())
        to.flush()
        line = answers.readline().decode().rstrip("\n").split("\t")
        if len(line) != 3:
            sys.exit(f"fuzz_models: {self.name} ended at {path}")
        text = answers.read(int(line[2])).decode(errors="replace")
        return verdict_of(line[1], text, path, self.name), text

    def close(self) -> None:
        self._pipes()[0].close()
        self.process.wait()

    def _pipes(self) -> Tuple[IO[bytes], IO[bytes]]:
        assert self.process.stdin and self.process.stdout
        return self.process.stdin, self.process.stdout


def fuzz(options: argparse.Namespace, seeds: List[Path], worker: int, found: Findings) -> None:
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="fuzz") as name:
        folder = Path(name)
        reader = Reader(options, folder)
        number = 0
        while time.monotonic() < end:
            random = Random(f"{options.seed} {worker} {number}")
            kinds = [kind for kind in SHARES if kind[1:] in options.only]
            (kind,) = random.choices(kinds, [SHARES[kind] for kind in kinds])
            seed = random.choice([seed for seed in seeds if seed.suffix == kind])
            path = folder / f"{seed.stem}_{options.seed}_{worker}_{number}{kind}"
            write_mutated(seed, path, random)
            found.add(path, *reader.read(path))
            for file in folder.glob(f"{path.stem}.*"):
                file.unlink()
            number += 1
        reader.close()


def report(found: Findings, seconds: float) -> None:
    total = sum(found.verdicts.values())
    print(f"fuzz: {total} files in {seconds:.0f} s, {total / max(seconds, 1e-3):.1f} a second")
    for kind in CHANGES:
        counts = [
            f"{found.verdicts[kind, verdict]} {verdict}"
            for verdict in ("read", "refused", "outside", "failed")
            if found.verdicts[kind, verdict]
        ]
        if counts:
            print(f"  {kind}: {', '.join(counts)}")
    if found.outside:
        print("inside of libraries, by the place:")
    for place, count in found.outside.most_common():
        print(f"  {count} x {place}")
    if found.failures:
        print(f"{len(found.failures)} failures; files of the first are in {FAILURES}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="read these alone")
    parser.add_argument("--minutes", type=float, default=10, metavar="M")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--only", default=",".join(kind[1:] for kind in CHANGES), metavar="KIND,...")
    parser.add_argument("--program", type=Path, default=READER, metavar="read_models")
    parser.add_argument("--seconds", type=int, default=20, metavar="S")
    parser.add_argument("--megabytes", type=int, default=3000, metavar="MB")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for kind in options.only:
        if f".{kind}" not in CHANGES:
            parser.error(f"--only '{kind}': one of {', '.join(kind[1:] for kind in CHANGES)}")
    if not options.program.exists():
        parser.error(f"no {options.program}: scripts/check fuzz builds it")
    return options


def main() -> int:
    options = parse()
    found = Findings()
    begin = time.monotonic()
    if options.files:
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            reader = Reader(options, Path(folder))
            for path in options.files:
                if path.suffix not in CHANGES:
                    continue
                verdict, text = reader.read(path.resolve())
                print(f"{path}: {verdict.kind}: {verdict.why}\n{text}", flush=True)
                found.verdicts[path.suffix, verdict.kind] += 1
            reader.close()
        return 1 if any(kind == "failed" for _, kind in found.verdicts) else 0
    from gradcam_tools.fuzz.seeds import write_seeds  # loads torch

    seeds = write_seeds(FUZZ / "seeds")
    begin = time.monotonic()
    workers = [
        threading.Thread(target=fuzz, args=(options, seeds, worker, found), daemon=True)
        for worker in range(options.jobs)
    ]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    report(found, time.monotonic() - begin)
    return 1 if found.failures or not found.verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
