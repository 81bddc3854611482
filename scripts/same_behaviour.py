#!/usr/bin/env python3
"""Two builds of the program, run on the same commands: whether they say and write the same.

    scripts/same_behaviour.py BEFORE AFTER      paths of two gradcam-live programs

For changes that are to change nothing: help, printed options, lists, refusals with their exit codes,
and of each task the JSON lines, the heat maps and the picture. Times are left out of the comparison;
all else must be equal to the byte. Both read the choice of engine that BEFORE remembered, which would
depend on the machine's speed. Networks and films of ../shared are used where they are there.
Exits with 1 if anything differs.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Sequence

from gradcam_tools.paths import ROOT, SHARED

CLASSIFIER = ROOT / "build/models/efficientnet_lite0.pt"
ENGINE = ["--engine", "torchscript", "--precision", "fp32", "--threads", "1"]
ENGINE_OPTIONS = ["engine", "precision"]
TOO_SLOW = "scorecam"  # a run of the network for each of 1280 channels
# Results that a run may leave, and an end that does not depend on the speed of the machine.
RESULTS = ["--headless", "--jsonl", "lines.jsonl", "--maps", "maps", "--stats", "stats.json", "-o"]
RESULTS += ["out_%03d.png", *ENGINE, "--no-hud"]


@dataclasses.dataclass
class Case:
    name: str
    arguments: List[str]
    environment: Dict[str, str] = dataclasses.field(default_factory=dict)


def words(text: str) -> List[str]:
    return text.split()


def plain_cases() -> List[Case]:
    """What needs no network."""
    printed = ["--help", "--version", "methods", "--print-config", "layers", "info", "bench --help"]
    printed += ["--print-config a.mp4 --config " + str(path) for path in presets()]
    printed += ["--print-config a.mp4 -o b.mp4 -o c.png --every 3 --colormap turbo --view heatmap"]
    printed += ["--print-config rtsp://u:p@h/s --engine openvino --precision bf16 --style captum"]
    refused = ["", "nothing.mp4", "nothing.png", "a.mp4 --view none", "a.mp4 --colormap rainbow"]
    refused += ["a.mp4 --style none", "a.mp4 --engine none", "a.mp4 --precision fp8", "a.mp4 --bad"]
    refused += ["a.mp4 --method none", "a.mp4 --device tpu", "a.mp4 -o out.gif", "a.mp4 -o no/a.mp4"]
    refused += ["a.mp4 -o out_%s.png", "a.mp4 --normalize none", "a.mp4 --smooth none", "a.mp4 --hd"]
    refused += ["a.mp4 --opacity 2", "a.mp4 --every 0", "a.mp4 --config none.yaml", "gst:nothing"]
    refused += ["a.mp4 -o x.mp4 -o x.mp4", "a.mp4 -o input.png", "a.mp4 -m none.pt", "a.mp4 -m a.txt"]
    refused += ["test:0x0@1", "a.mp4 --log-level none", "info nothing", "layers nothing.pt"]
    refused += ["a.mp4 --verify -1", "a.mp4 --region 1,1,0,0", "a.mp4 --start x", "rtsp://"]
    cases = [Case(text, words(text)) for text in [*printed, *refused]]
    cases.append(Case("GRADCAM_VIEW=none", words("a.mp4"), {"GRADCAM_VIEW": "none"}))
    cases.append(Case("GRADCAM_VIEWS=heatmap", words("a.mp4"), {"GRADCAM_VIEWS": "heatmap"}))
    return cases


def presets() -> List[Path]:
    return sorted((ROOT / "config").glob("*.yaml"))


def choices(program: Path) -> Dict[str, List[str]]:
    """The values of each option that takes one of a list, as the program's own table has them."""
    done = subprocess.run(
        [str(program), "--help-markdown"], capture_output=True, text=True, check=True
    )
    rows = re.findall(r"^\| `--(\S+) [^|]*\|[^|]*\| one of ([^|]*) \|", done.stdout, re.MULTILINE)
    return {name: values.split(", ") for name, values in rows if name not in ENGINE_OPTIONS}


def network_cases(before: Path) -> List[Case]:
    """Runs of the default network: every colour map, view, style and method among them."""
    run = ["input.png", "-m", "classifier.pt", *RESULTS]
    cases = [Case("classification", run)]
    values = choices(before)
    values["target"] = words("auto top:3 282 tabby none 5000 rooster")
    values["layer"] = words("auto none")
    for option, names in values.items():
        for value in names:
            if value != TOO_SLOW:
                cases.append(Case(f"--{option} {value}", [*run, f"--{option}", value]))
    for extra in ["--verify 1", "--hysteresis 0.1 --limit 1", "--inside-boxes", "--tint", "--conf 0.5"]:
        cases.append(Case(extra, [*run, *words(extra)]))
    film = ["test:320x240@10", "--every-frame", "--limit", "6", "-m", "classifier.pt"]
    results = ["--headless", "--jsonl", "lines.jsonl", "--stats", "stats.json", *ENGINE, "--no-hud"]
    for extra in ["", "--every 3", "--batch 2", "-o film.mkv", "-o null", "test:160x120@5 --mosaic"]:
        cases.append(Case(f"film {extra}", [*film, *results, *words(extra)]))
    reports = ["info classifier.pt", "layers classifier.pt", "info input.png"]
    reports += ["info classifier.pt --engine openvino", "info classifier.pt --precision int8"]
    reports += ["info classifier.pt --precision fp16 --device cpu", "info classifier.pt --target none"]
    cases += [Case(text, words(text)) for text in reports]
    for task in ("embedding", "multilabel"):
        asked = ["input.png", "-m", f"{task}.pt", *RESULTS]
        cases += [Case(task, asked), Case(f"{task} --target", [*asked, "--target", "top:2"])]
        cases.append(Case(f"{task} --reference", [*asked, "--reference", "input.png"]))
    return cases


def shared_cases() -> List[Case]:
    """The tasks that networks of ../shared have."""
    cases = []
    for name, source in {
        "chest_xray": "media/chest_xray_healthy.png",
        "pilotnet_steering": "media/highway_960x540_h264.mp4",
        "espnetv2_cityscapes": "media/highway_960x540_h264.mp4",
        "yolox_nano": "media/highway_960x540_h264.mp4",
    }.items():
        run = [str(SHARED / source), "--limit", "2", "--start", "8", "-m", f"{name}.pt", *RESULTS]
        if source.endswith(".png"):
            run = [str(SHARED / source), "-m", f"{name}.pt", *RESULTS]
        cases += [Case(name, run), Case(f"info {name}", ["info", f"{name}.pt"])]
        for extra in ["--target car", "--target up", "--target all", "--target box:9", "--smooth aug"]:
            cases.append(Case(f"{name} {extra}", [*run, *words(extra)]))
        for extra in ["--region 0,0.5,1,1", "--inside-boxes", "--tint", "--conf 0.6", "--verify 1"]:
            cases.append(Case(f"{name} {extra}", [*run, *words(extra)]))
        for extra in ["--method finercam", "--method shapleycam", "--hysteresis 0.2"]:
            cases.append(Case(f"{name} {extra}", [*run, *words(extra)]))
    return cases


def furnish(folder: Path) -> None:
    """The files that the commands name."""
    (folder / "a.txt").write_text("no network\n", encoding="utf-8")
    shutil.copy(ROOT / "docs/side_by_side.jpg", folder / "input.png")
    if CLASSIFIER.exists():
        shutil.copy(CLASSIFIER, folder / "classifier.pt")
        for task in ("embedding", "multilabel"):
            shutil.copy(CLASSIFIER, folder / f"{task}.pt")
            description = {"task": task, "layer": "_swish", "name": task}
            (folder / f"{task}.json").write_text(json.dumps(description), encoding="utf-8")
    for model in (SHARED / "models").glob("*/*.torchscript.pt"):
        name = model.parent.name
        shutil.copy(model, folder / f"{name}.pt")
        shutil.copy(ROOT / f"samples/descriptions/{name}.json", folder)


TIMES = [
    (re.compile(r'"(latency_ms|ms)":\s*\{[^{}]*\}'), "TIMES"),
    (re.compile(r'"(\w+_ms|wall_s|first_frame_s|frames_per_second|batches)":\s*[-0-9.e+]+'), "TIME"),
    (re.compile(r'"(capture|preprocess|explain|overlay|output|total)":\s*\{[^{}]*\}'), "TIMES"),
    (re.compile(r"[0-9.]+ (ms|s|min|frames/s|frames per second)\b"), "TIME"),
    (re.compile(r"\d\d:\d\d:\d\d[.0-9]*"), "CLOCK"),
]


def without_times(text: str) -> str:
    for pattern, name in TIMES:
        text = pattern.sub(name, text)
    return text


def outcome(program: Path, case: Case, furnished: Path, cache: Path) -> str:
    """All that a command says and leaves, as text."""
    with tempfile.TemporaryDirectory(prefix="same_behaviour") as made:
        folder = Path(made) / "run"
        shutil.copytree(furnished, folder, symlinks=True)
        given = {entry.name for entry in folder.iterdir()}
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache), **case.environment}
        environment.pop("DISPLAY", None)
        done = subprocess.run(
            [str(program), *case.arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        told = [f"exit {done.returncode}", "stdout:", done.stdout, "stderr:", done.stderr]
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            if path.is_dir() or place.parts[0] in given:
                continue
            if path.suffix in (".json", ".jsonl"):
                told += [f"{place}:", path.read_text(encoding="utf-8")]
            elif path.suffix == ".mkv":
                told.append(f"{place}: written")  # its encoder's own affair
            else:
                told.append(f"{place}: {hashlib.sha256(path.read_bytes()).hexdigest()}")
        return without_times("\n".join(told)).replace(str(program), "PROGRAM")


def outcomes(before: Path, after: Path, case: Case, furnished: Path, cache: Path) -> List[str]:
    """Of both programs, with nothing left to be chosen by time."""
    remembered = len(list(cache.rglob("*")))
    first = outcome(before, case, furnished, cache)
    if len(list(cache.rglob("*"))) > remembered:
        first = outcome(before, case, furnished, cache)
    return [first, outcome(after, case, furnished, cache)]


def compare(before: Path, after: Path, cases: Sequence[Case]) -> int:
    different = 0
    with tempfile.TemporaryDirectory(prefix="same_behaviour") as made:
        furnished, cache = Path(made) / "furnished", Path(made) / "cache"
        furnished.mkdir()
        cache.mkdir()
        furnish(furnished)
        for case in cases:
            texts = outcomes(before, after, case, furnished, cache)
            if texts[0] == texts[1]:
                continue
            different += 1
            print(f"--- {case.name}: {' '.join(case.arguments)}")
            lines = [text.splitlines() for text in texts]
            print("\n".join(difflib.unified_diff(*lines, "before", "after", lineterm="", n=1)))
    print(f"same_behaviour: {len(cases)} commands, {different} differ")
    return 1 if different else 0


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    before, after = (Path(text).resolve() for text in sys.argv[1:])
    cases = plain_cases()
    if CLASSIFIER.exists():
        cases += network_cases(before)
    if SHARED.exists():
        cases += shared_cases()
    return compare(before, after, cases)


if __name__ == "__main__":
    sys.exit(main())
