"""What a large film costs: against FFmpeg's own decoding and encoding, and against an older build."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from gradcam_tools.bench.peer_environment import run_command
from gradcam_tools.bench.row import Row
from gradcam_tools.bench.turns import LITE0, rate_of
from gradcam_tools.paths import SHARED

if TYPE_CHECKING:
    from gradcam_tools.bench.figures import Figures

STREET = SHARED / "media/highway_960x540_h264.mp4"
SMALL = SHARED / "media/cat_640x360_h264.mp4"
HD, UHD = (1920, 1080), (3840, 2160)
CAMERAS, CAMERA_RATE = 4, 25
# As stages/output/film_encoder.cpp has it.
X264 = "-c:v libx264 -preset superfast -crf 21 -bf 0 -g 25"


class FilmFigures:
    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.options = figures.options
        self.folder = figures.folder / "hd"
        self.folder.mkdir()
        self.model = str(figures.bench(LITE0).options.model)

    def rows(self) -> List[Row]:
        if not STREET.exists() or shutil.which("ffmpeg") is None:
            detail = "needs ../shared and ffmpeg"
            return [Row("1080p film against ffmpeg", 1.35, None, detail=detail)]
        return [*self.against_ffmpeg(), *self.sizes(), *self.stages(), *self.small(), *self.cameras()]

    # -- runs

    def film(self, size: Tuple[int, int], frames: int) -> Path:
        """The street at this size, as a camera would have coded it."""
        path = self.folder / f"{size[1]}.mp4"
        if not path.exists():
            scale = f"scale={size[0]}:{size[1]}:flags=bicubic"
            told = "-colorspace bt709 -color_primaries bt709 -color_trc bt709"
            coded = f"-c:v libx264 -preset veryfast -crf 20 {told}"
            self.ffmpeg(f"-i {STREET} -frames:v {frames} -vf {scale} {coded} {path}")
        return path

    def ffmpeg(self, arguments: str) -> float:
        """Seconds that it takes."""
        command = ["ffmpeg", "-v", "error", "-y", *arguments.split()]
        begin = time.monotonic()
        subprocess.run(command, check=True, timeout=600)
        return time.monotonic() - begin

    def ffmpeg_ms(self, film: Path, work: str) -> float:
        """Milliseconds a frame of what it does with the film, its start left out."""
        frames = frame_count(film)
        short = min(20, frames // 4)
        whole = self.ffmpeg(f"-i {film} {work}")
        start = self.ffmpeg(f"-i {film} -frames:v {short} {work}")
        return 1000 * (whole - start) / (frames - short)

    def run(
        self, program: Path, *arguments: object, prefix: Tuple[str, ...] = ()
    ) -> Dict[str, Any]:
        """The program's --stats, and "resident_mb", the most that it had. Another build must not
        take over the engine that this one chose."""
        stats = self.folder / "stats.json"
        stats.unlink(missing_ok=True)
        command = [*prefix, str(program), *map(str, arguments), "--model", self.model, "-y"]
        command += ["--device", self.options.device, "--stats", str(stats)]
        cache = self.folder / f"cache_{program.resolve().as_posix().replace('/', '_')}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            told = process.stderr.read().decode(errors="replace")
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"bench_figures: {' '.join(command)}: {told.strip()[-300:]}")
        return {**json.loads(stats.read_text()), "resident_mb": used.ru_maxrss / 1024}

    def ms(self, run: Dict[str, Any]) -> float:
        return 1000 / rate_of(run)

    # -- the figures

    def against_ffmpeg(self) -> List[Row]:
        film, heat = self.film(HD, 200), self.folder / "heat.mp4"
        now, before = self.options.program, self.options.before
        self.run(now, film, "-o", heat)  # chooses its engine, and makes the film of heat
        if before:
            self.run(before, film, "--limit", 1, "-o", "null")
        found: Dict[str, List[float]] = {}

        def add(name: str, value: float) -> None:
            found.setdefault(name, []).append(value)

        for _ in range(self.options.rounds):
            run = self.run(now, film, "-o", self.folder / "now.mp4")
            add("now", self.ms(run))
            add("resident", run["resident_mb"])
            coded = f"{X264} -threads {self.options.threads} -an {self.folder / 'ffmpeg.mp4'}"
            add("ffmpeg", self.ffmpeg_ms(heat, coded))
            if before:
                run = self.run(before, film, "-o", self.folder / "before.mp4")
                add("before", self.ms(run))
                add("resident before", run["resident_mb"])
            add("null", self.ms(self.run(now, film, "-o", "null")))
            add("decode", self.ffmpeg_ms(film, "-f null -"))
        of = {name: statistics.median(values) for name, values in found.items()}
        rows = [
            ratio("1080p film against ffmpeg's decoding and the same encoding", 1.35, of["now"], of["ffmpeg"]),
            ratio("1080p film to null against ffmpeg's decoding", 2.5, of["null"], of["decode"]),
        ]
        what = "1080p film against the older build"
        memory = "resident memory, 1080p film, against the older build"
        if not before:
            rows += [
                Row(what, 1.45, None, most=False, detail="needs --before"),
                Row(memory, 0.9, None, detail="needs --before"),
            ]
            return rows
        faster = of["before"] / of["now"]
        detail = f"{of['before']:.1f} / {of['now']:.1f} ms"
        rows.append(Row(what, 1.45, faster, most=False, detail=detail))
        rows.append(ratio(memory, 0.9, of["resident"], of["resident before"], "MB"))
        return rows

    def sizes(self) -> List[Row]:
        """Four times the pixels."""
        large, small = self.film(UHD, 100), self.film(HD, 200)
        program, out = self.options.program, self.folder / "now.mp4"
        uhd, hd = self.figures.turns(
            lambda: self.ms(self.run(program, large, "-o", out)),
            lambda: self.ms(self.run(program, small, "-o", out)),
        )
        return [ratio("2160p film against four times 1080p", 1.05, uhd, 4 * hd)]

    def stages(self) -> List[Row]:
        """All that preprocess and overlay do to a frame, with a HUD that changes, on one core."""
        binary = self.options.program.parent / "tests/picture/bench_picture"
        command = [str(binary), "--benchmark_format=json", "--benchmark_repetitions=5"]
        output, reason = run_command([*command, "--benchmark_filter=^stages_with_new_hud/1920x1080"])
        if reason:
            sys.exit(f"bench_figures: {binary}: {reason}")
        times = [
            run["cpu_time"]
            for run in json.loads(output)["benchmarks"]
            if run["run_type"] == "iteration"
        ]
        wide = has_avx512()
        what = "preprocess and overlay with a new HUD, 1080p, one core"
        name = "AVX-512" if wide else "AVX2"
        return [Row(what, 3.0 if wide else 3.5, statistics.median(times), " ms", detail=name)]

    def small(self) -> List[Row]:
        what = "640x360 film, default network, against the older build"
        before = self.options.before
        if not before:
            return [Row(what, 1.1, None, most=False, detail="needs --before")]
        out = self.folder / "small.mp4"
        rates = self.figures.turns(
            lambda: rate_of(self.run(self.options.program, SMALL, "-o", out)),
            lambda: rate_of(self.run(before, SMALL, "-o", out)),
        )
        detail = f"{rates[0]:.0f} / {rates[1]:.0f} frames/s"
        return [Row(what, 1.1, rates[0] / rates[1], most=False, detail=detail)]

    def cameras(self) -> List[Row]:
        """Films at their own pace stand for cameras."""
        what = f"{CAMERAS} 1080p cameras at {CAMERA_RATE} frames/s in one window, --every 5: drops"
        if shutil.which("xvfb-run") is None:
            return [Row(what, 0, None, "", detail="needs xvfb-run")]
        film = self.film(HD, 200)

        def drops(program: Path) -> Tuple[float, int]:
            arguments = [film] * CAMERAS + ["--live", "--mosaic", "--show", "--every", 5]
            run = self.run(program, *arguments, prefix=("xvfb-run", "-a"))
            streams = run["streams"]
            dropped = sum(sum(stream["dropped"].values()) for stream in streams)
            return dropped, sum(int(stream["captured"]) for stream in streams)

        dropped, captured = drops(self.options.program)
        detail = f"of {captured}"
        if self.options.before:
            detail += ", {} of {} before".format(*drops(self.options.before))
        return [Row(what, 0, dropped, "", detail=detail)]


def ratio(what: str, allowed: float, mine: float, other: float, unit: str = "ms") -> Row:
    return Row(what, allowed, mine / other, detail=f"{mine:.1f} / {other:.1f} {unit}")


def frame_count(film: Path) -> int:
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=nb_frames"]
    done = subprocess.run(
        [*probe, "-of", "csv=p=0", str(film)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.strip())


def has_avx512() -> bool:
    flags: Optional[str] = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")),
        None,
    )
    return flags is not None and "avx512_vbmi" in flags.split()
