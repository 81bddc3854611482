"""What a network file costs: explained against plain inference of it, the formats against each other,
an older build, int8, memory, the start."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from gradcam_tools.bench.peer_environment import VENV_PYTHON, run_command
from gradcam_tools.bench.row import Row
from gradcam_tools.bench.turns import LITE0, last_json
from gradcam_tools.paths import RESNET50_WEIGHTS, SCRIPTS, SHARED
from gradcam_tools.processor import has_bf16, has_vnni

if TYPE_CHECKING:
    from gradcam_tools.bench.figures import Figures

YOLOX = SHARED / "models/yolox_nano/yolox_nano.onnx"
YOLOX_LABELS = SHARED / "models/yolox_nano/labels.txt"
STREET = SHARED / "media/cars_768x432_h264.mp4"
SWIN, VIT, YOLO = "swin_t", "timm/vit_small_patch16_224", "yolox_nano"

# How many times as fast as the older build.
AGAINST_BEFORE = {LITE0: 3.0, "mobilenet_v2": 1.9, "resnet50": 1.35, YOLO: 1.5, SWIN: 1.35}
FORMS = ("pt", "onnx", "xml")
OF_EACH_FORM = ("resnet50", "mobilenet_v2", SWIN)
CLASSIFIERS = (LITE0, "mobilenet_v2", "resnet50")
QUICK_MS = 5.0  # a frame below which what each call costs counts more
FRAMES = 60
SETTLED = 250  # frames


@dataclasses.dataclass
class Build:
    """A program, and where it keeps the engines that it chose: another build must not take them over."""

    program: Path
    cache: Path


class ModelFigures:
    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.options = figures.options
        self.folder = figures.folder / "models"
        self.folder.mkdir()
        self.now = Build(self.options.program, self.folder / "cache")
        before = self.options.before
        self.before = Build(before, self.folder / "cache_before") if before else None
        self.files: Dict[Tuple[str, str], Path] = {}

    def rows(self) -> List[Row]:
        parts: List[Callable[[], List[Row]]] = [
            self.against_before, self.forms, self.against_plain, self.detectors, self.vit, self.int8,
            self.memory, self.start,
        ]  # fmt: skip
        return [row for part in parts for row in part()]

    # -- files

    def file(self, network: str, form: str) -> Path:
        """Made when it is first asked for."""
        if (network, form) not in self.files:
            path = self.folder / f"{network.rpartition('/')[2]}.{form}"
            if form == "xml":
                convert(self.file(network, "onnx"), path)
            else:
                self._export(network, path)
            self.files[network, form] = path
        return self.files[network, form]

    def _export(self, network: str, path: Path) -> None:
        command = [str(VENV_PYTHON), str(SCRIPTS / "export_model.py")]
        if network == YOLO:
            command += [str(YOLOX), "--format", "yolox", "--labels", str(YOLOX_LABELS)]
        else:
            command.append(network)
            if network == "resnet50" and RESNET50_WEIGHTS.exists():
                command += ["--weights", str(RESNET50_WEIGHTS)]
            elif network != LITE0:
                command.append("--random-weights")
        _, reason = run_command([*command, "-o", str(path)])
        if reason:
            sys.exit(f"bench_figures: {network}: {reason}")

    # -- measures, in milliseconds unless they say otherwise

    def run(self, build: Build, *arguments: object) -> Dict[str, Any]:
        """The program's --stats, and "wall_s" of the process."""
        stats = self.folder / "stats.json"
        stats.unlink(missing_ok=True)
        command = [str(build.program), *map(str, arguments), "-y", "--stats", str(stats)]
        command += ["--device", "cpu", "--threads", str(self.options.threads)]
        begin = time.monotonic()
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=900, env=self._environment(build)
        )
        wall = time.monotonic() - begin
        if done.returncode:
            sys.exit(f"bench_figures: {' '.join(command)}: {done.stderr.strip()[-300:]}")
        return {**json.loads(stats.read_text()), "wall_s": wall}

    @staticmethod
    def _environment(build: Build) -> Dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(build.cache)}

    def explained(self, build: Build, file: Path, precision: str = "fp32", *more: object) -> float:
        arguments = ["--model", file, "--precision", precision, *more]
        run = self.run(build, "bench", "test", "--limit", 5, "-o", "null", *arguments)
        return float(run["engine"]["explained_ms"]["p50"])

    def explained_boxes(self, build: Build, file: Path, target: str) -> float:
        """Frames of a street, one at a time, so that nothing else runs beside the network."""
        arguments = ["--model", file, "--precision", "fp32", "--target", target]
        arguments += ["--frames-in-flight", 1, "--every-frame", "--limit", FRAMES, "--conf", 0.01]
        run = self.run(build, STREET, "-o", "null", *arguments)
        return float(run["streams"][0]["latency_ms"]["explain"]["p50"])

    def plain(self, file: Path, precision: str = "f32", key: str = "ms") -> float:
        command = [str(VENV_PYTHON), str(SCRIPTS / "gradcam_tools/bench/plain_openvino.py")]
        command += [str(file), "--precision", precision, "--frames", str(FRAMES)]
        output, reason = run_command([*command, "--threads", str(self.options.threads)])
        found = last_json(output)
        if key not in found:
            sys.exit(f"bench_figures: plain OpenVINO on {file.name}: {reason or 'no figure'}")
        return float(found[key])

    def ratio(
        self,
        what: str,
        allowed: Any,
        ours: Callable[[], float],
        theirs: Callable[[], float],
        most: bool = True,
    ) -> Row:
        """`ours` to `theirs`, or the other way round where more is better. `allowed`: a number, or a
        function of the median of `theirs`."""
        mine, other = self.figures.turns(ours, theirs)
        found = mine / other if most else other / mine
        limit = allowed(other) if callable(allowed) else allowed
        return Row(what, limit, found, most=most, detail=f"{mine:.2f} / {other:.2f} ms")

    # -- the figures

    def against_before(self) -> List[Row]:
        if self.before is None:
            self.figures.left_out.append("frames against an older build: no --before")
            return []
        before, rows = self.before, []
        for network, least in AGAINST_BEFORE.items():
            if network == YOLO and not self._has_yolox("against an older build"):
                continue
            file = self.file(network, "pt")
            if network == YOLO:
                measures = [
                    lambda build=build: self.explained_boxes(build, file, "box")
                    for build in (self.now, before)
                ]
            else:
                measures = [
                    lambda build=build: self.explained(build, file) for build in (self.now, before)
                ]
            what = f"{network}.pt, fp32: explained, against the older build"
            rows.append(self.ratio(what, least, *measures, most=False))
        return rows

    def _has_yolox(self, figure: str) -> bool:
        there = YOLOX.exists() and STREET.exists()
        if not there:
            self.figures.left_out.append(f"YOLOX-nano {figure}: needs ../shared")
        return there

    def forms(self) -> List[Row]:
        rows = []
        for network in OF_EACH_FORM:
            files = [self.file(network, form) for form in FORMS]
            medians = self.figures.turns(
                *(lambda file=file: self.explained(self.now, file) for file in files)
            )
            detail = " / ".join(f"{median:.2f}" for median in medians) + " ms"
            what = f"{network}, fp32: explained from {', '.join(FORMS)}: slowest against quickest"
            rows.append(Row(what, 1.03, max(medians) / min(medians), detail=detail))
        return rows

    def against_plain(self) -> List[Row]:
        rows = []
        for precision, name, allowed in (("fp32", "f32", 1.03), ("bf16", "bf16", 1.05)):
            if precision == "bf16" and not has_bf16():
                self.figures.left_out.append("bf16: this processor has none")
                continue
            for network in CLASSIFIERS:
                file = self.file(network, "onnx")
                rows.append(
                    self.ratio(
                        f"{network}.onnx, {precision}: explained against OpenVINO's plain inference",
                        lambda plain, allowed=allowed: 1.08 if plain < QUICK_MS else allowed,
                        lambda: self.explained(self.now, file, precision),
                        lambda: self.plain(file, name),
                    )
                )
        return rows

    def detectors(self) -> List[Row]:
        files: Dict[str, Path] = {}
        if self._has_yolox("against plain inference"):
            files["yolox_nano.onnx"] = self.file(YOLO, "onnx")
        if self.options.detector is None:
            self.figures.left_out.append("a detector of YOLOv8's size: no --detector FILE")
        elif not STREET.exists():
            self.figures.left_out.append(f"{self.options.detector.name}: needs ../shared")
        else:
            files[self.options.detector.name] = self.options.detector
        rows = []
        for name, file in files.items():
            for boxes, target, allowed in (("best box", "box", 1.35), ("ten boxes", "top:10", 1.6)):
                rows.append(
                    self.ratio(
                        f"{name}, fp32: {boxes} explained, against OpenVINO's plain inference",
                        allowed,
                        lambda: self.explained_boxes(self.now, file, target),
                        lambda: self.plain(file),
                    )
                )
        return rows

    def vit(self) -> List[Row]:
        file = self.file(VIT, "onnx")
        what = "ViT-S, fp32: last block explained, against OpenVINO's plain inference"
        return [
            self.ratio(what, 1.10, lambda: self.explained(self.now, file), lambda: self.plain(file))
        ]

    def int8(self) -> List[Row]:
        if not has_vnni():
            self.figures.left_out.append("int8 against fp32: this processor has no VNNI")
            return []
        from gradcam_tools.bench import quantised_file
        from gradcam_tools.networks.network import pattern

        precise = self.file("resnet50", "onnx")
        file = self.folder / "resnet50_qdq.onnx"
        sample = (pattern(224, 224).permute(2, 0, 1)[None].float().numpy() / 255 - 0.45) / 0.225
        quantised_file.quantise(precise, file, [sample, sample[..., ::-1].copy()])
        what = "resnet50, QDQ int8: explained, against its fp32 file"
        return [
            self.ratio(
                what,
                3.5,
                lambda: self.explained(self.now, file, "auto"),
                lambda: self.explained(self.now, precise),
                most=False,
            )
        ]

    def memory(self) -> List[Row]:
        """Resident. Loading the libraries is what --version costs."""
        file = self.file("resnet50", "onnx")
        libraries = self._resident_mb("--version")
        running = self._resident_mb(
            *("test:640x360", "--every-frame", "--limit", SETTLED + 20, "--model", file),
            *("--device", "cpu", "--jsonl", "-"),
            settled=SETTLED,
        )
        plain = self.plain(file, key="added_mb")
        found = running - libraries - plain
        detail = f"{running:.0f} - {libraries:.0f} (libraries) - {plain:.0f} MB (plain)"
        return [Row("resnet50.onnx: memory over plain OpenVINO", 150, found, " MB", detail=detail)]

    def _resident_mb(self, *arguments: object, settled: Optional[int] = None) -> float:
        """At line `settled` of what the program prints, else the most that it had."""
        command = [str(self.now.program), *map(str, arguments)]
        environment = self._environment(self.now)
        if settled is None:
            code = (
                "import resource, subprocess, sys\n"
                "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            )
            command = [str(VENV_PYTHON), "-c", code, *command]
            return int(subprocess.check_output(command, text=True, env=environment)) / 1024
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            found = ""
            for number, _ in enumerate(process.stdout, start=1):
                if number == settled:
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    found = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            if process.wait() or not found:
                sys.exit(f"bench_figures: {' '.join(command)}: exit {process.returncode}")
        return int(found.split()[1]) / 1024

    def start(self) -> List[Row]:
        arguments = ("test", "--limit", 1, "-o", "null", "--model", self.file("resnet50", "onnx"))
        first = self.run(self.now, *arguments)["wall_s"]
        later = statistics.median(
            self.run(self.now, *arguments)["wall_s"] for _ in range(self.options.rounds)
        )
        what = "resnet50.onnx: start to first frame, whole process, second start"
        return [Row(what, 1.2, later, " s", detail=f"the first one {first:.2f} s")]


def convert(source: Path, target: Path) -> None:
    """ONNX → OpenVINO's own format, in fp32."""
    code = (
        "import openvino, sys\n"
        "model = openvino.Core().read_model(sys.argv[1])\n"
        "openvino.save_model(model, sys.argv[2], compress_to_fp16=False)"
    )
    _, reason = run_command([str(VENV_PYTHON), "-c", code, str(source), str(target)])
    if reason:
        sys.exit(f"bench_figures: {source.name} to {target.name}: {reason}")
