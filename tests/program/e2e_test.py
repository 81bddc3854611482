#!/usr/bin/env python3
"""The program from outside: films in and out, pictures, refusals, signals. Run by ctest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import List

from PIL import Image

from program_case import PROGRAM, ROOT

MODEL = ROOT / "build/models/efficientnet_lite0.pt"
MEDIA = ROOT.parent / "shared/media"
FILMS = ("cat_640x360_h264.mp4", "cars_768x432_h264.mp4", "highway_960x540_h264.mp4")
needs_shared = unittest.skipUnless(MEDIA.is_dir(), "skipped: needs ../shared")


def sample_clip() -> str:
    script = ROOT / "scripts/sample_clip.py"
    return subprocess.check_output([sys.executable, str(script)], text=True).strip()


def run(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess:
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def times(film: Path) -> List[float]:
    """Presentation times of a film's frames, in order."""
    text = subprocess.check_output(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time"]
        + ["-of", "json", str(film)],
        text=True,
    )
    return [float(frame["pts_time"]) for frame in json.loads(text)["frames"]]


class Program(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def refused(self, code: int, mentions: str, *arguments: object) -> None:
        done = run(*arguments, timeout=20)
        lines = [line for line in done.stderr.splitlines() if line.startswith("gradcam-live:")]
        self.assertEqual((done.returncode, len(lines)), (code, 1), done.stderr)
        self.assertIn(mentions, lines[0])

    def same_times(self, source: Path, result: Path) -> None:
        expected, got = times(source), times(result)
        self.assertEqual(len(got), len(expected))
        for a, b in zip(expected, got):
            self.assertAlmostEqual(a, b, delta=0.0011)

    def test_sample_clip_keeps_frames_and_times(self) -> None:
        out, stats = self.folder / "o.mp4", self.folder / "s.json"
        lines = self.folder / "l.jsonl"
        done = run(sample_clip(), "-o", out, "--stats", stats, "--jsonl", lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.same_times(Path(sample_clip()), out)
        stream = json.loads(stats.read_text())["streams"][0]
        self.assertEqual((stream["captured"], stream["shown"]), (250, 250))
        frames = [json.loads(line) for line in lines.read_text().splitlines()]
        self.assertEqual([frame["frame"] for frame in frames], list(range(250)))
        self.assertEqual(frames[105]["top"][0]["label"], "streetcar")

    def test_running_normalisation_leaves_weak_maps_faint(self) -> None:
        peaks = {}
        for normalize in ("frame", "running"):
            maps = self.folder / normalize
            asked = ("--maps", maps, "--normalize", normalize)
            done = run(sample_clip(), "--limit", 12, *asked)
            self.assertEqual(done.returncode, 0, done.stderr)
            peaks[normalize] = [
                Image.open(file).getextrema()[1] for file in sorted(maps.glob("*.tiff"))
            ]
        self.assertEqual(len(peaks["running"]), 12)
        for own, running in zip(peaks["frame"], peaks["running"]):
            self.assertGreater(own, 0.9)
            self.assertLessEqual(running, own + 1e-4)
        self.assertLess(min(peaks["running"]), 0.9 * min(peaks["frame"]))

    def made(self, name: str, *options: str) -> Path:
        """A second of test picture (25 frames) as ffmpeg writes it."""
        path = self.folder / name
        picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1"]
        subprocess.run(["ffmpeg", "-v", "error", *picture, *options, str(path)], check=True)
        return path

    def test_sound_that_is_longer_than_the_picture_is_no_cut(self) -> None:
        for name in ("long.mp4", "long.mkv"):
            film = self.made(name, "-f", "lavfi", "-i", "sine=d=4")
            done = run(film, "--jsonl", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 25)

    def test_a_gif_ends_with_its_last_picture(self) -> None:
        done = run(self.made("a.gif"), "--jsonl", "-", timeout=25)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 25)

    def test_films_longer_than_half_a_minute_say_so(self) -> None:
        out = self.folder / "long.mp4"
        done = run("test:64x64@25", "--limit", "1000", "--every", "100", "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries"]
        command += ["stream=duration,avg_frame_rate", "-of", "csv=p=0", str(out)]
        rate, seconds = subprocess.check_output(command, text=True).strip().split(",")
        self.assertEqual((rate, round(float(seconds), 2)), ("25/1", 40.0))

    @needs_shared
    def test_several_stills_are_told_apart(self) -> None:
        names = [MEDIA / "rooster.jpg", MEDIA / "dog_and_cat_224.png"]
        done = run(*names, "-o", "null")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual((len(lines), lines[0], lines[6]), (12, str(names[0]), str(names[1])))
        self.assertEqual(lines[1].split()[1], "cock")

    @needs_shared
    def test_films_keep_frames_and_times(self) -> None:
        for name in FILMS:
            out = self.folder / name
            done = run(MEDIA / name, "-o", out, timeout=200)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.same_times(MEDIA / name, out)

    @needs_shared
    def test_two_films_at_once(self) -> None:
        done = run(MEDIA / FILMS[0], MEDIA / FILMS[1], "-o", self.folder / "o.mkv", "--limit", 30)
        self.assertEqual(done.returncode, 0, done.stderr)
        for number in (0, 1):
            self.assertEqual(len(times(self.folder / f"o-{number}.mkv")), 30)

    @needs_shared
    def test_still_prints_the_top_five(self) -> None:
        out = self.folder / "r.png"
        done = run(MEDIA / "rooster.jpg", "-o", out, "--maps", self.folder / "m")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines[0].split()[:2], ["7", "cock"])
        self.assertTrue(out.exists() and (self.folder / "m/000000.tiff").exists())

    def test_one_frame_of_a_film_is_a_picture(self) -> None:
        out = self.folder / "frame.png"
        done = run("test:64x48@30", "--limit", 1, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with Image.open(out) as picture:
            self.assertEqual(picture.size, (64, 48))
        self.refused(5, "--limit 1", "test:64x48@30", "--limit", 2, "-o", self.folder / "two.png")

    def test_bench_leaves_stdout_to_the_json_lines(self) -> None:
        done = run("bench", "test:64x48@30", "--limit", 3, "--jsonl", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([json.loads(line)["frame"] for line in done.stdout.splitlines()], [0, 1, 2])
        self.assertIn("engine alone", done.stderr)

    def test_what_needs_no_source_is_refused_first(self) -> None:
        nowhere = "http://10.255.255.1/film.mp4"
        self.refused(5, "o.avi", nowhere, "-o", self.folder / "o.avi")
        self.refused(4, "no.pt", nowhere, "-o", "null", "-m", self.folder / "no.pt")

    def test_what_is_read_is_not_replaced(self) -> None:
        config = self.folder / "a.yaml"
        config.write_text("limit: 3\n")
        asked = ("--config", config, "--stats", config, "-y")
        self.refused(5, "a.yaml", "test", "-o", "null", *asked)
        self.assertEqual(config.read_text(), "limit: 3\n")

    def test_signals_leave_a_playable_film(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            out = self.folder / f"{number}.mp4"
            with subprocess.Popen([str(PROGRAM), "test", "-o", str(out)]) as process:
                deadline = time.monotonic() + 30
                while not (out.exists() and out.stat().st_size > 0):
                    self.assertLess(time.monotonic(), deadline, "no film was begun")
                    time.sleep(0.05)
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=5), 0)
            self.assertGreater(len(times(out)), 0)

    def test_signal_ends_a_frame_that_takes_minutes(self) -> None:
        out, stats = self.folder / "slow.png", self.folder / "slow.json"
        slow = ["--method", "recipro-cam", "--layer", "_conv_stem", "--precision", "fp32"]
        command = [str(PROGRAM), "test", "-m", str(MODEL), *slow, "--limit", "1"]
        command += ["-o", str(out), "--stats", str(stats)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            while "layer _conv_stem" not in (line := process.stderr.readline()):
                self.assertNotEqual(line, "", "the program ended")
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=60), 0)
        self.assertFalse(out.exists())
        found = json.loads(stats.read_text())
        self.assertEqual((found["stopped"], found["streams"][0]["failed"]), (True, 0))

    def test_reader_that_leaves_ends_the_run_with_a_whole_film(self) -> None:
        out = self.folder / "left.mp4"
        command = [str(PROGRAM), "test", "-o", str(out), "--jsonl", "-", "--limit", "200"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout and process.stderr
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(timeout=60), 5)
            self.assertIn("standard output", process.stderr.read().decode())
        self.assertGreater(len(times(out)), 0)

    def test_full_standard_output_is_an_error(self) -> None:
        with open("/dev/full", "wb") as full:
            for command in (["layers", str(MODEL)], ["info", str(MODEL)]):
                done = subprocess.run(
                    [str(PROGRAM), *command], stdout=full, stderr=subprocess.PIPE, timeout=60
                )
                self.assertEqual(done.returncode, 5, command)
                self.assertIn(b"standard output", done.stderr)

    def test_a_cache_that_cannot_be_written_is_done_without(self) -> None:
        command = [str(PROGRAM), "test", "-o", "null", "--limit", "2"]
        environment = {**os.environ, "XDG_CACHE_HOME": "/dev/null/cache"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=environment
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_only_films_have_a_time_to_start_at(self) -> None:
        self.refused(2, "--start", "test", "-o", "null", "--start", "2")
        done = run("test:64x48@30", "--every-frame", "--duration", "0.5", "--jsonl", "-")
        self.assertEqual(len(done.stdout.splitlines()), 15)

    def test_bad_input_is_refused_in_one_line(self) -> None:
        clip = sample_clip()
        bad = {"text.mp4": b"hello\n", "zero.mp4": b"", "noise.mkv": os.urandom(30000)}
        for name, content in bad.items():
            (self.folder / name).write_bytes(content)
            self.refused(3, name, self.folder / name, "-o", "null")
        self.refused(3, "missing.mp4", self.folder / "missing.mp4", "-o", "null")
        self.refused(4, "text.mp4", clip, "-o", "null", "-m", self.folder / "text.mp4")
        self.refused(2, "_blocks.9", clip, "-o", "null", "--layer", "_blocks.99")
        self.refused(2, "limousine", clip, "-o", "null", "--target", "limosine")
        self.refused(2, "0..999", clip, "-o", "null", "--target", "1000")
        self.refused(2, "--bogus", clip, "--bogus")
        self.refused(2, "0 to 1", clip, "-o", "null", "--opacity", "7")
        self.refused(2, "no output", clip, "--headless")
        self.refused(2, "no source")
        self.refused(5, "nodir", clip, "-o", self.folder / "nodir/o.mp4")
        self.refused(5, "-y", clip, "-o", self.folder / "text.mp4")


if __name__ == "__main__":
    unittest.main(verbosity=2)
