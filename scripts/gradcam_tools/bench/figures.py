"""The figures that gradcam-live is held to: how each is measured, and what is allowed."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from gradcam_tools import sample_clip
from gradcam_tools.bench import film_agreement
from gradcam_tools.bench.film_figures import FilmFigures
from gradcam_tools.bench.model_figures import ModelFigures
from gradcam_tools.bench.peer_environment import install, run_command
from gradcam_tools.bench.row import Row
from gradcam_tools.bench.turns import FORWARD, LITE0, ROWS, Bench, make_int8, prepare, rate_of
from gradcam_tools.paths import SCRIPTS, SHARED
from gradcam_tools.processor import has_bf16

NETWORKS = ("resnet50", "mobilenet_v2", LITE0)
LIVE_S = 20
LONG_RUN = 10_000
MEDIA = SHARED / "media"
# The first one calibrates int8.
FILMS = [
    MEDIA / f"{name}_h264.mp4" for name in ("cars_768x432", "cat_640x360", "highway_960x540")
]


class Figures:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.missing = install()
        self.benches: Dict[str, Bench] = {}
        self.left_out: List[str] = []  # what could not be measured, and why

    def bench(self, network: str) -> Bench:
        """The network's bench; exports the network when it is asked for first."""
        if network not in self.benches:
            options = argparse.Namespace(**vars(self.options))
            options.model_name, options.weights, options.layer = network, None, None
            prepare(options, self.folder)
            self.benches[network] = Bench(options, self.folder, self.missing)
        return self.benches[network]

    def program(self, *arguments: object, name: str = "run") -> Dict[str, Any]:
        """Runs the program; its --stats, and "wall_s" and "core_s" of the process. Runs that
        overlap need a `name` each, and their "core_s" mean nothing."""
        stats = self.folder / f"{name}.json"
        stats.unlink(missing_ok=True)
        command = [str(self.options.program), *map(str, arguments), "-y", "--stats", str(stats)]
        command += ["--device", self.options.device]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if run.returncode:
            sys.exit(f"bench_figures: {' '.join(command)}: {run.stderr.strip()[-300:]}")
        core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {**json.loads(stats.read_text()), "wall_s": wall, "core_s": core}

    def turns(self, *measures: Callable[[], float]) -> List[float]:
        """Takes the measures in turn; their medians."""
        found: List[List[float]] = [[] for _ in measures]
        for _ in range(self.options.rounds):
            for values, measure in zip(found, measures):
                values.append(measure())
        return [statistics.median(values) for values in found]

    def default_model(self) -> Tuple[str, ...]:
        return "--model", str(self.bench(LITE0).options.model)

    def annotate(self, *arguments: object) -> Dict[str, Any]:
        """The sample clip to a film, with the default network if no other is given."""
        model = () if "--model" in arguments else self.default_model()
        return self.program(sample_clip.path(), "-o", self.folder / "film.mp4", *model, *arguments)

    # -- the figures

    def engine(self) -> List[Row]:
        """Explained frames against the plain network: by the same engine, by Python, by OpenVINO."""
        rows: List[Row] = []
        peers = {row[0]: row for row in ROWS}
        for network in NETWORKS:
            bench = self.bench(network)
            for _ in range(self.options.rounds):
                bench.program_turn("TorchScript fp32", False, "fp32", engine=True)
                bench.peer_turn(peers["torchscript"], "ms", "--engine")
                for precision, peer in self.precisions():
                    bench.program_turn(f"OpenVINO {precision}", True, precision, engine=True)
                    bench.peer_turn(peers[peer], "ms", "--engine")
            for name in ["TorchScript fp32", *(f"OpenVINO {p}" for p, _ in self.precisions())]:
                what = f"{network}, {name}: explained against forward only"
                rows.append(self.compared(bench, what, 1.05, name, name + FORWARD))
            what = f"{network}: forward only against the same TorchScript in Python"
            forward = "TorchScript fp32" + FORWARD
            rows.append(self.compared(bench, what, 1.05, forward, "torchscript"))
            allowed = 1.05 if network == "resnet50" else 1.15
            for precision, peer in self.precisions():
                what = f"{network} {precision}: explained against OpenVINO's plain inference"
                rows.append(self.compared(bench, what, allowed, f"OpenVINO {precision}", peer))
        return rows

    def precisions(self) -> List[Tuple[str, str]]:
        """Precisions of gradcam-live, each with the peer that is plain OpenVINO in it."""
        return [("fp32", "openvino_f32"), *([("bf16", "openvino_bf16")] if has_bf16() else [])]

    @staticmethod
    def compared(bench: Bench, what: str, allowed: float, ours: str, theirs: str) -> Row:
        mine, other = bench.median(ours), bench.median(theirs)
        found = mine / other if mine and other else None
        detail = f"{mine:.2f} / {other:.2f} ms" if found else str(bench.failures)
        return Row(what, allowed, found, detail=detail)

    def films(self) -> List[Row]:
        """ResNet-50 file to file against torchcam and the notebook; the default network."""
        peers = {row[0]: row for row in ROWS}
        bench = self.bench("resnet50")
        least = {("fp32", "torchcam"): 1.5, ("fp32", "notebook"): 4.5}
        if has_bf16():  # elsewhere auto is fp32
            least.update({("auto", "torchcam"): 3, ("auto", "notebook"): 9})
        precisions = sorted({precision for precision, _ in least})
        for _ in range(self.options.rounds):
            for precision in precisions:
                bench.program_turn(f"film {precision}", True, precision, engine=False)
            bench.peer_turn(peers["torchcam"], "frames_per_second")
            bench.peer_turn(peers["notebook"], "frames_per_second")
        rows = []
        for (precision, peer), allowed in least.items():
            mine, other = bench.median(f"film {precision}"), bench.median(peer)
            found = mine / other if mine and other else None
            detail = f"{mine:.1f} / {other:.1f} frames/s" if found else str(bench.failures)
            what = f"resnet50 file to file, {precision}, against {peer}"
            rows.append(Row(what, allowed, found, most=False, detail=detail))
        (rate,) = self.turns(lambda: rate_of(self.annotate()))
        what = "default network, sample clip, file to file"
        return [*rows, Row(what, 60, rate, " frames/s", most=False)]

    def live(self) -> List[Row]:
        """The pattern at 30 frames a second with the default network."""
        frames = 30 * LIVE_S
        run = self.program("test:640x480@30", "--live", "--limit", frames, *self.default_model(), "-o", "null")
        (stream,) = run["streams"]
        latency = stream["latency_ms"]["total"]
        return [
            Row("default network, live at 30 frames/s: drops", 0, sum(stream["dropped"].values()), ""),
            Row("the same: capture to shown, 95th percentile", 50, latency["p95"], " ms"),
        ]

    def overhead(self) -> List[Row]:
        """Wall time of a frame against the least it can be: the time of its longest stage, or the work
        of all stages shared by the cores. Runs with one frame in flight measure the stages alone; a
        short run measures what the start costs."""
        short = 50
        rows = []
        for network in ("resnet50", LITE0):
            model = ("--model", self.bench(network).options.model)
            alone, cores, together = [], [], []
            for _ in range(self.options.rounds):
                start = self.annotate(*model, "--frames-in-flight", 1, "--limit", short)
                alone.append(self.annotate(*model, "--frames-in-flight", 1))
                frames = frames_of(alone[-1]) - frames_of(start)
                cores.append(1000 * (alone[-1]["core_s"] - start["core_s"]) / frames)
                together.append(self.annotate(*model))
            stages = [
                statistics.median(run["streams"][0]["latency_ms"][stage]["p50"] for run in alone)
                for stage in ("capture", "preprocess", "explain", "overlay", "output")
            ]
            core = statistics.median(cores)
            bound = max(max(stages), core / self.options.threads)
            wall = statistics.median(1000 / rate_of(run) for run in together)
            detail = f"{wall:.2f} ms; longest stage {max(stages):.2f}, cores {core:.2f} ms"
            what = f"{network}, film: wall time of a frame against its work"
            rows.append(Row(what, 1.10, wall / bound, detail=detail))
        return rows

    def drawing(self) -> List[Row]:
        return [Row("drawing at 1280x720", 3, self.drawing_ms("1280/720"), " ms")]

    def drawing_ms(self, size: str) -> float:
        """All that the overlay stage does to a frame, by itself."""
        binary = self.options.program.parent / "tests/overlay/bench_overlay"
        command = [str(binary), "--benchmark_format=json", "--benchmark_repetitions=5"]
        output, reason = run_command([*command, f"--benchmark_filter=whole_stage/{size}"])
        if reason:
            sys.exit(f"bench_figures: {binary}: {reason}")
        return statistics.median(
            run["real_time"] / {"ns": 1e6, "us": 1e3, "ms": 1}[run["time_unit"]]
            for run in json.loads(output)["benchmarks"]
            if run["run_type"] == "iteration"
        )

    def batches(self) -> List[Row]:
        """Four sources on one engine against a process for each. The rate of either is that of its
        slowest source, because one that ends early leaves the others the machine."""
        sources = 4
        rows = []
        for network in ("resnet50", LITE0):
            options = self.bench(network).options
            for form, precision, frames in (("TorchScript", "fp32", 60), ("OpenVINO", "auto", 300)):
                base = ["--every-frame", "--limit", str(frames), "-o", "null", "--precision", precision]
                base += ["--model", str(options.model), "--engine", form.lower()]

                def one_process() -> float:
                    run = self.program(*["test:640x360"] * sources, *base)
                    return sources * min(s["frames_per_second"] for s in run["streams"])

                def four_processes() -> float:
                    def alone(number: int) -> float:
                        return rate_of(self.program("test:640x360", *base, name=f"run{number}"))

                    with ThreadPoolExecutor(sources) as pool:
                        return sources * min(pool.map(alone, range(sources)))

                together, apart = self.turns(one_process, four_processes)
                detail = f"{together:.1f} / {apart:.1f} frames/s"
                what = f"{network}, {form} {precision}: four sources on one engine against four processes"
                rows.append(Row(what, 1.3, together / apart, most=False, detail=detail))
        return rows

    def agreement(self) -> List[Row]:
        """Frames of films at the precision that the program takes by itself against fp32."""
        rows = []
        for network in ("resnet50", LITE0):
            other = (self.bench(network).options.model, "auto")
            rows += self.agreement_rows(network, "auto", other, FILMS, lead=0.02, least_same=0.99)
        return rows

    def int8(self) -> List[Row]:
        """ResNet-50, calibrated on one film and judged on the others."""
        calibration, *others = FILMS
        precise, int8_file = self.bench("resnet50").options.model, self.folder / "int8.xml"
        if not calibration.exists():
            unmeasured = "resnet50, int8: agreement with fp32"
            return [Row(unmeasured, 0.95, None, "", most=False, detail="needs ../shared")]
        make_int8(precise, calibration, int8_file)
        rest = "bf16" if has_bf16() else "fp32"  # the layers that are not in int8
        other = (int8_file, rest)
        rows = self.agreement_rows("resnet50", "int8", other, others, lead=0.1, least_same=0.95)

        def explained_ms(file: Path) -> float:
            model = ("--model", file, "--precision", rest, "--engine", "openvino")
            return self.program("bench", *model)["engine"]["explained_ms"]["p50"]

        if has_bf16():
            int8, bf16 = self.turns(lambda: explained_ms(int8_file), lambda: explained_ms(precise))
            what = "resnet50: explained frame in int8 against bf16"
            rows.append(Row(what, 0.65, int8 / bf16, detail=f"{int8:.2f} / {bf16:.2f} ms"))
        return rows

    def agreement_rows(
        self,
        network: str,
        form: str,
        other: Tuple[Path, str],
        films: List[Path],
        lead: float,
        least_same: float,
    ) -> List[Row]:
        """`other`: file and precision of the form."""
        what = f"{network}, {form}"
        if not all(film.exists() for film in films):
            unmeasured = f"{what}: agreement with fp32"
            return [Row(unmeasured, least_same, None, "", most=False, detail="needs ../shared")]
        precise = self.bench(network).options.model
        program = self.options.program
        found = film_agreement.compare(program, precise, other, films, lead, self.folder)
        leading = f"{found.leading_frames} of {found.frames} frames lead by {100 * lead:.0f} points"
        p5 = f"5th percentile {found.map_p5:.4f}"
        same, median = found.leading_top1, found.map_median
        return [
            Row(f"{what}: same class as fp32", least_same, same, "", most=False, detail=leading),
            Row(f"{what}: correlation of maps, median", 0.99, median, "", most=False, detail=p5),
        ]

    def memory(self) -> List[Row]:
        """Resident memory at the end of a long run against frame 500."""
        command = [sys.executable, str(SCRIPTS / "soak.py"), "--frames", str(LONG_RUN)]
        command += ["--program", str(self.options.program)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=1800)
        told = [line for line in run.stdout.splitlines() if "x)" in line]
        what = f"memory after {LONG_RUN} frames against after 500"
        if run.returncode or not told:  # it also judges the run, and the threads
            return [Row(what, 1.01, None, detail="; ".join(told or run.stderr.splitlines()[-1:]))]
        growth = max(float(line.split("(")[1].split("x)")[0]) for line in told)
        return [Row(what, 1.01, growth)]

    def start(self) -> List[Row]:
        """From the start of the process to the first frame written."""
        model = self.default_model()
        self.program("test", "--limit", 1, "-o", "null", *model)  # the choice of engine is cached

        def first_frame() -> float:
            return self.program("test", "--limit", 1, "-o", "null", *model)["wall_s"]

        (seconds,) = self.turns(first_frame)
        return [Row("first frame after start, default network, whole process", 1.5, seconds, " s")]

    def models(self) -> List[Row]:
        """Network files as users have them."""
        return ModelFigures(self).rows()

    def hd(self) -> List[Row]:
        """Films of 1080p and more."""
        return FilmFigures(self).rows()

    def growth(self) -> List[Row]:
        """How cost grows with run length, targets, and pixels."""
        model = self.default_model()

        def explain_ms(*arguments: object) -> float:
            run = self.program("test:640x360", "--every-frame", "-o", "null", *model, *arguments)
            return run["streams"][0]["latency_ms"]["explain"]["p50"]

        short, long, five = self.turns(
            lambda: explain_ms("--limit", 300),
            lambda: explain_ms("--limit", 3000),
            lambda: explain_ms("--limit", 300, "--target", "top:5"),
        )
        small, large = self.turns(
            lambda: self.drawing_ms("1280/720"), lambda: self.drawing_ms("2560/1440")
        )
        return [
            Row("explain time over 3000 frames against 300", 1.05, long / short),
            Row("explain time of five classes against one", 1.3, five / short),
            Row("drawing 2560x1440 against four times 1280x720", 1.1, large / (4 * small)),
        ]


def frames_of(run: Dict[str, Any]) -> int:
    return int(run["streams"][0]["shown"])


GROUPS = {
    "engine": Figures.engine,
    "films": Figures.films,
    "live": Figures.live,
    "overhead": Figures.overhead,
    "drawing": Figures.drawing,
    "batches": Figures.batches,
    "agreement": Figures.agreement,
    "int8": Figures.int8,
    "memory": Figures.memory,
    "start": Figures.start,
    "models": Figures.models,
    "hd": Figures.hd,
    "growth": Figures.growth,
}
